//! What a reader sees of an app, now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AutoDeploy, Deployment, Desired, Problem, Release, Slot, Standby};

/// One app, as a numbered snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AppStatus {
    /// The app's name.
    pub name: String,
    /// Counts up with each change; starts anew with the daemon.
    pub revision: u64,
    /// What a person wants of it.
    pub desired: Desired,
    /// The slot that Caddy sends traffic to; absent before the first deploy succeeds.
    pub active: Option<Slot>,
    /// The slot whose release may do what only one may at a time: work queues, run timers. The active
    /// one, once the release in the other slot came to rest; absent until then.
    #[serde(default)]
    pub works: Option<Slot>,
    /// The release in the active slot.
    pub serving: Option<Release>,
    /// When the release in the active slot took the traffic.
    pub serving_since: Option<Timestamp>,
    /// Both slots, blue first.
    pub slots: Vec<SlotStatus>,
    /// The deployment in progress.
    pub deployment: Option<Box<Deployment>>,
    /// The deployment that waits for the one in progress.
    pub queued: Option<Box<Deployment>>,
    /// The deployment that ended last.
    pub last: Option<Box<Deployment>>,
    /// Whether a rollback is possible, to what, or why not.
    pub rollback: RollbackOffer,
    /// The route through Caddy; absent for a worker.
    pub route: Option<RouteStatus>,
    /// Whether new commits are deployed by themselves; absent where the app has no source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_deploy: Option<AutoDeploy>,
    /// What is wrong, most urgent first.
    pub warnings: Vec<Problem>,
}

impl AppStatus {
    /// One slot's status.
    #[must_use]
    pub fn slot(&self, slot: Slot) -> Option<&SlotStatus> {
        self.slots.iter().find(|status| status.slot == slot)
    }
}

/// Whether `vial rollback` would be accepted now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RollbackOffer {
    /// The release that it would go back to.
    pub target: Option<Release>,
    /// Why it would be refused; absent where it would not.
    pub refusal: Option<Problem>,
}

/// The route through Caddy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteStatus {
    /// `file` or `admin`.
    pub mode: String,
    /// The host names that the app answers to.
    pub hosts: Vec<String>,
    /// What is wrong with it; absent where all is well.
    pub problem: Option<Problem>,
}

/// What a slot does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SlotState {
    /// Nothing runs in it.
    Stopped,
    /// Its release was started and is not healthy yet.
    Starting,
    /// Its release runs.
    Running,
    /// Its release has no traffic and comes to rest, to be frozen.
    Resting,
    /// Its release is stopped by SIGSTOP, ready to go on.
    Frozen,
    /// It was told to end and has not yet.
    Stopping,
    /// Its release exited by itself and is started again soon.
    Backoff,
}

impl SlotState {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            SlotState::Stopped => "stopped",
            SlotState::Starting => "starting",
            SlotState::Running => "running",
            SlotState::Resting => "resting",
            SlotState::Frozen => "frozen",
            SlotState::Stopping => "stopping",
            SlotState::Backoff => "backoff",
        }
    }
}

/// One slot, now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotStatus {
    /// Which.
    pub slot: Slot,
    /// What it does.
    pub state: SlotState,
    /// The release in it, running or not.
    pub release: Option<Release>,
    /// The TCP port that its release listens on, on loopback.
    pub port: Option<u16>,
    /// Its Erlang node name.
    pub node: String,
    /// Its process, while there is one.
    pub pid: Option<u32>,
    /// When its process started.
    pub since: Option<Timestamp>,
    /// How often it was started again since the release was last healthy for a minute.
    pub restarts: u32,
    /// What the last health check said; absent where it is not checked.
    pub health: Option<Health>,
    /// How its process ended last: "exited with status 1", "was killed by SIGKILL".
    pub last_exit: Option<String>,
    /// What it is kept as for the next rollback; absent where it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<Standby>,
}

/// The outcome of a health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// Whether it passed.
    pub healthy: bool,
    /// What was seen: "200 in 3 ms", "connection refused".
    pub detail: String,
    /// Since when it has said so.
    pub since: Timestamp,
}

/// The daemon itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DaemonStatus {
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started_at: Timestamp,
    /// Every app, by name.
    pub apps: Vec<AppStatus>,
    /// Configuration files that could not be read; the apps in them go on as they were.
    pub problems: Vec<Problem>,
}
