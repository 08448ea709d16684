//! What a caller asks for.

use serde::{Deserialize, Serialize};

use crate::migration::Moved;
use crate::{EnvironmentChoice, MigrationChoice, Slot};

/// The header that makes a repeated request one request: the answer to the first is given again.
/// 1 to 64 printable ASCII characters, new for each thing that a person asks for.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// `POST /v1/apps/{app}/rollback`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// What shall become of the migrations that the target does not know. Needed only where one of
    /// them is destructive.
    pub migrations: Option<MigrationChoice>,
    /// Which values its release starts with.
    pub env: EnvironmentChoice,
    /// Go ahead where Vial would ask: keep the migrations where nothing else was said.
    pub force: bool,
}

/// The query of `POST /v1/apps/{app}/deployments`, whose body is the release as a tar archive,
/// gzipped or plain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::IntoParams), into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct Deploy {
    /// Why, for the history.
    pub reason: Option<String>,
    /// Go ahead where the release brings a destructive migration: until the switch, the release
    /// that serves meets a schema that it does not know.
    pub allow_destructive: bool,
}

/// `POST /v1/apps/{app}/builds`: builds a commit of the app's repository and deploys it. With neither
/// a ref nor a deployment, the tip of the configured branch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = AskBuild))]
#[serde(deny_unknown_fields, default)]
pub struct Build {
    /// A branch, a tag or a whole commit id: a deploy.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The deployment whose commit is built afresh: a redeploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<u64>,
    /// Go ahead where the release brings a destructive migration.
    pub allow_destructive: bool,
    /// Why, for the history.
    pub reason: Option<String>,
    /// Whether a push to a repository on this host brought it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub push: bool,
}

/// `POST /v1/apps/{app}/restart`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Restart {
    /// Stop and start in the same slot, with an interruption, instead of a deployment.
    pub in_place: bool,
    /// Why, for the history.
    pub reason: Option<String>,
}

/// `POST /v1/apps/{app}/rpc` and `/eval`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evaluated {
    /// Standard output and standard error as they came, untrusted; at most 1 MiB.
    pub output: String,
    /// The script's exit status; absent where a signal ended it.
    pub status: Option<i32>,
    /// Whether output was left out.
    pub truncated: bool,
}

/// `POST /v1/apps/{app}/migrations`: moves the database by the migrations of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// The release that has their files, by its number; the one that serves where absent.
    #[serde(default)]
    pub release: Option<u64>,
    /// Down to before this version: it is the last that is reverted. Either this or `up`.
    #[serde(default)]
    pub down_to: Option<u64>,
    /// Up, all of them. Either this or `down_to`.
    #[serde(default)]
    pub up: bool,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Migrated {
    /// The release that did it, by its number.
    pub release: u64,
    /// What was moved, in that order.
    pub moved: Vec<Moved>,
    /// What was done, for a person.
    pub message: String,
}

/// `POST /v1/down` and `/v1/up`: what became of the apps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Together {
    /// Those that stop, or start, now.
    pub apps: Vec<String>,
    /// What was done, for a person.
    pub message: String,
}

/// The header in which an application's own console says where a request comes from: the name of
/// its node, `shop_blue@127.0.0.1`. It is written beside the actor, and trusted for nothing.
pub const ORIGIN: &str = "vial-origin";

/// What was accepted: the deployment that now is in progress or waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Accepted {
    /// Its number; absent where no deployment came of it (`stop`, `start`, `restart --in-place`).
    pub deployment: Option<u64>,
    /// What was done, for a person.
    pub message: String,
}
