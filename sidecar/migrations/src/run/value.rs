//! What an expression is worth, as far as that can be read.

use std::rc::Rc;

use crate::change::{Fill, HOLE, Name, Shape, Unique};
use crate::syntax::{Clause, Expr};

/// Lists that are larger, or in one another more often, are not kept.
const MOST_ITEMS: usize = 5_000;
const DEEPEST: usize = 12;

/// Longer text is not kept.
const LONGEST: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Atom(Rc<str>),
    Text(Rc<str>),
    Number(Rc<str>),
    /// A list, a tuple or a map, the latter as a list of pairs.
    Items(Rc<Items<'a>>),
    /// A module's full name.
    Module(Rc<str>),
    /// `repo()`.
    Repo,
    Table(Name),
    Index(Rc<Index>),
    /// Of a table.
    Constraint(Name, Name),
    /// `references(table, on_delete: …)`.
    Reference(Name, Rc<str>),
    Function(Rc<Callable<'a>>),
    /// What a file holds.
    Contents,
    Unknown,
}

#[derive(Debug)]
pub(super) struct Items<'a> {
    pub(super) values: Vec<Value<'a>>,
    pub(super) is_tuple: bool,
    weight: usize,
    depth: usize,
}

#[derive(Debug)]
pub(super) struct Index {
    pub(super) table: Name,
    pub(super) columns: String,
    pub(super) name: Name,
    pub(super) unique: Unique,
}

/// A function as a value, with the variables it was made among.
#[derive(Debug)]
pub(super) enum Callable<'a> {
    Clauses(&'a [Clause], Vec<(&'a str, Value<'a>)>),
    /// `&add(&1, :name)`
    Capture(&'a Expr, Vec<(&'a str, Value<'a>)>),
    /// `&add/1`, `&Module.add/1`
    Named(Option<&'a Expr>, &'a str),
}

impl<'a> Value<'a> {
    pub(super) fn atom(name: &str) -> Self {
        Value::Atom(name.into())
    }

    pub(super) fn truth_of(truth: Option<bool>) -> Self {
        truth.map_or(Value::Unknown, |it| Value::atom(if it { "true" } else { "false" }))
    }

    pub(super) fn text(text: &str) -> Self {
        if text.len() > LONGEST { Value::Unknown } else { Value::Text(text.into()) }
    }

    pub(super) fn list(values: Vec<Value<'a>>) -> Self {
        Self::items(values, false)
    }

    pub(super) fn items(values: Vec<Value<'a>>, is_tuple: bool) -> Self {
        let of = |value: &Value<'_>| match value {
            Value::Items(items) => (items.weight, items.depth),
            _ => (1, 0),
        };
        let weight = 1 + values.iter().map(|value| of(value).0).sum::<usize>();
        let depth = 1 + values.iter().map(|value| of(value).1).max().unwrap_or(0);
        if weight > MOST_ITEMS || depth > DEEPEST {
            return Value::Unknown;
        }
        Value::Items(Rc::new(Items { values, is_tuple, weight, depth }))
    }

    /// What `if` makes of it.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Value::Atom(name) => Some(!matches!(&**name, "false" | "nil")),
            Value::Unknown | Value::Contents => None,
            _ => Some(true),
        }
    }

    /// As a name of something in the database.
    pub(super) fn name(&self) -> Name {
        match self {
            Value::Atom(name) | Value::Text(name) if !name.contains(HOLE) => Some((**name).into()),
            _ => None,
        }
    }

    /// As it reads when it is put into text.
    pub(super) fn inserted(&self) -> Option<Rc<str>> {
        match self {
            Value::Atom(text) if &**text == "nil" => Some("".into()),
            Value::Atom(text) | Value::Text(text) | Value::Number(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Value<'a>]> {
        match self {
            Value::Items(items) if !items.is_tuple => Some(&items.values),
            _ => None,
        }
    }

    /// A keyword list's value; `None` too where it is no list.
    pub(super) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.as_list()?.iter().find_map(|item| match item {
            Value::Items(pair) => match pair.values.as_slice() {
                [Value::Atom(name), value] if &**name == key => Some(value),
                _ => None,
            },
            _ => None,
        })
    }

    /// Whether it equals another; `None` where that cannot be told.
    pub(super) fn equals(&self, other: &Value<'_>) -> Option<bool> {
        match (self, other) {
            (Value::Atom(one), Value::Atom(two))
            | (Value::Text(one), Value::Text(two))
            | (Value::Module(one), Value::Module(two)) => {
                if one.contains(HOLE) || two.contains(HOLE) { None } else { Some(one == two) }
            }
            (Value::Number(one), Value::Number(two)) => Some(one == two),
            (Value::Items(one), Value::Items(two)) => {
                if one.values.len() != two.values.len() || one.is_tuple != two.is_tuple {
                    return Some(false);
                }
                let mut all = Some(true);
                for (one, two) in one.values.iter().zip(&two.values) {
                    match one.equals(two) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => all = None,
                    }
                }
                all
            }
            (
                Value::Atom(_) | Value::Text(_) | Value::Number(_) | Value::Items(_),
                Value::Atom(_) | Value::Text(_) | Value::Number(_) | Value::Items(_),
            ) => Some(false),
            _ => None,
        }
    }

    /// As a column's type, the way people say it: `string`, `decimal(10,2)`, `list of string`.
    pub(super) fn kind(&self) -> Name {
        match self {
            Value::Atom(_) | Value::Text(_) => self.name(),
            Value::Items(pair) if pair.is_tuple => match pair.values.as_slice() {
                [Value::Atom(outer), inner] if &**outer == "array" => {
                    inner.kind().map(|kind| format!("array of {kind}"))
                }
                [outer, _] => outer.kind(),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a row's writer that does not know the column leaves in it; `None` where an option that
/// decides it cannot be read.
pub(super) fn fill(kind: &Value<'_>, options: &Value<'_>) -> Option<Fill> {
    let makes_its_own = ["serial", "bigserial", "smallserial", "identity"];
    let has_default = match options.get("default") {
        Some(Value::Atom(name)) => &**name != "nil",
        other => other.is_some(),
    };
    if has_default
        || options.get("generated").is_some()
        || kind.name().is_some_and(|kind| makes_its_own.contains(&kind.as_str()))
    {
        return options.as_list().map(|_| Fill::Default);
    }
    options.as_list()?;
    let option = |key, otherwise| options.get(key).map_or(Some(otherwise), Value::truth);
    match (option("null", true), option("primary_key", false)) {
        (Some(false), _) | (_, Some(true)) => Some(Fill::Refused),
        (Some(true), Some(false)) => Some(Fill::Null),
        _ => None,
    }
}

/// A column's type with its options, as given to `modify`.
pub(super) fn shape(kind: &Value<'_>, options: &Value<'_>) -> Shape {
    let refers = match kind {
        Value::Reference(table, on_delete) => Some((table.clone(), (**on_delete).to_owned())),
        _ => None,
    };
    let number = |key| match options.get(key) {
        Some(Value::Number(number)) => Some(number.clone()),
        _ => None,
    };
    let size = match (number("size"), number("precision"), number("scale")) {
        (Some(size), ..) => format!("({size})"),
        (_, Some(precision), Some(scale)) => format!("({precision},{scale})"),
        (_, Some(precision), None) => format!("({precision})"),
        _ => String::new(),
    };
    Shape {
        kind: kind.kind().map(|kind| kind + &size),
        null: options.get("null").and_then(Value::truth),
        default: options.get("default").is_some(),
        refers,
    }
}
