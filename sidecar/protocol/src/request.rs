//! What a caller asks for.

use serde::{Deserialize, Serialize};

use crate::Slot;

/// The header that makes a repeated request one request: the answer to the first is given again.
/// 1 to 64 printable ASCII characters, new for each thing that a person asks for.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// `POST /v1/apps/{app}/rollback`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rollback {
    /// The deployment whose release shall serve; the previous release where absent.
    pub to: Option<u64>,
    /// Why, for the history.
    pub reason: Option<String>,
    /// Cancel a deployment in progress first.
    pub cancel: bool,
    /// The digest of the plan that the caller saw; unchecked where absent.
    pub digest: Option<String>,
}

/// The query of `POST /v1/apps/{app}/deployments`, whose body is the release as a tar archive,
/// gzipped or plain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deploy {
    /// Why, for the history.
    pub reason: Option<String>,
}

/// `POST /v1/apps/{app}/restart`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Restart {
    /// Stop and start in the same slot, with an interruption, instead of a deployment.
    pub in_place: bool,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// `POST /v1/apps/{app}/rpc` and `/eval`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluate {
    /// An Elixir expression.
    pub expression: String,
    /// The slot to ask; the active one where absent.
    #[serde(default)]
    pub slot: Option<Slot>,
}

/// What the release's script printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluated {
    /// Standard output and standard error as they came, untrusted; at most 1 MiB.
    pub output: String,
    /// The script's exit status; absent where a signal ended it.
    pub status: Option<i32>,
    /// Whether output was left out.
    pub truncated: bool,
}

/// What was accepted: the deployment that now is in progress or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its number; absent where no deployment came of it (`stop`, `start`, `restart --in-place`).
    pub deployment: Option<u64>,
    /// What was done, for a person.
    pub message: String,
}
