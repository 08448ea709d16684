//! Auto-deploy, as a reader sees it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Whether new commits are deployed by themselves, and what was seen of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AutoDeploy {
    /// Whether it is on.
    pub on: bool,
    /// The branch.
    pub branch: String,
    /// Who switched it; absent where it is as the app's file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_by: Option<String>,
    /// How often the repository is asked, in milliseconds; absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_ms: Option<u64>,
    /// The branch's tip when it was looked at last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tip: Option<String>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// What comes of the tip, where that is not clear of itself: "abc1234 was rolled back, so it
    /// waits for the next commit".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Why the repository could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<Failing>,
}

/// A repository that cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failing {
    /// Since when.
    pub since: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// Why not, as Git says: untrusted text.
    pub error: String,
    /// When it is tried again.
    pub next_at: Timestamp,
}

/// `POST /v1/apps/{app}/auto-deploy`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// Whether new commits shall be deployed by themselves.
    pub on: bool,
}

/// `POST /v1/apps/{app}/auto-deploy/secret`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AskSecret {
    /// Put a new one in place of the one that there is, which is refused from now on.
    pub rotate: bool,
}

/// What a forge's settings want to know.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HookSecret {
    /// The secret.
    pub secret: String,
    /// The path of the webhook's address.
    pub path: String,
    /// Where the daemon takes webhooks; absent where it does not.
    pub listen: Option<String>,
}

impl fmt::Debug for HookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookSecret").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What `POST /v1/apps/{app}/repository` made, or found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repository {
    /// Where it is on the host.
    pub path: String,
    /// Whether it was there already.
    pub existed: bool,
    /// The branch that is deployed when it is pushed.
    pub branch: String,
    /// The group whose members may push; absent where only the daemon's own user may.
    pub group: Option<String>,
    /// Whether the app is built from it; where not, its file says where else from.
    pub is_source: bool,
}
