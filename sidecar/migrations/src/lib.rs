//! Reads an Ecto migration's text, without running any of it: what it does, whether Ecto can turn
//! it back, and what that loses. Pure: no I/O.
//!
//! ```text
//! text → syntax   tree-sitter's nodes → a small tree in the manner of Elixir's own
//!      → module   the modules of the file; the first that is a migration is the one Ecto runs
//!      → run      its functions, run without effects: commands become steps (`sql` reads SQL)
//!      → judge    steps → effect, way down, phrases
//!      = Reading
//! ```
//!
//! The text comes from whoever deploys: it is bounded everywhere, and what is not wholly understood
//! is said to be unknown. Destructive beats unknown, and unknown beats additive.
//!
//! # What a change does to code that does not know it
//!
//! The question is whether the release before the migration works on with the schema after it. Ecto
//! names each column that it reads or writes, so what is added beside them goes unseen.
//!
//! | change | effect | because older code |
//! |---|---|---|
//! | a table is created | additive | does not name it |
//! | anything on a table that the same migration created | additive | does not know the table; `create_if_not_exists` is taken at its word, and a table created only under a condition is not new after it |
//! | a table or column is dropped or renamed | destructive | reads and writes it |
//! | a column is added that may be null, has a default, or is made by the database (`generated`, serial types) | additive | leaves it out when it inserts |
//! | a column is added with `null: false` or as primary key, without a default | destructive | has its inserts refused; so with `timestamps()` on a table that is there |
//! | a column is added that refers to another table and may be null | additive | leaves it null; once newer code has filled it, a delete over there may be refused |
//! | an index is created | additive | writes a little slower |
//! | a unique index or a constraint is created, `validate: false` too | destructive | may write what is refused |
//! | a column becomes a reference | destructive | may write what is refused |
//! | what a delete does to a reference changes | unknown, destructive where it is refused from now on | may count on the one or the other |
//! | a column's type changes, or there is no `from:` to compare it with | destructive | reads and writes the old type |
//! | a column's type becomes wider by its `from:`: string to text, integer to bigint, a larger size, more digits before the point | additive | writes nothing that does not fit; what newer code wrote is of the same Elixir type |
//! | null is forbidden | destructive | may write it |
//! | null is allowed, with the type known to stay | additive | may read a null that newer code wrote, and still writes what fits |
//! | null is allowed or a default changes, without `from:` | unknown | may or may not meet another type |
//! | an index is dropped | unknown | may need it as a conflict's target. Ecto drops by name, so `drop index(…)` drops unique ones too; additive only with a method, such as `gin`, that cannot be unique, or with `unique: false` |
//! | an index is renamed | unknown | knows violations, and conflicts' targets, by its name |
//! | a constraint is dropped | additive | had been held to it anyway; unknown where its name says that it is a key or unique |
//! | a table's or column's name is made at run time | unknown | but what is destructive with any name stays destructive |
//! | rows are inserted, changed or deleted; a trigger is made or dropped | unknown | may depend on them |
//! | a table is emptied; a view, type, function, extension, schema or sequence is dropped | destructive | may use it |
//! | one of these is created, or a type gets another value | additive | does not name it; unknown with `or replace` |
//! | other SQL, SQL from a file, a call of what is not in the file, an error that is raised | unknown | |
//! | comments, settings, grants, statistics, the validation of a constraint | nothing | |
//!
//! The tables of Oban, ErrorTracker and Beacon are known by their functions `up` and `down`.
//!
//! # Whether there is a way down
//!
//! As `Ecto.Migrator` decides it: `down` where there is one, else `change` backward. A `down` that
//! raises is none. `change` is turned round command by command as `Ecto.Migration.Runner` does it:
//! dropped tables and constraints, `remove/1`, `modify` without `from:`, `add_if_not_exists`,
//! `remove_if_exists`, `execute/1` and `flush` cannot be. What happens only under a condition that
//! cannot be read leaves it unknown; `direction()` can be read. Code that is called rather than
//! queued, such as `repo().query!`, runs again in the same direction, which leaves it unknown too.

mod bound;
mod change;
mod judge;
mod module;
mod run;
mod sql;
mod syntax;

pub use vial_protocol::{Effect, Reversal};

use judge::Shown;
use run::{Direction, Run};

/// What reading a migration's file has shown; the fields are those of
/// [`vial_protocol::Migration`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What its way up does to code that does not know it.
    pub effect: Effect,
    /// Whether there is a way down.
    pub reversal: Reversal,
    /// What its way up does, those that decided `effect` first.
    pub does: Vec<String>,
    /// What its way down cannot bring back, or takes away.
    pub loses: Vec<String>,
}

/// Reads the text of a migration's file.
///
/// It never panics, and takes bounded time and stack, whatever the text. Phrases are short, few,
/// and without control characters.
///
/// ```
/// use vial_migrations::{Effect, Reversal, read};
///
/// let reading = read(
///     "defmodule Shop.Repo.Migrations.DropName do
///        use Ecto.Migration
///
///        def change do
///          alter table(:users) do
///            remove :name, :string
///          end
///        end
///      end",
/// );
/// assert_eq!(reading.effect, Effect::Destructive);
/// assert_eq!(reading.reversal, Reversal::Reversible);
/// assert_eq!(reading.does, ["drops users.name"]);
/// assert_eq!(reading.loses, ["users.name comes back empty"]);
/// ```
#[must_use]
pub fn read(source: &str) -> Reading {
    let Some(file) = syntax::parse(source) else {
        return judge::unreadable("is longer or stranger than Vial reads");
    };
    let modules = module::modules(&file.body);
    // The first one compiled is the one that Ecto runs.
    let Some(module) = modules.iter().find(|module| module.is_migration()) else {
        let why = if file.whole { "has no migration that Vial can read" } else { bound::NO_SYNTAX };
        return judge::unreadable(why);
    };
    let run = |function: &str, direction| {
        module.has(function, 0).then(|| Run::new(&modules, module, direction).function(function))
    };
    judge::judge(&Shown {
        up: run("up", Direction::Up).or_else(|| run("change", Direction::Up)),
        down: run("down", Direction::Down),
        back: run("change", Direction::Down),
        whole: file.whole,
    })
}
