//! What a release says of itself.

use vial_protocol::Migration;

/// A release as it was found when it was unpacked. Name and versions are of a safe alphabet; the
/// names of migrations and their folders are text without control characters, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its name: `bin/NAME` is its script.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of the bytes as they were received, lowercase hex.
    pub sha256: String,
    /// Bytes of all its files.
    pub size: u64,
    /// The version of its own Erlang; `None` if it uses the host's.
    pub erts: Option<String>,
    /// The version of the Elixir inside.
    pub elixir: Option<String>,
    /// Its migration files, oldest first.
    pub migrations: Vec<Migration>,
}
