//! The names that every layer shares.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the two places where a release of an app runs, each with its own port and node name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Slot {
    /// The slot that a new app starts in.
    Blue,
    /// The other one.
    Green,
}

impl Slot {
    /// Both slots, blue first.
    pub const BOTH: [Slot; 2] = [Slot::Blue, Slot::Green];

    /// The slot that this one is not.
    #[must_use]
    pub fn other(self) -> Slot {
        match self {
            Slot::Blue => Slot::Green,
            Slot::Green => Slot::Blue,
        }
    }

    /// `blue` or `green`, as in paths, node names and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Slot::Blue => "blue",
            Slot::Green => "green",
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is not one of the set that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not {expected}")]
pub struct UnknownWord {
    /// What was given.
    pub word: String,
    /// What would have been right, as a phrase: "blue or green".
    pub expected: &'static str,
}

impl FromStr for Slot {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Slot::BOTH
            .into_iter()
            .find(|slot| slot.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.into(), expected: "blue or green" })
    }
}

/// What a deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Brings a release that Vial did not have before.
    Deploy,
    /// Makes a retained release active again, without a build.
    Rollback,
    /// Builds the commit of an earlier deployment afresh.
    Redeploy,
    /// Starts the active release again in the idle slot, with today's environment.
    Restart,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 4] = [Kind::Deploy, Kind::Rollback, Kind::Redeploy, Kind::Restart];

    /// The word, as in JSON and on a terminal.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Deploy => "deploy",
            Kind::Rollback => "rollback",
            Kind::Redeploy => "redeploy",
            Kind::Restart => "restart",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| UnknownWord {
            word: word.into(),
            expected: "deploy, rollback, redeploy or restart",
        })
    }
}

/// Where a deployment stands. Up to [`Status::Baking`] it is in progress; the others are its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Waits for the deployment before it.
    Queued,
    /// The release is being built from source.
    Building,
    /// The release's archive is received, checked and unpacked.
    Unpacking,
    /// The release's migrations run, before it starts.
    Migrating,
    /// The release starts in the idle slot, until its health check answers.
    Starting,
    /// The release that is left reverts its migrations; the one that is started listens already.
    Reverting,
    /// The paths of `verify` are asked for, and the port's owner is checked.
    Verifying,
    /// What was reverted is migrated up again, because the deployment has failed since.
    Restoring,
    /// Caddy is told, and asked which slot answers.
    Switching,
    /// The release is live; the old slot finishes the requests that it has.
    Draining,
    /// The release is live; the old slot stays ready until the bake ends.
    Baking,
    /// The release went live and stayed.
    Succeeded,
    /// The release did not go live, or did not become healthy; the error says why.
    Failed,
    /// Ended on request before it went live.
    Cancelled,
    /// It was live, and a rollback took it back.
    RolledBack,
    /// It was live until a later deployment succeeded.
    Superseded,
}

impl Status {
    /// Every status, in the order of a deployment's life.
    pub const ALL: [Status; 16] = [
        Status::Queued,
        Status::Building,
        Status::Unpacking,
        Status::Migrating,
        Status::Starting,
        Status::Reverting,
        Status::Verifying,
        Status::Restoring,
        Status::Switching,
        Status::Draining,
        Status::Baking,
        Status::Succeeded,
        Status::Failed,
        Status::Cancelled,
        Status::RolledBack,
        Status::Superseded,
    ];

    /// The word, as in JSON and the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Queued => "queued",
            Status::Building => "building",
            Status::Unpacking => "unpacking",
            Status::Migrating => "migrating",
            Status::Starting => "starting",
            Status::Reverting => "reverting",
            Status::Verifying => "verifying",
            Status::Restoring => "restoring",
            Status::Switching => "switching",
            Status::Draining => "draining",
            Status::Baking => "baking",
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::Cancelled => "cancelled",
            Status::RolledBack => "rolled_back",
            Status::Superseded => "superseded",
        }
    }

    /// What the user reads: several steps share a stage.
    #[must_use]
    pub fn stage(self) -> &'static str {
        match self {
            Status::Queued => "Queued",
            Status::Building => "Building",
            Status::Unpacking | Status::Starting => "Deploying",
            Status::Migrating | Status::Reverting | Status::Restoring => "Migrating",
            Status::Verifying | Status::Switching => "Verifying",
            Status::Draining | Status::Baking => "Live",
            Status::Succeeded => "Succeeded",
            Status::Failed => "Failed",
            Status::Cancelled => "Cancelled",
            Status::RolledBack => "Rolled Back",
            Status::Superseded => "Superseded",
        }
    }

    /// Whether the deployment is still in progress.
    #[must_use]
    pub fn in_progress(self) -> bool {
        self <= Status::Baking
    }

    /// Whether the deployment's release has taken the traffic and the deployment goes on.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Status::Draining | Status::Baking)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Status::ALL
            .into_iter()
            .find(|status| status.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.into(), expected: "a deployment's status" })
    }
}

/// What a person wants of an app: `vial stop` and `vial start` set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Desired {
    /// The active slot is kept running.
    Running,
    /// No slot runs until it is started or deployed again.
    Stopped,
}

impl Desired {
    /// The word, as in JSON and the store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Desired::Running => "running",
            Desired::Stopped => "stopped",
        }
    }
}

impl FromStr for Desired {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Desired::Running, Desired::Stopped]
            .into_iter()
            .find(|desired| desired.as_str() == word)
            .ok_or_else(|| UnknownWord { word: word.into(), expected: "running or stopped" })
    }
}
