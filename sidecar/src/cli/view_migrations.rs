//! Which migrations are applied, and which were moved.

use vial_protocol::migration::{Applied, MigrationState, MigrationsReport};
use vial_protocol::request::Migrated;
use vial_protocol::{Effect, Reversal};

use super::look::{Look, Tone};
use super::table::{Cell, Table};
use super::text;

/// A table of what is applied, as one release sees it.
#[must_use]
pub fn render(report: &MigrationsReport, look: &Look) -> String {
    let label = text::word(&report.label);
    if report.migrations.is_empty() {
        return format!("{label} (#{}) brings no migration.", report.release);
    }
    let mut table = Table::new(&["Version", "Name…", "Applied", "Repo", "What it does…"]);
    for it in &report.migrations {
        table.row(row(it));
    }
    format!("As {label} (#{}) sees it:\n{}", report.release, table.render(look, "  "))
}

fn row(it: &MigrationState) -> [Cell; 5] {
    let applied = match it.applied {
        Applied::Up => Cell::new("up", Tone::Good),
        Applied::Down => Cell::new("down", Tone::Warn),
    };
    let name = match &it.name {
        Some(name) => Cell::from(text::word(name)),
        None => Cell::new("(no file in this release)", Tone::Dim),
    };
    let (what, tone) = match &it.migration {
        Some(read) => {
            let what = text::word(&read.does.join(", "));
            let tone = match read.effect {
                Effect::Destructive => Tone::Bad,
                Effect::Unknown => Tone::Warn,
                Effect::Additive => Tone::Plain,
            };
            (what, tone)
        }
        None => (String::new(), Tone::Plain),
    };
    [
        it.version.to_string().into(),
        name,
        applied,
        text::word(&it.repo).into(),
        Cell::new(what, tone),
    ]
}

/// What reverting down to a version would revert and lose.
#[must_use]
pub fn down(report: &MigrationsReport, version: u64, look: &Look) -> String {
    let mut shown = String::new();
    let up = report
        .migrations
        .iter()
        .rev()
        .filter(|it| it.version >= version && it.applied == Applied::Up && it.name.is_some());
    for it in up {
        let name = text::word(it.name.as_deref().unwrap_or_default());
        shown.push_str(&format!("  {} {name} ({})\n", it.version, text::word(&it.repo)));
        let Some(read) = &it.migration else { continue };
        for loss in &read.loses {
            shown.push_str(&format!("    {}\n", look.paint(Tone::Warn, &text::word(loss))));
        }
        if read.reversal == Reversal::Irreversible {
            shown.push_str(&format!("    {}\n", look.paint(Tone::Bad, "it has no way down")));
        }
    }
    if shown.is_empty() {
        return format!("Nothing from {version} on is applied.");
    }
    format!("{} would revert, newest first:\n{shown}", text::word(&report.label))
}

/// What was moved.
#[must_use]
pub fn moved(migrated: &Migrated) -> String {
    let mut shown = text::word(&migrated.message);
    for it in &migrated.moved {
        shown.push_str(&format!("\n  {} ({})", it.version, text::word(&it.repo)));
    }
    shown
}
