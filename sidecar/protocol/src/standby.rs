//! What an idle slot is kept ready as, and what the release in a slot says of its own work.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What an idle slot does after it was drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StandbyMode {
    /// It is stopped.
    Cold,
    /// Its release runs, without traffic.
    Warm,
    /// Its release came to rest and was stopped by SIGSTOP: it takes memory, and no processor.
    Frozen,
}

impl StandbyMode {
    /// The word, as in JSON, in configuration files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            StandbyMode::Cold => "cold",
            StandbyMode::Warm => "warm",
            StandbyMode::Frozen => "frozen",
        }
    }
}

impl std::fmt::Display for StandbyMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for StandbyMode {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "cold" => Ok(StandbyMode::Cold),
            "warm" => Ok(StandbyMode::Warm),
            "frozen" => Ok(StandbyMode::Frozen),
            other => Err(format!("{other:?} is no standby: cold, warm or frozen")),
        }
    }
}

/// What an idle slot is kept as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Standby {
    /// `warm` or `frozen`; a cold slot has no standby.
    pub mode: StandbyMode,
    /// Whether it is so: while it is not, its release starts, or comes to rest.
    pub ready: bool,
    /// Since when it is ready; until then, since when it is on its way.
    pub since: Timestamp,
    /// When it is stopped.
    pub until: Timestamp,
    /// How long a rollback to it takes until its release serves, in milliseconds: as long as the
    /// last ones of its kind did; absent where there were none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_ms: Option<u64>,
}

/// `POST /v1/apps/{app}/standby`: what the idle slot shall do from now on, until the next deployment
/// uses it. Where nothing runs in it, the release that a rollback would go to is started for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct KeepStandby {
    /// What it shall do.
    pub mode: StandbyMode,
    /// How long, before it is stopped, in milliseconds: 1 s to 24 h; as the app's file says where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
}

/// `POST /v1/apps/{app}/slots/{slot}/rest`: what the library in a slot's release says of the work that
/// it does beside requests: queues, timers, transactions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// `VIAL_RUN` of the release's environment: what another start says does not count.
    pub run: String,
    /// The revision of the status that it speaks of: that it is at rest counts only where it has
    /// seen that its slot shall be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Whether it is at rest: every callback for standby was called and ended well.
    pub rested: bool,
    /// Whether it stays so until it is answered: it holds every database connection. Only then it
    /// can be frozen, and it is answered when it has been thawed, or at once where it is not frozen.
    #[serde(default)]
    pub holds: bool,
    /// What it waits for, or what went wrong: "Shop.Repo has an open transaction".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The answer to [`Rest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rested {
    /// Whether it was frozen meanwhile.
    pub frozen: bool,
}
