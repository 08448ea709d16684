//! What a way down cannot bring back, and what it takes away.

use vial_protocol::Effect;

use super::modify::{self, Modified};
use super::phrase;
use crate::change::{Change, Fill, Shape, Unique, What};
use crate::run::Trace;

/// What the changes of a way down lose.
pub(super) fn loses(down: &[Change]) -> Vec<String> {
    // What is part of a table that goes, or comes back, is said with the table.
    let whole_tables: Vec<_> = down
        .iter()
        .filter(|it| matches!(it.what, What::DropTable { .. } | What::CreateTable { .. }))
        .filter_map(|it| it.what.table())
        .collect();
    let is_part = |it: &&Change| match &it.what {
        What::DropTable { .. } | What::CreateTable { .. } => false,
        what => what.table().is_some_and(|table| whole_tables.contains(&table)),
    };
    down.iter().filter(|it| !is_part(it)).filter_map(lost).collect()
}

fn lost(change: &Change) -> Option<String> {
    Some(match &change.what {
        What::DropTable { table } => {
            format!("{} is dropped with what is in it", phrase::table(table))
        }
        What::CreateTable { table } => format!("{} comes back empty", phrase::table(table)),
        What::RemoveColumn { table, column, .. } => {
            format!("{} is dropped with its values", phrase::column(table, column))
        }
        What::AddColumn { table, column, fill, .. } => {
            let name = phrase::column(table, column);
            match fill {
                Fill::Null => format!("{name} comes back empty"),
                Fill::Default => format!("{name} comes back with its default"),
                Fill::Refused => format!(
                    "{name} comes back only while {} is empty: it may not be null and has no \
                     default",
                    phrase::table(table)
                ),
            }
        }
        What::ModifyColumn { table, column, to, from } => {
            narrows(&phrase::column(table, column), to, from.as_ref())?
        }
        What::CreateIndex { table, columns, unique: true } => format!(
            "the unique index on {} comes back only where no two rows are alike in it",
            phrase::indexed(table, columns)
        ),
        // As it may have been unique, it may refuse too, but nothing says so.
        What::DropIndex { unique: Unique::Yes | Unique::No | Unique::Unsaid, .. } => return None,
        What::AddConstraint { table, name } => format!(
            "{} on {} comes back only where every row meets it",
            phrase::constraint(name),
            phrase::table(table)
        ),
        What::Unread { .. } | What::Raise => {
            format!("going down, it {}", phrase::phrase(change)?)
        }
        What::Other { effect, phrase: said } if *effect != Effect::Additive => {
            format!("going down, it {}", crate::bound::cut(said, crate::bound::LONGEST_PHRASE))
        }
        _ => return None,
    })
}

/// What a column loses that goes back to what it was.
fn narrows(column: &str, to: &Shape, from: Option<&Shape>) -> Option<String> {
    match modify::modified(to, from) {
        Modified::NotNull => {
            Some(format!("{column} forbids null again, which fails where it is null"))
        }
        Modified::Type => Some(match &to.kind {
            Some(kind) => format!(
                "{column} goes back to {}, which fails or cuts where a value does not fit",
                crate::bound::name(kind)
            ),
            None => format!("{column} goes back to another type, which may fail"),
        }),
        Modified::Reference => {
            Some(format!("{column} is a foreign key again, which fails where a row is missing"))
        }
        Modified::Unsaid => Some(format!("{column} is modified again, which may fail")),
        Modified::Same | Modified::Widened | Modified::Loosened => None,
        Modified::OnDelete | Modified::Refuses => None,
    }
}

/// What the way up took, and a `down` that somebody wrote does not bring back.
pub(super) fn stays(up: &Trace, down: &[Change]) -> Vec<String> {
    let did = up.steps.iter().any(|step| !step.does.is_empty());
    if down.is_empty() && did {
        return vec!["its down does nothing: what was changed stays".to_owned()];
    }
    // What cannot be read may bring it back.
    if down.iter().any(|it| matches!(it.what, What::Unread { .. })) {
        return Vec::new();
    }
    // What may not have been taken is not said to be missing.
    let sure = up.steps.iter().filter(|step| step.sure).flat_map(|step| &step.does);
    sure.filter(|change| !change.fresh)
        .filter_map(|change| match &change.what {
            What::RemoveColumn { table, column, .. } => {
                let back = down.iter().any(|it| match &it.what {
                    What::AddColumn { table: one, column: two, .. } => {
                        (one, two) == (table, column)
                    }
                    What::RenameColumn { table: one, to, .. } => (one, to) == (table, column),
                    What::CreateTable { table: one } => one == table,
                    _ => false,
                });
                (!back).then(|| format!("{} does not come back", phrase::column(table, column)))
            }
            What::DropTable { table } => {
                let back = down.iter().any(|it| match &it.what {
                    What::CreateTable { table: one } | What::RenameTable { to: one, .. } => {
                        one == table
                    }
                    _ => false,
                });
                (!back).then(|| format!("{} does not come back", phrase::table(table)))
            }
            _ => None,
        })
        .collect()
}
