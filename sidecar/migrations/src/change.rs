//! What a migration does, command by command, and how Ecto turns a command round.

use vial_protocol::Effect;

/// A table's, column's or other thing's name; `None` where it is made at run time.
pub(crate) type Name = Option<String>;

/// Stands in text for what is put into it at run time and cannot be read.
pub(crate) const HOLE: char = '\0';

/// One call of Ecto's, or one thing that cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    /// An `alter` is one step for each of its columns, SQL one step for all of its statements.
    pub(crate) does: Vec<Change>,
    pub(crate) back: Back,
    /// Whether it happens each time, not only under a condition that cannot be read.
    pub(crate) sure: bool,
}

/// What becomes of a step when `change` runs backward.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Back {
    /// Ecto turns it round, or raises: [`What::turned`] says which.
    Turned,
    /// Ecto raises.
    Raises,
    /// It was written beside it, as in `execute/2`.
    Written(Vec<Change>),
    /// It is no command: it runs again as it is.
    Again,
    /// It cannot be told.
    Unclear,
}

/// What happens to one thing in the database.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) what: What,
    /// Whether the table was created by the same migration, so that no older code knows it.
    pub(crate) fresh: bool,
    /// Whether all of its names could be read.
    pub(crate) clear: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What {
    CreateTable {
        table: Name,
    },
    DropTable {
        table: Name,
    },
    RenameTable {
        from: Name,
        to: Name,
    },
    AddColumn {
        table: Name,
        column: Name,
        fill: Fill,
        if_missing: bool,
    },
    RemoveColumn {
        table: Name,
        column: Name,
        returns: Option<Fill>,
        if_there: bool,
    },
    ModifyColumn {
        table: Name,
        column: Name,
        to: Shape,
        from: Option<Shape>,
    },
    RenameColumn {
        table: Name,
        from: Name,
        to: Name,
    },
    CreateIndex {
        table: Name,
        columns: String,
        unique: bool,
    },
    DropIndex {
        table: Name,
        columns: String,
        unique: Unique,
    },
    RenameIndex {
        from: Name,
        to: Name,
    },
    AddConstraint {
        table: Name,
        name: Name,
    },
    DropConstraint {
        table: Name,
        name: Name,
    },
    /// Whatever else SQL says that can be read.
    Other {
        effect: Effect,
        phrase: String,
    },
    /// What cannot be read.
    Unread {
        phrase: String,
    },
    /// It raises, so that the migration fails.
    Raise,
    /// `flush()`, which raises in a `change` that runs backward.
    Flush,
}

/// What a new column holds in rows whose writer does not know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// Null.
    Null,
    /// Its default, or what the database makes.
    Default,
    /// Nothing: it may not be null, and such a row is refused.
    Refused,
}

/// Whether an index that is dropped is unique. Ecto drops by name, so `index` does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unique {
    Yes,
    No,
    Unsaid,
}

/// A column's type and options, as far as `modify` gives them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Shape {
    /// The type with its size, as people say it; `None` where it is left as it is or unreadable.
    pub(crate) kind: Name,
    pub(crate) null: Option<bool>,
    pub(crate) default: bool,
    /// The table that it refers to, with what happens there on a delete.
    pub(crate) refers: Option<(Name, String)>,
}

impl What {
    /// The table that it is about, and that a statement before it may have created.
    pub(crate) fn table(&self) -> Option<&str> {
        match self {
            What::CreateTable { table }
            | What::DropTable { table }
            | What::RenameTable { from: table, .. }
            | What::AddColumn { table, .. }
            | What::RemoveColumn { table, .. }
            | What::ModifyColumn { table, .. }
            | What::RenameColumn { table, .. }
            | What::CreateIndex { table, .. }
            | What::DropIndex { table, .. }
            | What::AddConstraint { table, .. }
            | What::DropConstraint { table, .. } => table.as_deref(),
            _ => None,
        }
    }

    fn names_are_known(&self) -> bool {
        match self {
            What::CreateTable { table } | What::DropTable { table } => table.is_some(),
            What::RenameTable { from, to } | What::RenameIndex { from, to } => {
                from.is_some() && to.is_some()
            }
            What::AddColumn { table, column, .. }
            | What::RemoveColumn { table, column, .. }
            | What::ModifyColumn { table, column, .. } => table.is_some() && column.is_some(),
            What::RenameColumn { table, from, to } => {
                table.is_some() && from.is_some() && to.is_some()
            }
            What::CreateIndex { table, .. }
            | What::DropIndex { table, .. }
            | What::AddConstraint { table, .. }
            | What::DropConstraint { table, .. } => table.is_some(),
            What::Other { phrase, .. } => !phrase.contains(HOLE),
            What::Unread { .. } | What::Raise | What::Flush => true,
        }
    }

    /// A change that no statement before it is related to.
    pub(crate) fn alone(self) -> Change {
        let clear = self.names_are_known();
        Change { what: self, fresh: false, clear }
    }

    /// What `Ecto.Migration.Runner` makes of it when `change` runs backward; `None` where it
    /// raises. This is its `reverse/1` and `table_reverse/2`, clause by clause.
    pub(crate) fn turned(&self) -> Option<What> {
        Some(match self.clone() {
            What::CreateTable { table } => What::DropTable { table },
            What::RenameTable { from, to } => What::RenameTable { from: to, to: from },
            What::AddColumn { table, column, if_missing: false, .. } => {
                What::RemoveColumn { table, column, returns: None, if_there: false }
            }
            What::RemoveColumn { table, column, returns: Some(fill), if_there: false } => {
                What::AddColumn { table, column, fill, if_missing: false }
            }
            What::ModifyColumn { table, column, to, from: Some(from) } => {
                What::ModifyColumn { table, column, to: from, from: Some(to) }
            }
            What::RenameColumn { table, from, to } => {
                What::RenameColumn { table, from: to, to: from }
            }
            What::CreateIndex { table, columns, unique } => {
                let unique = if unique { Unique::Yes } else { Unique::No };
                What::DropIndex { table, columns, unique }
            }
            What::DropIndex { table, columns, unique } => {
                What::CreateIndex { table, columns, unique: unique == Unique::Yes }
            }
            What::RenameIndex { from, to } => What::RenameIndex { from: to, to: from },
            What::AddConstraint { table, name } => What::DropConstraint { table, name },
            _ => return None,
        })
    }
}

/// An index that SQL drops by its constraint's name.
pub(crate) fn is_key(name: &str) -> bool {
    let name = name.to_lowercase();
    name.ends_with("_pkey") || name.ends_with("_key") || name.contains("uniq") || name == "primary"
}
