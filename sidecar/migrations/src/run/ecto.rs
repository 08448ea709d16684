//! Ecto.Migration's commands.

use std::rc::Rc;

use super::arg::Arg;
use super::value::{Index, Value, fill, shape};
use super::{Block, Run};
use crate::change::{Back, Fill, Name, Unique, What};

impl<'a> Run<'a> {
    /// A function or macro of Ecto.Migration; `None` where it has none of that name and arity.
    pub(super) fn ecto(&mut self, name: &str, args: &[Arg<'a>]) -> Option<Value<'a>> {
        match (name, args) {
            ("create" | "create_if_not_exists", [object, block]) if block.block().is_some() => {
                return Some(self.in_block(object, block, true));
            }
            ("alter", [object, block]) if block.block().is_some() => {
                return Some(self.in_block(object, block, false));
            }
            _ => {}
        }
        let arity = match name {
            "create" | "create_if_not_exists" => 1..=2,
            "table" | "references" | "remove_if_exists" | "execute" | "execute_file" => 1..=2,
            "drop" | "drop_if_exists" | "fragment" => 1..=2,
            "index" | "unique_index" | "constraint" | "rename" => 2..=3,
            "add" | "add_if_not_exists" | "modify" => 2..=3,
            "remove" => 1..=3,
            "timestamps" => 0..=1,
            "flush" | "direction" | "repo" | "prefix" => 0..=0,
            _ => return None,
        };
        if !arity.contains(&args.len()) {
            return None;
        }
        let values = self.args(args);
        let none = Value::list(Vec::new());
        let at = |index: usize| values.get(index).unwrap_or(&none);
        Some(match name {
            "table" => Value::Table(qualified(at(0), at(1))),
            "index" => index(at(0), at(1), at(2), false),
            "unique_index" => index(at(0), at(1), at(2), true),
            "constraint" => Value::Constraint(qualified(at(0), at(2)), at(1).name()),
            "references" => {
                let on_delete = match at(1).get("on_delete") {
                    None => "nothing".into(),
                    Some(Value::Atom(action)) => action.clone(),
                    Some(_) => "other".into(),
                };
                Value::Reference(qualified(at(0), at(1)), on_delete)
            }
            "fragment" => Value::Unknown,
            "repo" => Value::Repo,
            "prefix" => Value::Unknown,
            "direction" => self.way(),
            "flush" => self.told(What::Flush),
            "create" | "create_if_not_exists" => self.create(at(0)),
            "drop" => self.drop(at(0), false),
            "drop_if_exists" => self.drop(at(0), true),
            "rename" => self.rename(&values),
            "add" | "add_if_not_exists" => {
                self.add(at(0).name(), at(1), at(2), name == "add_if_not_exists")
            }
            "remove" | "remove_if_exists" => self.remove(name, &values),
            "modify" => self.modify(at(0), at(1), at(2)),
            "timestamps" => self.timestamps(at(0)),
            "execute" => self.execute(&values),
            "execute_file" => {
                let contents: Vec<_> = values.iter().map(|_| Value::Contents).collect();
                self.execute(&contents)
            }
            _ => return None,
        })
    }

    fn told(&mut self, what: What) -> Value<'a> {
        self.tell(what);
        Value::Unknown
    }

    fn in_block(&mut self, object: &Arg<'a>, block: &Arg<'a>, is_new: bool) -> Value<'a> {
        let object = self.arg(object);
        let table = match &object {
            Value::Table(table) => table.clone(),
            _ => None,
        };
        if is_new {
            self.tell(What::CreateTable { table: table.clone() });
        }
        let outer = self.block.replace(Block { table, is_new });
        if let Some(body) = block.block() {
            self.eval(body);
        }
        self.block = outer;
        object
    }

