//! What the tests of this folder share.

use jiff::Timestamp;
use vial_protocol::Release;

/// A release that brings no migration.
pub(super) fn release_of(number: u64) -> Release {
    Release {
        number,
        name: "shop".into(),
        version: format!("{number}.0.0"),
        sha256: String::new(),
        size: 1,
        erts: None,
        elixir: None,
        migrations: Vec::new(),
        unpacked_at: Timestamp::UNIX_EPOCH,
        commit: None,
    }
}
