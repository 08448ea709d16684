//! What Vial builds from a repository.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::words::UnknownWord;

/// What a deployment builds, as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Build {
    /// A branch, a tag or a whole commit id. What it stands for is looked up when the build begins:
    /// of a branch, the tip that is there then.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The commit, where it is known from the start: a redeploy builds the same again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
    /// The deployment whose commit it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What made it begin.
    pub trigger: Trigger,
    /// Whether the release may bring a destructive migration.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub allow_destructive: bool,
}

/// The commit that a deployment's release was built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Commit {
    /// The whole commit id, in lower case.
    pub sha: String,
    /// What was asked for: a branch, a tag, or the id again.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The first line of the commit's message. Untrusted.
    pub subject: String,
}

impl Commit {
    /// The beginning of the id, by which people name a commit.
    #[must_use]
    pub fn short(&self) -> &str {
        self.sha.get(..10).unwrap_or(&self.sha)
    }
}

/// What made a build begin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person asked for it.
    #[default]
    ByHand,
    /// A push to a repository on this host.
    Push,
    /// A forge told of a push.
    Webhook,
    /// Vial asked the repository, and it had something new.
    Poll,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Trigger; 4] = [Trigger::ByHand, Trigger::Push, Trigger::Webhook, Trigger::Poll];

    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Trigger::ByHand => "by_hand",
            Trigger::Push => "push",
            Trigger::Webhook => "webhook",
            Trigger::Poll => "poll",
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Trigger {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Trigger::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| UnknownWord {
            word: word.into(),
            expected: "by_hand, push, webhook or poll",
        })
    }
}
