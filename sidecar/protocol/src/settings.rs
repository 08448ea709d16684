//! What an app's file says, for readers.

use serde::{Deserialize, Serialize};

use crate::Slot;

/// `GET /v1/apps/{app}/settings`: the configuration as the daemon has read it. It is changed in the
/// file, and by `POST /v1/reload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settings {
    /// The file.
    pub file: String,
    /// The user that its releases run as; absent where the daemon is not root.
    pub user: Option<String>,
    /// Host names.
    pub hosts: Vec<String>,
    /// Slots and their ports; empty for a worker.
    pub ports: Vec<Port>,
    /// What the health check asks, in words: "GET /health, 200, within 60 s".
    pub health: String,
    /// Paths that must answer before a switch.
    pub verify: Vec<String>,
    /// How long requests may take to end, in milliseconds.
    pub drain_ms: u64,
    /// How long a slot may take to stop, in milliseconds.
    pub stop_ms: u64,
    /// How long the old slot stays ready after a deploy, in milliseconds.
    pub bake_ms: u64,
    /// What an idle slot does: `cold`, `warm` or `frozen`.
    pub standby: String,
    /// How long it does so before it is stopped, in milliseconds.
    #[serde(default)]
    pub standby_ms: u64,
    /// What starts a release: `script`, its own, or `direct`, Vial itself where it knows how.
    #[serde(default)]
    pub start: String,
    /// When a release loads its modules: `embedded` or `interactive`; absent where the release says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// How many releases are kept.
    pub keep_releases: u32,
    /// What migrates: an expression; absent where nothing does.
    pub migrate: Option<String>,
    /// The Ecto repositories.
    pub repos: Vec<String>,
    /// Where it is built from; absent where it is not.
    pub source: Option<SourceSettings>,
}

/// A slot's port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Port {
    /// Which slot.
    pub slot: Slot,
    /// A TCP port on loopback.
    pub port: u16,
}

/// Where an app is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SourceSettings {
    /// The repository's address, without what would let anybody in.
    pub git: String,
    /// The branch.
    pub branch: String,
    /// The commands.
    pub build: Vec<String>,
    /// The path of its webhook on the address of `[hooks]`; absent where webhooks are not taken.
    pub hook: Option<String>,
}
