//! Logs as they are read: a slot's, and that of a build.

use serde::{Deserialize, Serialize};

use crate::Slot;

/// Part of a slot's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogChunk {
    /// Which slot wrote it.
    pub slot: Slot,
    /// Whole lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to read on: the offset after the last line, a count of bytes that never moves back.
    pub cursor: u64,
    /// How many bytes before these lines were asked for and are no longer kept.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub gap: u64,
}

/// Part of what a deployment's build printed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BuildChunk {
    /// The deployment.
    pub number: u64,
    /// Whole lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to read on.
    pub cursor: u64,
    /// Whether the build has ended, and these are its last lines.
    pub ended: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_nothing(gap: &u64) -> bool {
    *gap == 0
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// The offset of its first byte in the slot's log.
    pub at: u64,
    /// Its text without the line break; bytes that are not UTF-8 are replaced. Untrusted.
    pub text: String,
}
