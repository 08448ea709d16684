//! x
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
#[must_use]
pub fn read(source: &str) -> Reading {
    let Some(file) = syntax::parse(source) else {
        return judge::unreadable("is longer or stranger than Vial reads");
    };
    let modules = module::modules(&file.body);
    // The first one compiled is the one that Ecto runs.
    let Some(module) = modules.iter().find(|module| module.is_migration()) else {
        let why = if file.whole { "has no migration that Vial can read" } else { judge::NO_SYNTAX };
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
