//! A change in words.

use super::modify::{self, Modified};
use crate::bound::name as clean;
use crate::change::{Change, Fill, Name, Unique, What};

/// `users`, or that it cannot be read.
pub(crate) fn table(name: &Name) -> String {
    name.as_deref().map_or_else(|| "a table whose name Vial cannot read".to_owned(), clean)
}

/// `users.name`
pub(crate) fn column(table: &Name, column: &Name) -> String {
    match (table, column) {
        (Some(table), Some(column)) => format!("{}.{}", clean(table), clean(column)),
        (Some(table), None) => format!("a column of {} whose name Vial cannot read", clean(table)),
        (None, Some(column)) => {
            format!("{} of a table whose name Vial cannot read", clean(column))
        }
        (None, None) => "a column whose name Vial cannot read".to_owned(),
    }
}

/// `users (email, org_id)`
pub(super) fn indexed(name: &Name, columns: &str) -> String {
    match columns {
        "" => table(name),
        columns => format!("{} ({})", table(name), clean(columns)),
    }
}

pub(super) fn constraint(name: &Name) -> String {
    name.as_deref()
        .map_or_else(|| "a constraint".to_owned(), |it| format!("the constraint {}", clean(it)))
}

/// `None` for what there is nothing to say of.
pub(super) fn phrase(change: &Change) -> Option<String> {
    let other = |name: &Name| {
        name.as_deref().map_or_else(|| "a name that Vial cannot read".to_owned(), clean)
    };
    Some(match &change.what {
        What::CreateTable { table: name } => match name {
            Some(name) => format!("creates the table {}", clean(name)),
            None => "creates a table whose name Vial cannot read".to_owned(),
        },
        What::DropTable { table: name } => match name {
            Some(name) => format!("drops the table {}", clean(name)),
            None => "drops a table whose name Vial cannot read".to_owned(),
        },
        What::RenameTable { from, to } => match from {
            Some(from) => format!("renames the table {} to {}", clean(from), other(to)),
            None => "renames a table whose name Vial cannot read".to_owned(),
        },
        What::AddColumn { table, column: name, fill, .. } => match fill {
            Fill::Refused if !change.fresh => {
                format!("adds {}, which may not be null and has no default", column(table, name))
            }
            _ => format!("adds {}", column(table, name)),
        },
        What::RemoveColumn { table, column: name, .. } => format!("drops {}", column(table, name)),
        What::RenameColumn { table, from, to } => {
            format!("renames {} to {}", column(table, from), other(to))
        }
        What::ModifyColumn { table, column: name, to, from } => {
            let column = column(table, name);
            let kind = to.kind.as_deref().map(clean);
            let old = from.as_ref().and_then(|it| it.kind.as_deref()).map(clean);
            match (modify::modified(to, from.as_ref()), kind, old) {
                (Modified::NotNull, ..) => format!("forbids null in {column}"),
                (Modified::Reference, ..) => format!("adds a foreign key on {column}"),
                (Modified::Refuses, ..) => format!("makes {column} refuse deletes"),
                (Modified::OnDelete, ..) => {
                    format!("changes what a delete does to {column}")
                }
                (Modified::Loosened, ..) if to.refers.is_none() && to.null == Some(true) => {
                    format!("allows null in {column}")
                }
                (Modified::Loosened | Modified::Same | Modified::Unsaid, ..) => {
                    format!("modifies {column}")
                }
                (Modified::Widened, Some(kind), Some(old)) => {
                    format!("widens {column} from {old} to {kind}")
                }
                (_, Some(kind), Some(old)) => {
                    format!("changes the type of {column} from {old} to {kind}")
                }
                (_, Some(kind), None) => format!("changes the type of {column} to {kind}"),
                (_, None, _) => format!("changes the type of {column}"),
            }
        }
        What::CreateIndex { table, columns, unique: true } => {
            format!("adds a unique index on {}", indexed(table, columns))
        }
        What::CreateIndex { table, columns, unique: false } => {
            format!("adds an index on {}", indexed(table, columns))
        }
        What::DropIndex { table, columns, unique } => {
            let on = indexed(table, columns);
            match unique {
                Unique::Yes => format!("drops the unique index on {on}"),
                Unique::No => format!("drops the index on {on}"),
                Unique::Unsaid => format!("drops the index on {on}, which may have been unique"),
            }
        }
        What::RenameIndex { from, to } => {
            let from = from.as_deref().map(clean).unwrap_or_default();
            format!("renames the index {from} to {}", other(to))
        }
        What::AddConstraint { table: name, name: called } => match called {
            Some(_) => format!("adds {} on {}", constraint(called), table(name)),
            None => format!("adds a constraint on {}", table(name)),
        },
        What::DropConstraint { table: name, name: called } => {
            format!("drops {} on {}", constraint(called), table(name))
        }
        What::Other { phrase, .. } | What::Unread { phrase } => clean_phrase(phrase),
        What::Raise => "raises an error".to_owned(),
        What::Flush => return None,
    })
}

/// Phrases that were made with a name in them are longer than one.
fn clean_phrase(phrase: &str) -> String {
    crate::bound::cut(phrase, crate::bound::LONGEST_PHRASE)
}
