//! What a person agrees to before something changes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{EnvironmentPlan, MigrationChoice, Release, Slot, Standby, Standing};

/// What a rollback would do, if it were asked for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What it is kept as there; absent where it is not, or not yet ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standby: Option<Standby>,
    /// How long the release served then, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_served_ms: Option<u64>,
    /// How healthily, as far as the history knows: "without a restart", "started again 3 times".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_health: Option<String>,
    /// How long it will take until the release serves, in milliseconds: as long as the last ones of
    /// its kind did; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
    /// The deployment in progress that would be cancelled first.
    pub cancels: Option<u64>,
    /// Migrations that the current release brought and the target does not know, oldest first.
    pub migrations: Vec<Standing>,
    /// Migrations that the target brings and the current release does not know, oldest first: the
    /// way goes forward, and where the app has `migrate` it runs before the target starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applies: Vec<Standing>,
    /// What happens to the database.
    pub database: DatabasePlan,
    /// What its release starts with.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub environment: EnvironmentPlan,
    /// What a person should know before they agree, most urgent first: whole sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Identifies this plan: a request that carries it is refused if the plan has changed since.
    pub digest: String,
}

/// What a rollback does to the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum DatabasePlan {
    /// No migration stands between the two releases.
    Unchanged,
    /// The migrations stay, as asked for, or because none of them is known to be destructive.
    Keep,
    /// They are reverted in the release that is left, before the switch.
    Revert {
        /// Their versions, in the order in which they are reverted: newest first.
        versions: Vec<u64>,
    },
    /// A destructive one stands in the way, and nobody said what shall become of it. A rollback
    /// is refused until somebody does.
    Choose {
        /// What can be answered: `revert` is missing where one of them has no way down.
        choices: Vec<MigrationChoice>,
    },
}
