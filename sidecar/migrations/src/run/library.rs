//! What is known of Elixir's own functions, and of migrations that packages bring.

use super::Run;
use super::arg::Arg;
use super::pattern::Fits;
use super::value::{Callable, Value};
use crate::change::{Back, HOLE, What};
use vial_protocol::Effect;

/// Modules whose functions change nothing in a database.
const HARMLESS: [&str; 34] = [
    "Access",
    "Application",
    "Atom",
    "Base",
    "Bitwise",
    "Calendar",
    "Code",
    "Date",
    "DateTime",
    "Decimal",
    "Ecto.UUID",
    "Enum",
    "Float",
    "IO",
    "Integer",
    "Jason",
    "Kernel",
    "Keyword",
    "List",
    "Logger",
    "Map",
    "MapSet",
    "Mix",
    "Module",
    "NaiveDateTime",
    "Path",
    "Range",
    "Regex",
    "Stream",
    "String",
    "System",
    "Time",
    "Tuple",
    "URI",
];

/// Those among their functions that run something all the same.
const HARMFUL: [(&str, &str); 9] = [
    ("Code", "eval_string"),
    ("Code", "eval_quoted"),
    ("Code", "eval_file"),
    ("Code", "require_file"),
    ("Code", "compile_file"),
    ("Code", "compile_string"),
    ("System", "cmd"),
    ("System", "shell"),
    ("Module", "create"),
];

/// Packages that bring their tables as functions to call: module, and what it keeps there.
const READY_MADE: [(&str, &str); 6] = [
    ("Oban.Migration", "Oban"),
    ("Oban.Migrations", "Oban"),
    ("Oban.Pro.Migration", "Oban Pro"),
    ("Oban.Pro.Migrations", "Oban Pro"),
    ("ErrorTracker.Migration", "ErrorTracker"),
    ("Beacon.Migration", "Beacon"),
];

impl<'a> Run<'a> {
    /// A function of a module outside this file; `None` where nothing is known of it.
    pub(super) fn library(
        &mut self,
        module: &str,
        name: &'a str,
        args: &[Arg<'a>],
    ) -> Option<Value<'a>> {
        if let Some((_, package)) = READY_MADE.iter().find(|(known, _)| *known == module) {
            return self.ready_made(package, name, args);
        }
        if module == "Ecto.Migration.Runner" || HARMFUL.contains(&(module, name)) {
            return None;
        }
        match (module, name) {
            ("Ecto.Adapters.SQL", "query" | "query!" | "query_many" | "query_many!") => {
                let values = self.args(args);
                self.query(values.get(1));
                return Some(Value::Unknown);
            }
            ("Enum", _) => return Some(self.enumeration(name, args)),
            ("File", "read!" | "read" | "stream!") => {
                self.nothing(args);
                return Some(Value::Contents);
            }
            ("File", "exists?" | "ls" | "ls!" | "dir?" | "regular?" | "cwd!") => {
                return Some(self.nothing(args));
            }
            ("Kernel", _) => return self.kernel(name, args),
            ("Mix", "env") => return Some(Value::Unknown),
            _ if !HARMLESS.contains(&module) => return None,
            _ => {}
        }
        let values = self.args(args);
        if module == "Stream" {
            self.functions_among(&values);
        }
        Some(pure(module, name, &values))
    }

