//! One row of an app's history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::migration::Moved;
use crate::{Build, Commit, Kind, Problem, Release, Slot, Status};

/// One attempt to make a release active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Deployment {
    /// Counts from 1 in each app, and is never used twice.
    pub number: u64,
    /// What it does.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// The release that it makes active; absent until a deploy's archive is unpacked.
    pub release: Option<Release>,
    /// The slot that it uses; absent until it has one.
    pub slot: Option<Slot>,
    /// The deployment that was active when this one began.
    pub replaces: Option<u64>,
    /// The rollback that took this one back.
    pub rolled_back_by: Option<u64>,
    /// Who asked: a user name of the host, or `vial` where Vial acted by itself.
    pub actor: String,
    /// Why, in the words of whoever asked; or the cause where Vial acted by itself.
    pub reason: Option<String>,
    /// Why it failed.
    pub error: Option<Problem>,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When its release took the traffic.
    pub live_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// The migrations that its `migrate` applied, in that order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applied: Vec<Moved>,
    /// The versions of the migrations that it was asked to revert, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverts: Vec<u64>,
    /// The migrations that are down because of it, in the order in which they were reverted. Empty
    /// again where they were restored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverted: Vec<Moved>,
    /// The version of the app's environment that its release was started with last.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub environment: u64,
    /// What it builds; absent where its release came as an archive, or was there already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// The commit that it built; absent until that is fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
    /// What it did, in order. Empty in lists; filled where one deployment is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
}

impl Deployment {
    /// The step that runs now or ran last.
    #[must_use]
    pub fn last_step(&self) -> Option<&Step> {
        self.steps.last()
    }
}

/// One step of a deployment, with its own time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Step {
    /// Which: one of the statuses in progress.
    pub status: Status,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; absent while it runs.
    pub ended_at: Option<Timestamp>,
    /// What came of it, where there is something to say: "3 requests were cut off".
    pub outcome: Option<String>,
}

impl Step {
    /// How long it took, or has taken by `now`, in milliseconds.
    #[must_use]
    pub fn millis(&self, now: Timestamp) -> i64 {
        let end = self.ended_at.unwrap_or(now);
        (end.as_millisecond() - self.started_at.as_millisecond()).max(0)
    }
}
