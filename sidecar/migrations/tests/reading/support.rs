//! How a migration is written in the tests.

use vial_migrations::{Effect, Reading, Reversal, read};

pub use vial_migrations::Effect::{Additive, Destructive, Unknown};
pub use vial_migrations::Reversal::{Irreversible, Reversible};

pub const UNCLEAR: Reversal = Reversal::Unknown;

/// A migration's module around these functions.
pub fn migration(functions: &str) -> String {
    format!("defmodule Shop.Repo.Migrations.Change do\n  use Ecto.Migration\n\n{functions}\nend\n")
}

/// Asserts what is read in a file.
#[track_caller]
pub fn file(source: &str, effect: Effect, reversal: Reversal, does: &[&str], loses: &[&str]) {
    let reading = read(source);
    let expected = Reading {
        effect,
        reversal,
        does: does.iter().map(|it| (*it).to_owned()).collect(),
        loses: loses.iter().map(|it| (*it).to_owned()).collect(),
    };
    assert!(reading == expected, "\n{source}\nread     {reading:#?}\nexpected {expected:#?}");
}

/// The same for a migration with these functions.
#[track_caller]
pub fn functions(
    functions: &str,
    effect: Effect,
    reversal: Reversal,
    does: &[&str],
    loses: &[&str],
) {
    file(&migration(functions), effect, reversal, does, loses);
}

/// The same for a migration whose `change` has this body.
#[track_caller]
pub fn change(body: &str, effect: Effect, reversal: Reversal, does: &[&str], loses: &[&str]) {
    functions(&format!("  def change do\n{body}\n  end"), effect, reversal, does, loses);
}