    fn create(&mut self, object: &Value<'a>) -> Value<'a> {
        match object {
            Value::Table(table) => self.tell(What::CreateTable { table: table.clone() }),
            Value::Index(index) => self.tell(What::CreateIndex {
                table: index.table.clone(),
                columns: index.columns.clone(),
                unique: index.unique == Unique::Yes,
            }),
            Value::Constraint(table, name) => {
                self.tell(What::AddConstraint { table: table.clone(), name: name.clone() });
            }
            _ => self.unread("creates something whose name Vial cannot read"),
        }
        object.clone()
    }

    fn drop(&mut self, object: &Value<'a>, if_there: bool) -> Value<'a> {
        match object {
            Value::Table(table) => self.tell(What::DropTable { table: table.clone() }),
            Value::Index(index) => {
                let columns = index.columns.clone();
                let what =
                    What::DropIndex { table: index.table.clone(), columns, unique: index.unique };
                // Ecto would create an index on no columns, which the database refuses.
                let back = if index.columns.is_empty() { Back::Unclear } else { Back::Turned };
                self.step(vec![what], back);
            }
            Value::Constraint(table, name) => {
                self.tell(What::DropConstraint { table: table.clone(), name: name.clone() });
            }
            _ if if_there => self.unread("drops something, if it is there, that Vial cannot read"),
            _ => self.unread("drops something whose name Vial cannot read"),
        }
        object.clone()
    }

    fn rename(&mut self, values: &[Value<'a>]) -> Value<'a> {
        match values {
            [Value::Table(from), options] => {
                let to = match options.get("to") {
                    Some(Value::Table(to)) => to.clone(),
                    _ => None,
                };
                self.told(What::RenameTable { from: from.clone(), to })
            }
            [Value::Index(index), options] => {
                let to = options.get("to").and_then(Value::name);
                let from = index.name.clone().or_else(|| Some(index.default_name()));
                self.told(What::RenameIndex { from, to })
            }
            [Value::Table(table), from, options] => {
                let to = options.get("to").and_then(Value::name);
                self.told(What::RenameColumn { table: table.clone(), from: from.name(), to })
            }
            [_, from, options] => {
                let to = options.get("to").and_then(Value::name);
                self.told(What::RenameColumn { table: None, from: from.name(), to })
            }
            _ => self.told(What::RenameTable { from: None, to: None }),
        }
    }

    /// The table of the block, unless it is that of a new one, whose columns are nobody's news.
    fn altered(&self) -> Option<Name> {
        match &self.block {
            Some(Block { is_new: true, .. }) => None,
            Some(block) => Some(block.table.clone()),
            None => Some(None),
        }
    }

    fn add(
        &mut self,
        column: Name,
        kind: &Value<'a>,
        options: &Value<'a>,
        if_missing: bool,
    ) -> Value<'a> {
        let Some(table) = self.altered() else { return Value::Unknown };
        match fill(kind, options) {
            Some(fill) => self.tell(What::AddColumn { table, column, fill, if_missing }),
            None => {
                let added = crate::judge::column(&table, &column);
                let phrase = format!("adds {added} with options that Vial cannot read");
                let removed = What::RemoveColumn { table, column, returns: None, if_there: false };
                let removed = self.change(removed);
                let back = if if_missing { Back::Raises } else { Back::Written(vec![removed]) };
                self.step(vec![What::Unread { phrase }], back);
            }
        }
        Value::Unknown
    }

    fn remove(&mut self, name: &str, values: &[Value<'a>]) -> Value<'a> {
        let Some(table) = self.altered() else { return Value::Unknown };
        let (column, kind, options) = match values {
            [column] => (column, None, None),
            [column, kind] => (column, Some(kind), None),
            [column, kind, options, ..] => (column, Some(kind), Some(options)),
            [] => return Value::Unknown,
        };
        let none = Value::list(Vec::new());
        let returns = kind.map(|kind| fill(kind, options.unwrap_or(&none)).unwrap_or(Fill::Null));
        let if_there = name == "remove_if_exists";
        self.told(What::RemoveColumn { table, column: column.name(), returns, if_there })
    }

    fn modify(&mut self, column: &Value<'a>, kind: &Value<'a>, options: &Value<'a>) -> Value<'a> {
        let Some(table) = self.altered() else { return Value::Unknown };
        let column = column.name();
        let none = Value::list(Vec::new());
        if options.as_list().is_none() {
            let phrase = format!(
                "modifies {} with options that Vial cannot read",
                crate::judge::column(&table, &column)
            );
            self.unread(phrase);
            return Value::Unknown;
        }
        let to = shape(kind, options);
        let from = options.get("from").map(|from| match from {
            Value::Items(pair) if pair.is_tuple => match pair.values.as_slice() {
                [kind, options] if options.as_list().is_some() => shape(kind, options),
                _ => shape(from, &none),
            },
            // Ecto turns the type round and keeps the options.
            kind => {
                let plain = shape(kind, &none);
                crate::change::Shape { null: to.null, ..plain }
            }
        });
        self.told(What::ModifyColumn { table, column, to, from })
    }

    fn timestamps(&mut self, options: &Value<'a>) -> Value<'a> {
        let Some(table) = self.altered() else { return Value::Unknown };
        let Some(given) = options.as_list() else {
            self.unread("adds timestamps with options that Vial cannot read");
            return Value::Unknown;
        };
        // Unless the repository's configuration says otherwise, they may not be null.
        let not_null = Value::items(vec![Value::atom("null"), Value::atom("false")], true);
        let with_null = Value::list([given, &[not_null]].concat());
        for key in ["inserted_at", "updated_at"] {
            let column = match options.get(key) {
                Some(Value::Atom(off)) if &**off == "false" => continue,
                Some(name) => name.name(),
                None => Some(key.to_owned()),
            };
            let kind = Value::atom("naive_datetime");
            let fill = fill(&kind, &with_null).unwrap_or(Fill::Refused);
            let table = table.clone();
            self.tell(What::AddColumn { table, column, fill, if_missing: false });
        }
        Value::Unknown
    }
}

impl Index {
    /// As Ecto makes it.
    fn default_name(&self) -> String {
        let table = self.table.as_deref().unwrap_or_default();
        format!("{table}_{}_index", self.columns.replace(", ", "_"))
    }
}

/// A table's name, with the prefix that its options give.
fn qualified(table: &Value<'_>, options: &Value<'_>) -> Name {
    let name = table.name()?;
    match options.get("prefix").and_then(Value::name) {
        Some(prefix) if prefix != "public" && prefix != "nil" => Some(format!("{prefix}.{name}")),
        _ => Some(name),
    }
}

fn index<'a>(
    table: &Value<'a>,
    columns: &Value<'a>,
    options: &Value<'a>,
    unique: bool,
) -> Value<'a> {
    let column = |value: &Value<'a>| match value {
        // `desc: :inserted_at`
        Value::Items(pair) if pair.is_tuple => pair.values.last().and_then(Value::name),
        value => value.name(),
    };
    let columns = match columns.as_list() {
        Some(all) => all.iter().map(column).collect::<Option<Vec<_>>>(),
        None => columns.name().map(|one| vec![one]),
    };
    // Only these can be unique.
    let method = options.get("using").and_then(Value::name).map(|it| it.to_lowercase());
    let is_btree = method.is_none_or(|method| method.starts_with("btree"));
    let given = options.get("unique").and_then(Value::truth);
    Value::Index(Rc::new(Index {
        table: qualified(table, options),
        columns: columns.unwrap_or_default().join(", "),
        name: options.get("name").and_then(Value::name),
        unique: match given {
            Some(true) => Unique::Yes,
            Some(false) => Unique::No,
            None if unique => Unique::Yes,
            None if is_btree => Unique::Unsaid,
            None => Unique::No,
        },
    }))
}
