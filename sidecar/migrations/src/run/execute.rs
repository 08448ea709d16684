//! SQL, and code that Ecto runs as it is.

use super::Run;
use super::arg::Arg;
use super::value::Value;
use crate::change::{Back, Change, Step, What};
use crate::sql;

impl<'a> Run<'a> {
    /// `execute/1` and `execute/2`.
    pub(super) fn execute(&mut self, values: &[Value<'a>]) -> Value<'a> {
        match values {
            [Value::Function(_)] => {
                // Nothing may come of it, and still Ecto cannot turn it round.
                self.step(Vec::new(), Back::Raises);
                for step in self.steps_of(&values[0]) {
                    self.keep(Step { back: Back::Raises, ..step });
                }
            }
            [up] => {
                let does = statements(up);
                self.step(does, Back::Raises);
            }
            [up, down] => {
                let (does, back) = (self.changes_of(up), self.aside(down));
                let sure = self.doubts == 0;
                self.keep(Step { does, back: Back::Written(back), sure });
            }
            _ => {}
        }
        Value::Unknown
    }

    /// What the other direction would do: it happens not now.
    fn aside(&mut self, value: &Value<'a>) -> Vec<Change> {
        let (raised, fresh) = (self.raised, self.fresh.len());
        let changes = self.changes_of(value);
        self.fresh.truncate(fresh);
        self.raised = raised;
        changes
    }

    fn changes_of(&mut self, value: &Value<'a>) -> Vec<Change> {
        match value {
            Value::Function(_) => {
                self.steps_of(value).into_iter().flat_map(|step| step.does).collect()
            }
            value => statements(value).into_iter().map(|what| self.change(what)).collect(),
        }
    }

    /// What calling a function does, instead of its being done.
    fn steps_of(&mut self, function: &Value<'a>) -> Vec<Step> {
        let before = std::mem::take(&mut self.steps);
        self.apply(function, &[]);
        std::mem::replace(&mut self.steps, before)
    }

    fn keep(&mut self, step: Step) {
        if self.go_on(1) || step.does.iter().any(|it| it.what == What::Raise) {
            self.steps.push(step);
        }
    }

    /// SQL that is run at once, in whatever direction.
    pub(super) fn query(&mut self, sql: Option<&Value<'a>>) {
        let does = statements(sql.unwrap_or(&Value::Unknown));
        self.step(does, Back::Again);
    }

    /// `repo().name(args)`
    pub(super) fn on_repo(&mut self, name: &str, args: &[Arg<'a>]) -> Value<'a> {
        let values = self.args(args);
        match name {
            "query" | "query!" | "query_many" | "query_many!" => self.query(values.first()),
            "transaction" | "transact" | "checkout" => {
                for value in values.iter().filter(|it| matches!(it, Value::Function(_))) {
                    self.apply(value, &[]);
                }
            }
            "all" | "one" | "one!" | "get" | "get!" | "get_by" | "get_by!" | "exists?"
            | "aggregate" | "stream" | "preload" | "reload" | "reload!" | "config"
            | "__adapter__" | "get_dynamic_repo" | "in_transaction?" | "default_options"
            | "all_by" | "to_sql" | "prepare_query" => {}
            _ => {
                let phrase =
                    format!("runs {name} of the repository, whose effect Vial cannot read");
                self.step(vec![What::Unread { phrase }], Back::Again);
            }
        }
        Value::Unknown
    }
}

fn statements(value: &Value<'_>) -> Vec<What> {
    let phrase = match value {
        Value::Text(text) => return sql::read(text),
        Value::Contents => "executes SQL from a file, which Vial does not read",
        Value::Items(_) => "executes a command that Vial cannot read",
        Value::Function(_) => "executes a function that Vial cannot read",
        _ => sql::UNREAD,
    };
    vec![What::Unread { phrase: phrase.to_owned() }]
}
