//! One statement.

use vial_protocol::Effect;

use super::cursor::{Cursor, other};
use super::token::Token;
use super::{alter, unread};
use crate::change::{Name, What};

/// What a statement does.
pub(super) fn read(statement: &[Token]) -> Vec<What> {
    let mut cursor = Cursor { rest: statement };
    let does = known(&mut cursor).unwrap_or_else(|| vec![unread()]);
    // What is put in at run time may be more than the name that it stands for.
    if statement.iter().any(Token::has_hole) && does.iter().all(|what| !is_destructive(what)) {
        return vec![unread()];
    }
    does
}

fn is_destructive(what: &What) -> bool {
    crate::judge::effect(&what.clone().alone()) == Effect::Destructive
}

fn known(cursor: &mut Cursor<'_>) -> Option<Vec<What>> {
    if cursor.eat("alter table") {
        return alter::table(cursor);
    }
    if cursor.eat("drop table") {
        cursor.eat("if exists");
        let mut tables = vec![What::DropTable { table: cursor.name()? }];
        while cursor.eat(",") {
            tables.push(What::DropTable { table: cursor.name()? });
        }
        return Some(tables);
    }
    if cursor.eat("create") {
        return create(cursor).map(|what| vec![what]);
    }
    if cursor.eat("drop") {
        return drop(cursor).map(|what| vec![what]);
    }
    if cursor.eat("comment on")
        || cursor.eat_any(&["analyze", "vacuum", "reindex", "set", "reset", "lock table", "begin"])
        || cursor.eat_any(&["commit", "notify", "grant", "refresh materialized view"])
    {
        return Some(Vec::new());
    }
    rows(cursor).or_else(|| kind(cursor)).map(|what| vec![what])
}

fn create(cursor: &mut Cursor<'_>) -> Option<What> {
    let replaces = cursor.eat("or replace");
    let unique = cursor.eat("unique");
    if cursor.eat("index") {
        cursor.eat("concurrently");
        cursor.eat("if not exists");
        if !cursor.eat("on") {
            cursor.name()?;
            if !cursor.eat("on") {
                return None;
            }
        }
        cursor.eat("only");
        let table = cursor.name()?;
        if cursor.eat("using") {
            cursor.name()?;
        }
        let columns = cursor.parentheses()?;
        return Some(What::CreateIndex { table, columns, unique });
    }
    cursor.eat_any(&["unlogged", "global", "local"]);
    cursor.eat_any(&["temporary", "temp"]);
    if cursor.eat("table") {
        cursor.eat("if not exists");
        return Some(What::CreateTable { table: cursor.name()? });
    }
    // What is replaced may be in use.
    let effect = if replaces { Effect::Unknown } else { Effect::Additive };
    let kinds =
        ["extension", "schema", "type", "sequence", "view", "materialized view", "collation"];
    let functions = ["function", "procedure", "aggregate", "domain"];
    for kind in kinds.into_iter().chain(functions) {
        if cursor.eat(kind) {
            cursor.eat("if not exists");
            return Some(other(effect, format!("creates the {kind} {}", said(&cursor.name()?))));
        }
    }
    if cursor.eat("constraint trigger") || cursor.eat("trigger") {
        let name = said(&cursor.name()?);
        return Some(other(Effect::Unknown, format!("creates the trigger {name}")));
    }
    None
}

fn drop(cursor: &mut Cursor<'_>) -> Option<What> {
    if cursor.eat("index") {
        cursor.eat("concurrently");
        cursor.eat("if exists");
        let name = said(&cursor.name()?);
        let phrase = format!("drops the index {name}, which may have been unique");
        return Some(other(Effect::Unknown, phrase));
    }
    let kinds = ["extension", "schema", "type", "sequence", "view", "materialized view", "domain"];
    let functions = ["function", "procedure", "aggregate"];
    for kind in kinds.into_iter().chain(functions) {
        if cursor.eat(kind) {
            cursor.eat("if exists");
            let phrase = format!("drops the {kind} {}", said(&cursor.name()?));
            return Some(other(Effect::Destructive, phrase));
        }
    }
    if cursor.eat("trigger") {
        cursor.eat("if exists");
        let phrase = format!("drops the trigger {}", said(&cursor.name()?));
        return Some(other(Effect::Unknown, phrase));
    }
    None
}

/// Statements about rows.
fn rows(cursor: &mut Cursor<'_>) -> Option<What> {
    if cursor.eat("truncate") {
        cursor.eat("table");
        cursor.eat("only");
        let phrase = format!("empties {}", said(&cursor.name()?));
        return Some(other(Effect::Destructive, phrase));
    }
    for (verb, phrase) in [
        ("update", "changes rows of"),
        ("delete from", "deletes rows of"),
        ("insert into", "inserts rows into"),
    ] {
        if cursor.eat(verb) {
            cursor.eat("only");
            let phrase = format!("{phrase} {}", said(&cursor.name()?));
            return Some(other(Effect::Unknown, phrase));
        }
    }
    None
}

/// `ALTER` of anything but a table.
fn kind(cursor: &mut Cursor<'_>) -> Option<What> {
    if cursor.eat("alter type") {
        let name = said(&cursor.name()?);
        if cursor.eat("add value") {
            return Some(other(Effect::Additive, format!("adds a value to the type {name}")));
        }
        if cursor.eat("rename") || cursor.eat_any(&["drop", "set schema"]) {
            return Some(other(Effect::Destructive, format!("changes the type {name}")));
        }
        return None;
    }
    if cursor.eat("alter index") {
        cursor.eat("if exists");
        let from = cursor.name()?;
        return cursor
            .eat("rename to")
            .then(|| cursor.name().map(|to| What::RenameIndex { from, to }))
            .flatten();
    }
    if cursor.eat("alter view") || cursor.eat("alter sequence") {
        let name = said(&cursor.name()?);
        return cursor
            .eat("rename to")
            .then(|| other(Effect::Destructive, format!("renames {name}")));
    }
    None
}

fn said(name: &Name) -> String {
    name.clone().unwrap_or_else(|| "whose name Vial cannot read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::UNREAD;
    use super::*;

    #[test]
    fn only_what_is_said_is_read() {
        let one = |sql: &str| super::super::read(sql).pop().unwrap();
        let table = |name: &str| Some(name.to_owned());
        assert_eq!(one("DROP TABLE public.\"Users\""), What::DropTable { table: table("Users") });
        assert_eq!(
            one("create unique index concurrently a on b using btree (lower(c), d)"),
            What::CreateIndex { table: table("b"), columns: "lower(c), d".into(), unique: true }
        );
        assert_eq!(one("DO $$ drop table users; $$"), unread());
        assert_eq!(one("select 'drop table users'"), unread());
        assert_eq!(one("select 'not ended"), What::Unread { phrase: UNREAD.into() });
        assert!(super::super::read("-- drop table users\n; ").is_empty());
    }
}
