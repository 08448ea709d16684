//! A release as its manifest describes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Migration;

/// An unpacked, immutable `mix release` folder under Vial's care.
///
/// `name`, `version` and the names of migrations were written by whoever made the archive:
/// untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Release {
    /// The number of the deployment that brought it; unique in the app.
    pub number: u64,
    /// The release's name: `bin/NAME` is its script.
    pub name: String,
    /// Its version, as `mix.exs` gave it.
    pub version: String,
    /// SHA-256 of the archive as it was received (uncompressed tar bytes as sent), lowercase hex.
    pub sha256: String,
    /// Bytes that its files take when unpacked.
    pub size: u64,
    /// The version of the Erlang run-time system inside, where the release brings one.
    pub erts: Option<String>,
    /// The version of Elixir inside.
    pub elixir: Option<String>,
    /// The migrations that it brings, oldest first.
    pub migrations: Vec<Migration>,
    /// When it was unpacked.
    pub unpacked_at: Timestamp,
    /// The commit it was built from, where Vial built it.
    pub commit: Option<String>,
}

impl Release {
    /// How people name it: `v1.4.2`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("v{}", self.version)
    }
}
