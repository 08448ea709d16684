//! As much SQL as is plain to read: what tables, columns, indexes and constraints become of it.
//!
//! [`read`] makes the same [`What`]s of a statement that Ecto's commands are; [`alter`] does it for
//! `ALTER TABLE`. A statement that is not wholly known is one that cannot be read.

mod alter;
mod cursor;
mod statement;
mod token;

use crate::change::What;

/// What is said of SQL of which nothing more can be told.
pub(crate) const UNREAD: &str = "executes SQL that Vial cannot read";

/// What the statements of a text do.
pub(crate) fn read(text: &str) -> Vec<What> {
    match token::statements(text) {
        Some(statements) => statements.iter().flat_map(|it| statement::read(it)).collect(),
        None => vec![unread()],
    }
}

fn unread() -> What {
    What::Unread { phrase: UNREAD.to_owned() }
}
