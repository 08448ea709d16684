//! Runs a migration's functions without their effects: what they would tell Ecto becomes [`Step`]s.
//!
//! ```text
//! read  → Run::function("up" | "down" | "change", direction)
//!           eval      an expression, to its value
//!           ├ control   if, case, for, with, try: branches that cannot be decided are all taken
//!           ├ pattern   what a pattern binds
//!           ├ call      functions of this file, functions as values, pipes
//!           ├ library   what is known of Elixir's own modules and of a few packages
//!           ├ ecto      Ecto.Migration's commands
//!           └ execute   SQL, and the functions that run it
//!         = Trace
//! ```
//!
//! It is counted in turns and bounded in depth, so that no text keeps it long or fills the stack.

mod arg;
mod call;
mod control;
mod ecto;
mod execute;
mod library;
mod pattern;
mod value;

use std::collections::HashMap;

use crate::change::{Back, Change, HOLE, Step, What};
use crate::module::{self, Module};
use crate::syntax::{Expr, Piece};
use value::Value;

/// More than any migration takes; a loop over a thousand tables has room.
const TURNS: usize = 60_000;

/// Expressions in one another, those of called functions included.
const DEEPEST: usize = 150;

/// Variables at a time: they are searched, and copied for each function value.
const MOST_VARIABLES: usize = 200;

/// Steps of one migration.
const MOST_STEPS: usize = 2_000;

/// Which way Ecto runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

/// What running a function has shown.
#[derive(Debug, Default)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    /// Whether it ended, and was not given up.
    pub(crate) whole: bool,
}

/// The table whose block is being run.
#[derive(Debug, Clone)]
struct Block {
    table: Option<String>,
    /// `create`, and not `alter`: its columns are the new table's.
    is_new: bool,
}

