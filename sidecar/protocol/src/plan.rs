//! What a person agrees to before something changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::release::Migration;
use crate::{Release, Slot};

/// What a rollback would do, if it were asked for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The app.
    pub app: String,
    /// The release that serves now.
    pub from: Release,
    /// The deployment that made it active.
    pub from_deployment: u64,
    /// The release that would serve.
    pub to: Release,
    /// The deployment that last made that release active.
    pub to_deployment: u64,
    /// When that release last took the traffic.
    pub to_last_live_at: Option<Timestamp>,
    /// The slot that it would use.
    pub slot: Slot,
    /// Whether the release still runs there, so that only the switch is left to do.
    pub hot: bool,
    /// The deployment in progress that would be cancelled first.
    pub cancels: Option<u64>,
    /// Migrations that the current release brought and the target does not know. They stay.
    pub migrations: Vec<Migration>,
    /// Identifies this plan: a request that carries it is refused if the plan has changed since.
    pub digest: String,
}
