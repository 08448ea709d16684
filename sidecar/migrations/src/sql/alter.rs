//! `ALTER TABLE`.

use vial_protocol::Effect;

use super::cursor::{Cursor, other};
use super::token::Token;
use crate::change::{Fill, HOLE, Name, Shape, What};

/// What each of its actions does; `None` where there is none.
pub(super) fn table(cursor: &mut Cursor<'_>) -> Option<Vec<What>> {
    cursor.eat("if exists");
    cursor.eat("only");
    let table = cursor.name()?;
    cursor.eat("*");
    if cursor.rest.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    for action in actions(cursor.rest) {
        match one(&table, &mut Cursor { rest: action }) {
            Some(whats) => all.extend(whats),
            None => all.push(super::unread()),
        }
    }
    Some(all)
}

/// The actions between commas that are in no parentheses.
fn actions(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut depth, mut begin, mut all) = (0_i64, 0, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth -= 1,
            Token::Sign(',') if depth == 0 => {
                all.push(&tokens[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    all.push(&tokens[begin..]);
    all
}

fn one(table: &Name, cursor: &mut Cursor<'_>) -> Option<Vec<What>> {
    let table = table.clone();
    if cursor.eat("add") {
        return add(table, cursor);
    }
    if cursor.eat("drop constraint") {
        cursor.eat("if exists");
        return Some(vec![What::DropConstraint { table, name: cursor.name()? }]);
    }
    if cursor.eat("drop") {
        if cursor.eat_any(&["primary key", "foreign key", "index", "key", "check"]) {
            return None;
        }
        cursor.eat("column");
        cursor.eat("if exists");
        let column = cursor.name()?;
        return Some(vec![What::RemoveColumn { table, column, returns: None, if_there: false }]);
    }
    if cursor.eat("rename to") {
        return Some(vec![What::RenameTable { from: table, to: cursor.name()? }]);
    }
    if cursor.eat("rename constraint") {
        // Violations are known by it.
        let name = cursor.name()?.unwrap_or_default();
        return Some(vec![other(Effect::Unknown, format!("renames the constraint {name}"))]);
    }
    if cursor.eat("rename") {
        cursor.eat("column");
        let from = cursor.name()?;
        return cursor
            .eat("to")
            .then(|| cursor.name().map(|to| vec![What::RenameColumn { table, from, to }]))
            .flatten();
    }
    if cursor.eat("alter") {
        cursor.eat("column");
        let column = cursor.name()?;
        return column_becomes(table, column, cursor);
    }
    if cursor.eat("set schema") {
        let phrase = format!("moves {} to another schema", table.unwrap_or_default());
        return Some(vec![other(Effect::Destructive, phrase)]);
    }
    let harmless = ["validate constraint", "set (", "reset (", "cluster on", "replica identity"];
    cursor.eat_any(&harmless).then(Vec::new)
}

fn add(table: Name, cursor: &mut Cursor<'_>) -> Option<Vec<What>> {
    let name = if cursor.eat("constraint") { cursor.name()? } else { None };
    if cursor.eat_any(&["check", "unique", "foreign key", "primary key", "exclude"]) {
        return Some(vec![What::AddConstraint { table, name }]);
    }
    if name.is_some() {
        return None;
    }
    cursor.eat("column");
    cursor.eat("if not exists");
    let column = cursor.name()?;
    if cursor.rest.is_empty() {
        return None;
    }
    let makes_its_own = ["serial", "bigserial", "smallserial", "generated"];
    let given = cursor.has("default") && !cursor.has("default null")
        || makes_its_own.iter().any(|word| cursor.has(word));
    let fill = match given {
        true => Fill::Default,
        false if cursor.has("not null") || cursor.has("primary key") => Fill::Refused,
        false => Fill::Null,
    };
    let mut all = vec![What::AddColumn { table: table.clone(), column, fill, if_missing: false }];
    // Of a column that stays null for who does not know it, unless its default is met twice.
    if cursor.has("unique") && fill == Fill::Default {
        all.push(What::AddConstraint { table, name: None });
    }
    Some(all)
}

fn column_becomes(table: Name, column: Name, cursor: &mut Cursor<'_>) -> Option<Vec<What>> {
    let to = if cursor.eat_any(&["set data type", "type"]) {
        let mut kind = String::new();
        for token in cursor.rest.iter().take_while(|it| !it.is("using") && !it.is("collate")) {
            match token {
                Token::Word(word) | Token::Quoted(word) => {
                    if kind.ends_with(|it: char| it.is_alphanumeric()) {
                        kind.push(' ');
                    }
                    kind.push_str(word);
                }
                Token::Sign(sign) => kind.push(*sign),
                Token::Text => return None,
            }
        }
        Shape { kind: (!kind.contains(HOLE)).then_some(kind), ..Shape::default() }
    } else if cursor.eat("set not null") {
        Shape { null: Some(false), ..Shape::default() }
    } else if cursor.eat("drop not null") {
        Shape { null: Some(true), ..Shape::default() }
    } else if cursor.eat("set default") {
        Shape { default: true, ..Shape::default() }
    } else if cursor.eat("drop default") {
        let name = column.as_deref().unwrap_or("a column");
        return Some(vec![other(Effect::Unknown, format!("drops the default of {name}"))]);
    } else {
        return cursor.eat_any(&["set statistics", "set storage", "set ("]).then(Vec::new);
    };
    Some(vec![What::ModifyColumn { table, column, to, from: None }])
}
