//! What the tests of this folder share.

use jiff::Timestamp;
use vial_protocol::{Effect, Migration, Release, Reversal};

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

/// A release that brings a migration of its own beside those of the releases before it: every third
/// destructive, the others additive.
pub(super) fn release_with(number: u64) -> Release {
    let migration = |version: u64| Migration {
        version,
        name: format!("change_{version}"),
        app: "shop".into(),
        folder: "repo/migrations".into(),
        effect: if version.is_multiple_of(3) { Effect::Destructive } else { Effect::Additive },
        reversal: Reversal::Reversible,
        does: vec![format!("changes {version}")],
        loses: Vec::new(),
    };
    Release { migrations: (1..=number).map(migration).collect(), ..release_of(number) }
}