pub(crate) struct Run<'a> {
    modules: &'a [Module<'a>],
    module: &'a Module<'a>,
    /// Those of the module, and those that its functions add.
    aliases: HashMap<String, String>,
    direction: Direction,
    /// Where the running function stands in its module.
    place: usize,
    variables: Vec<(&'a str, Value<'a>)>,
    /// Where the running function's variables begin.
    frame: usize,
    block: Option<Block>,
    /// The tables created so far.
    fresh: Vec<String>,
    /// In how many branches that may not be taken it is.
    doubts: usize,
    turns: usize,
    depth: usize,
    /// How many functions are being called in one another.
    calls: usize,
    /// It raised: nothing more happens.
    raised: bool,
    steps: Vec<Step>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        modules: &'a [Module<'a>],
        module: &'a Module<'a>,
        direction: Direction,
    ) -> Self {
        Run {
            modules,
            module,
            aliases: module.aliases.clone(),
            direction,
            place: usize::MAX,
            variables: Vec::new(),
            frame: 0,
            block: None,
            fresh: Vec::new(),
            doubts: 0,
            turns: 0,
            depth: 0,
            calls: 0,
            raised: false,
            steps: Vec::new(),
        }
    }

    /// Runs what Ecto runs: the function, with the callbacks around it where there are any.
    pub(crate) fn function(mut self, name: &str) -> Trace {
        for name in ["after_begin", name, "before_commit"] {
            if self.module.has(name, 0) {
                self.local(self.module, name, Vec::new());
            }
        }
        Trace { steps: self.steps, whole: self.turns <= TURNS }
    }

    /// Notes what Ecto is told.
    fn tell(&mut self, what: What) {
        self.step(vec![what], Back::Turned);
    }

    /// Notes what cannot be read.
    fn unread(&mut self, phrase: impl Into<String>) {
        self.step(vec![What::Unread { phrase: phrase.into() }], Back::Unclear);
    }

    fn step(&mut self, does: Vec<What>, back: Back) {
        if self.raised || self.steps.len() >= MOST_STEPS {
            self.turns = if self.raised { self.turns } else { TURNS + 1 };
            return;
        }
        let does = does.into_iter().map(|what| self.change(what)).collect();
        self.steps.push(Step { does, back, sure: self.doubts == 0 });
    }

    /// A change with what is known of its table by now.
    fn change(&mut self, what: What) -> Change {
        let is_fresh = |table: &str| self.fresh.iter().any(|it| it == table);
        let fresh = what.table().is_some_and(is_fresh);
        match &what {
            What::CreateTable { table: Some(table) } if !fresh => self.fresh.push(table.clone()),
            What::RenameTable { to: Some(to), .. } if fresh => self.fresh.push(to.clone()),
            _ => {}
        }
        Change { fresh, ..what.alone() }
    }

    /// Counts a turn, and says whether there is another one.
    fn go_on(&mut self, cost: usize) -> bool {
        self.turns = self.turns.saturating_add(cost);
        self.turns <= TURNS && !self.raised
    }

    fn eval(&mut self, expr: &'a Expr) -> Value<'a> {
        if !self.go_on(1) {
            return Value::Unknown;
        }
        if self.depth >= DEEPEST {
            self.turns = TURNS + 1;
            return Value::Unknown;
        }
        self.depth += 1;
        let value = self.value(expr);
        self.depth -= 1;
        value
    }

    fn value(&mut self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Atom(name) => Value::atom(name),
            Expr::Number(number) => Value::Number(number.as_str().into()),
            Expr::Text(pieces) => self.text(pieces),
            Expr::List(items) => {
                let values = items.iter().map(|item| self.eval(item)).collect();
                Value::list(values)
            }
            Expr::Tuple(items) => {
                let values = items.iter().map(|item| self.eval(item)).collect();
                Value::items(values, true)
            }
            Expr::Map(items) => {
                let values = items.iter().map(|item| self.eval(item)).collect();
                Value::list(values)
            }
            Expr::Alias(alias) => Value::Module(module::resolve(&self.aliases, alias).into()),
            Expr::Name(name) => self.named(name),
            Expr::Block(all) => {
                all.iter().map(|expr| self.eval(expr)).last().unwrap_or(Value::atom("nil"))
            }
            Expr::Call { on, name, args } => self.call(on.as_deref(), name, args),
            Expr::Fn(clauses) => {
                self.go_on(self.variables.len() / 8);
                self.function_value(|variables| value::Callable::Clauses(clauses, variables))
            }
            Expr::Clauses(_) => Value::Unknown,
            Expr::Unreadable => {
                self.unread(crate::bound::NO_SYNTAX);
                Value::Unknown
            }
        }
    }

    /// A variable, or a function without arguments.
    fn named(&mut self, name: &'a str) -> Value<'a> {
        if name == "__MODULE__" {
            return Value::Module(self.module.name.as_str().into());
        }
        match self.variable(name) {
            Some(value) => value,
            None => self.call(None, name, &[]),
        }
    }

    fn variable(&self, name: &str) -> Option<Value<'a>> {
        let visible = self.variables.get(self.frame..)?;
        visible.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    fn bind(&mut self, name: &'a str, value: Value<'a>) {
        if self.variables.len() < MOST_VARIABLES {
            self.variables.push((name, value));
        } else {
            // One more would go unseen, and the old one be taken for it.
            self.turns = TURNS + 1;
        }
    }

    /// `@name`
    fn attribute(&mut self, name: &str) -> Value<'a> {
        let Some((place, expr)) = self.module.attribute(name, self.place) else {
            return Value::Unknown;
        };
        let saved = (std::mem::replace(&mut self.place, place), self.frame);
        self.frame = self.variables.len();
        let value = self.eval(expr);
        (self.place, self.frame) = saved;
        value
    }

    fn text(&mut self, pieces: &'a [Piece]) -> Value<'a> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Hole(expr) => match self.eval(expr).inserted() {
                    Some(inserted) => text.push_str(&inserted),
                    None => text.push(HOLE),
                },
            }
            if !self.go_on(text.len() / 512) {
                return Value::Unknown;
            }
        }
        Value::text(&text)
    }
}