    fn ready_made(&mut self, package: &str, name: &str, args: &[Arg<'a>]) -> Option<Value<'a>> {
        let (effect, phrase) = match name {
            "up" => (Effect::Additive, format!("brings {package}'s tables up")),
            "down" => (Effect::Destructive, format!("takes {package}'s tables down")),
            _ => return None,
        };
        self.nothing(args);
        self.step(vec![What::Other { effect, phrase }], Back::Unclear);
        Some(Value::Unknown)
    }

    /// What Kernel has.
    pub(super) fn kernel(&mut self, name: &str, args: &[Arg<'a>]) -> Option<Value<'a>> {
        if matches!(name, "raise" | "reraise" | "throw" | "exit") {
            return Some(self.raise());
        }
        let is_known = matches!(
            name,
            "<>" | "++"
                | "=="
                | "==="
                | "!="
                | "!=="
                | "in"
                | "not in"
                | "not"
                | "!"
                | "to_string"
                | "inspect"
                | "length"
                | "elem"
                | "hd"
                | "tl"
                | "+"
                | "-"
                | "*"
                | "/"
                | "<"
                | ">"
                | "<="
                | ">="
                | "=~"
                | ".."
                | "//"
                | "--"
                | "[]"
                | "=>"
                | "|"
                | "<<>>"
                | "<-"
                | "::"
                | "rem"
                | "div"
                | "max"
                | "min"
                | "abs"
                | "round"
                | "trunc"
                | "byte_size"
                | "self"
                | "map_size"
                | "tuple_size"
                | "node"
                | "put_in"
                | "get_in"
                | "update_in"
                | "^"
                | "function_exported?"
                | "is_nil"
                | "binding"
                | "make_ref"
                | "String.to_atom"
                | "sigil_r"
                | "dbg"
                | "then"
                | "tap"
                | "__DIR__"
                | "__ENV__"
                | "to_charlist"
                | "struct"
                | "struct!"
                | "**"
                | "|||"
                | "&&&"
        ) || name.starts_with("is_");
        if !is_known {
            return None;
        }
        let values = self.args(args);
        if let ("then" | "tap", [value, function]) = (name, values.as_slice()) {
            let result = self.apply(function, std::slice::from_ref(value));
            return Some(if name == "tap" { value.clone() } else { result });
        }
        let cost = values.iter().filter_map(Value::inserted).map(|text| text.len() / 512).sum();
        if !self.go_on(cost) {
            return Some(Value::Unknown);
        }
        Some(pure("Kernel", name, &values))
    }

    fn enumeration(&mut self, name: &str, args: &[Arg<'a>]) -> Value<'a> {
        let values = self.args(args);
        match (name, values.as_slice()) {
            ("each" | "map" | "flat_map" | "map_join", [list, rest @ .., function]) => {
                let mut results = Vec::new();
                self.over(list, |run, item| results.push(run.apply(function, &[item])));
                match name {
                    "each" => Value::atom("ok"),
                    _ if list.as_list().is_none() => Value::Unknown,
                    "map" => Value::list(results),
                    "map_join" => join(&results, rest.first()),
                    _ => Value::Unknown,
                }
            }
            ("join", [list, rest @ ..]) => match list.as_list() {
                Some(items) => join(items, rest.first()),
                None => Value::Unknown,
            },
            ("to_list" | "reverse" | "sort" | "uniq", [list]) => list.clone(),
            ("with_index", [list]) => match list.as_list() {
                Some(items) => Value::list(
                    (0..)
                        .zip(items)
                        .map(|(at, item): (usize, _)| {
                            let at = Value::Number(at.to_string().into());
                            Value::items(vec![item.clone(), at], true)
                        })
                        .collect(),
                ),
                None => Value::Unknown,
            },
            _ => {
                self.functions_among(&values);
                Value::Unknown
            }
        }
    }

    /// Runs functions that were given to something, in doubt and with arguments not known.
    fn functions_among(&mut self, values: &[Value<'a>]) {
        for value in values {
            let Value::Function(callable) = value else { continue };
            let callable = callable.clone();
            self.branch(Fits::Maybe, |run| match &*callable {
                Callable::Clauses(clauses, _) => {
                    let most = clauses.iter().map(|it| it.patterns.len()).max().unwrap_or(0);
                    run.apply(value, &vec![Value::Unknown; most])
                }
                Callable::Capture(..) => run.apply(value, &[]),
                Callable::Named(..) => run.apply(value, &[Value::Unknown]),
            });
        }
    }
}

fn join<'a>(items: &[Value<'a>], separator: Option<&Value<'a>>) -> Value<'a> {
    let separator = match separator {
        None => "".into(),
        Some(text) => match text.inserted() {
            Some(text) => text,
            None => return Value::Unknown,
        },
    };
    let parts: Option<Vec<_>> = items.iter().map(Value::inserted).collect();
    match parts {
        Some(parts) => Value::text(&parts.join(&*separator)),
        None => Value::Unknown,
    }
}

/// A function that only computes.
fn pure<'a>(module: &str, name: &str, values: &[Value<'a>]) -> Value<'a> {
    match (module, name, values) {
        ("Kernel", "<>", [one, two]) => {
            let hole = || std::rc::Rc::from(HOLE.to_string());
            let (one, two) = (one.inserted(), two.inserted());
            if one.is_none() && two.is_none() {
                return Value::Unknown;
            }
            Value::text(&format!("{}{}", one.unwrap_or_else(hole), two.unwrap_or_else(hole)))
        }
        ("Kernel", "++", [one, two]) => match (one.as_list(), two.as_list()) {
            (Some(one), Some(two)) => Value::list([one, two].concat()),
            _ => Value::Unknown,
        },
        ("Kernel", "==" | "===", [one, two]) => Value::truth_of(one.equals(two)),
        ("Kernel", "!=" | "!==", [one, two]) => Value::truth_of(one.equals(two).map(|it| !it)),
        ("Kernel", "in" | "not in", [one, list]) => {
            let Some(list) = list.as_list() else { return Value::Unknown };
            let each: Vec<_> = list.iter().map(|item| one.equals(item)).collect();
            let found = match each.contains(&Some(true)) {
                true => Some(true),
                false if each.contains(&None) => None,
                false => Some(false),
            };
            Value::truth_of(found.map(|it| it == (name == "in")))
        }
        ("Kernel", "not" | "!", [one]) => Value::truth_of(one.truth().map(|it| !it)),
        ("Kernel", "is_nil", [Value::Atom(name)]) => Value::truth_of(Some(&**name == "nil")),
        ("Kernel", "=>", [key, value]) => Value::items(vec![key.clone(), value.clone()], true),
        ("Kernel", "[]", [list, Value::Atom(key)])
        | ("Keyword" | "Map", "get" | "fetch!", [list, Value::Atom(key)]) => {
            list.get(key).cloned().unwrap_or(Value::Unknown)
        }
        ("Keyword", "keys", [list]) => match list.as_list() {
            Some(items) => Value::list(items.iter().map(|item| part(item, 0)).collect()),
            None => Value::Unknown,
        },
        ("Kernel", "elem", [item, Value::Number(at)]) => {
            part(item, at.parse().unwrap_or(usize::MAX))
        }
        ("Kernel", "to_string", [one]) | ("Atom", "to_string", [one]) => {
            one.inserted().map_or(Value::Unknown, |text| Value::text(&text))
        }
        ("Kernel", "String.to_atom", [one]) | ("String", "to_atom" | "to_existing_atom", [one]) => {
            one.inserted().map_or(Value::Unknown, |text| Value::atom(&text))
        }
        ("String", "trim" | "trim_leading" | "trim_trailing", [one]) => match one {
            Value::Text(text) => Value::text(text.trim()),
            Value::Contents => Value::Contents,
            _ => Value::Unknown,
        },
        ("String", "split", [Value::Text(text), Value::Text(by), ..]) if !by.is_empty() => {
            Value::list(text.split(&**by).map(Value::text).collect())
        }
        ("String", "split" | "replace" | "slice", [Value::Contents, ..]) => Value::Contents,
        _ => Value::Unknown,
    }
}

/// An item of a tuple.
fn part<'a>(item: &Value<'a>, at: usize) -> Value<'a> {
    match item {
        Value::Items(items) => items.values.get(at).cloned().unwrap_or(Value::Unknown),
        _ => Value::Unknown,
    }
}
