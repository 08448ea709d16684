//! Calls: of this file's functions, of functions as values, and everything that looks like a call.

use super::arg::Arg;
use super::control::Choice;
use super::pattern::Fits;
use super::value::{Callable, Value};
use super::{DEEPEST, Direction, Run, TURNS, module};
use crate::change::What;
use crate::module::Module;
use crate::syntax::Expr;

/// Functions that were called in one another.
const DEEPEST_CALL: usize = 24;

impl<'a> Run<'a> {
    pub(super) fn arg(&mut self, arg: &Arg<'a>) -> Value<'a> {
        match arg {
            Arg::Expr(expr) => self.eval(expr),
            Arg::Value(value) => value.clone(),
        }
    }

    pub(super) fn args(&mut self, args: &[Arg<'a>]) -> Vec<Value<'a>> {
        args.iter().map(|arg| self.arg(arg)).collect()
    }

    /// Evaluates arguments for what they do.
    pub(super) fn nothing(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        self.args(args);
        Value::Unknown
    }

    pub(super) fn call(
        &mut self,
        on: Option<&'a Expr>,
        name: &'a str,
        args: &'a [Expr],
    ) -> Value<'a> {
        self.call_with(on, name, args.iter().map(Arg::Expr).collect())
    }

    fn call_with(&mut self, on: Option<&'a Expr>, name: &'a str, args: Vec<Arg<'a>>) -> Value<'a> {
        let Some(on) = on else { return self.unqualified(name, args) };
        let on = self.eval(on);
        match on {
            _ if name.is_empty() => {
                let values = self.args(&args);
                self.apply(&on, &values)
            }
            Value::Module(module) => self.qualified(&module, name, args),
            Value::Repo => self.on_repo(name, &args),
            Value::Atom(module) if !args.is_empty() => self.in_erlang(&module, name, &args),
            Value::Items(_) if args.is_empty() => on.get(name).cloned().unwrap_or(Value::Unknown),
            // A field, or a function of a module that is not known.
            _ if args.is_empty() => Value::Unknown,
            _ => {
                self.nothing(&args);
                self.unread(format!("calls {name} of something that Vial cannot read"));
                Value::Unknown
            }
        }
    }

    /// `:crypto.strong_rand_bytes(16)`
    fn in_erlang(&mut self, module: &str, name: &str, args: &[Arg<'a>]) -> Value<'a> {
        if matches!(module, "base64" | "binary" | "calendar" | "crypto" | "lists" | "maps" | "rand")
        {
            return self.nothing(args);
        }
        self.stranger(Some(&format!(":{module}")), name, args)
    }

    fn qualified(&mut self, name: &str, function: &'a str, args: Vec<Arg<'a>>) -> Value<'a> {
        if name == "Ecto.Migration" {
            return match self.ecto(function, &args) {
                Some(value) => value,
                None => self.stranger(None, function, &args),
            };
        }
        let modules = self.modules;
        if let Some(module) = modules.iter().find(|module| module.name == name) {
            if module.has(function, args.len()) {
                let values = self.args(&args);
                return self.local(module, function, values);
            }
            return self.stranger(Some(name), function, &args);
        }
        if name == "Repo" || name.ends_with(".Repo") {
            return self.on_repo(function, &args);
        }
        match self.library(name, function, &args) {
            Some(value) => value,
            None => self.stranger(Some(name), function, &args),
        }
    }

    fn unqualified(&mut self, name: &'a str, args: Vec<Arg<'a>>) -> Value<'a> {
        if self.module.has(name, args.len()) {
            let values = self.args(&args);
            return self.local(self.module, name, values);
        }
        if let Some(value) = self.special(name, &args) {
            return value;
        }
        if let Some(value) = self.ecto(name, &args) {
            return value;
        }
        if let Some(value) = self.kernel(name, &args) {
            return value;
        }
        // What another module of this file defines and this one imports.
        let modules = self.modules;
        let imports = &self.module.imports;
        let found =
            modules.iter().find(|it| imports.contains(&it.name) && it.has(name, args.len()));
        if let Some(module) = found {
            let values = self.args(&args);
            return self.local(module, name, values);
        }
        if imports.iter().any(|import| import == "Ecto.Query") && is_query(name) {
            return Value::Unknown;
        }
        self.stranger(None, name, &args)
    }

    /// A function that is not in this file.
    fn stranger(&mut self, module: Option<&str>, name: &str, args: &[Arg<'a>]) -> Value<'a> {
        self.nothing(args);
        let full = module.map_or(name.to_owned(), |module| format!("{module}.{name}"));
        self.unread(format!("calls {full}, which Vial cannot read"));
        Value::Unknown
    }

    /// What is syntax rather than a function.
    fn special(&mut self, name: &'a str, args: &[Arg<'a>]) -> Option<Value<'a>> {
        Some(match (name, args) {
            ("=", [Arg::Expr(pattern), value]) => {
                let value = self.arg(value);
                self.matches(pattern, &value);
                value
            }
            ("|>", [value, Arg::Expr(call)]) => {
                let value = self.arg(value);
                self.piped(value, call)
            }
            ("if", _) => self.condition(args, true),
            ("unless", _) => self.condition(args, false),
            ("case", _) => self.case(args),
            ("cond", _) => self.cond(args),
            ("for", _) => self.comprehension(args),
            ("with", _) => self.with(args),
            ("try", _) => self.attempt(args),
            ("&", [Arg::Expr(expr)]) => self.capture(expr),
            ("@", [Arg::Expr(Expr::Name(name))]) => self.attribute(name),
            ("&&" | "and", [one, two]) => self.short_circuit(one, two, true),
            ("||" | "or", [one, two]) => self.short_circuit(one, two, false),
            ("alias", _) => {
                let args: Vec<_> = args.iter().filter_map(Arg::expr).collect();
                module::alias(&args, &mut self.aliases);
                Value::Unknown
            }
            ("import" | "require" | "quote" | "use", _) => Value::Unknown,
            (".", [one, Arg::Expr(Expr::Alias(last))]) => match self.arg(one) {
                Value::Module(first) => Value::Module(format!("{first}.{last}").into()),
                _ => Value::Unknown,
            },
            _ => return None,
        })
    }

    fn short_circuit(&mut self, one: &Arg<'a>, two: &Arg<'a>, goes_on_if: bool) -> Value<'a> {
        let first = self.arg(one);
        let fits = Fits::of(first.truth().map(|truth| truth == goes_on_if));
        if fits == Fits::No {
            return first;
        }
        let two = two.clone();
        self.branch(fits, |run| run.arg(&two))
    }

    fn piped(&mut self, value: Value<'a>, call: &'a Expr) -> Value<'a> {
        let mut all = vec![Arg::Value(value)];
        match call {
            Expr::Call { on, name, args } => {
                all.extend(args.iter().map(Arg::Expr));
                self.call_with(on.as_deref(), name, all)
            }
            Expr::Name(name) => self.unqualified(name, all),
            _ => Value::Unknown,
        }
    }

    fn capture(&mut self, expr: &'a Expr) -> Value<'a> {
        match expr {
            Expr::Number(number) => {
                let index = number.parse().unwrap_or(0);
                let name = PLACES.get(index).copied().unwrap_or("&0");
                self.variable(name).unwrap_or(Value::Unknown)
            }
            Expr::Call { on: None, name, args } if name == "/" => match args.as_slice() {
                [Expr::Name(name), Expr::Number(_)] => {
                    Value::Function(Callable::Named(None, name).into())
                }
                [Expr::Call { on: Some(on), name, args }, Expr::Number(_)] if args.is_empty() => {
                    Value::Function(Callable::Named(Some(on), name).into())
                }
                _ => Value::Unknown,
            },
            expr => self.function_value(|variables| Callable::Capture(expr, variables)),
        }
    }

    /// A function as a value, with a copy of the variables it sees.
    pub(super) fn function_value(
        &mut self,
        make: impl FnOnce(Vec<(&'a str, Value<'a>)>) -> Callable<'a>,
    ) -> Value<'a> {
        let visible = self.variables.get(self.frame..).unwrap_or_default().to_vec();
        if !self.go_on(visible.len() / 8) {
            return Value::Unknown;
        }
        Value::Function(make(visible).into())
    }

    /// Calls a function value.
    pub(super) fn apply(&mut self, function: &Value<'a>, values: &[Value<'a>]) -> Value<'a> {
        let Value::Function(callable) = function else {
            self.unread("calls a function that Vial cannot read");
            return Value::Unknown;
        };
        match &**callable {
            Callable::Named(on, name) => {
                let args = values.iter().cloned().map(Arg::Value).collect();
                self.call_with(*on, name, args)
            }
            Callable::Clauses(clauses, variables) => self.in_frame(variables.clone(), |run| {
                run.choose(clauses.iter().map(Choice::from), values)
            }),
            Callable::Capture(expr, variables) => self.in_frame(variables.clone(), |run| {
                for (name, value) in PLACES[1..].iter().zip(values) {
                    run.bind(name, value.clone());
                }
                run.eval(expr)
            }),
        }
    }

    /// Runs something that sees these variables only.
    fn in_frame(
        &mut self,
        variables: Vec<(&'a str, Value<'a>)>,
        inner: impl FnOnce(&mut Self) -> Value<'a>,
    ) -> Value<'a> {
        let (frame, end) = (self.frame, self.variables.len());
        if self.depth >= DEEPEST || !self.go_on(1) {
            self.turns = self.turns.max(TURNS + 1);
            return Value::Unknown;
        }
        self.frame = end;
        self.depth += 1;
        for (name, value) in variables {
            self.bind(name, value);
        }
        let value = inner(self);
        self.depth -= 1;
        self.variables.truncate(end);
        self.frame = frame;
        value
    }

    /// Calls a function of this file, which has one of that name for so many arguments.
    pub(super) fn local(
        &mut self,
        module: &'a Module<'a>,
        name: &str,
        mut values: Vec<Value<'a>>,
    ) -> Value<'a> {
        if self.calls >= DEEPEST_CALL {
            self.turns = TURNS + 1;
            return Value::Unknown;
        }
        let clauses = module.clauses(name, values.len());
        let saved = (self.module, self.place);
        self.calls += 1;
        self.module = module;
        let value = self.in_frame(Vec::new(), |run| {
            if let Some(first) = clauses.first() {
                run.place = first.place;
                values = run.with_defaults(first.params, std::mem::take(&mut values));
            }
            let choices = clauses.iter().map(|clause| Choice {
                patterns: clause.params,
                guard: clause.guard,
                body: clause.body,
            });
            run.choose(choices, &values)
        });
        (self.module, self.place) = saved;
        self.calls -= 1;
        value
    }

    /// The arguments, with defaults put in from the left where there are too few, as Elixir does.
    fn with_defaults(&mut self, params: &'a [Expr], values: Vec<Value<'a>>) -> Vec<Value<'a>> {
        let mut missing = params.len().saturating_sub(values.len());
        let optional = params.iter().filter(|it| module::default(it).is_some()).count();
        let mut given_optional = optional.saturating_sub(missing);
        let mut values = values.into_iter();
        let mut all = Vec::new();
        for param in params {
            match module::default(param) {
                Some((_, default)) if given_optional == 0 && missing > 0 => {
                    missing -= 1;
                    all.push(self.eval(default));
                }
                Some(_) => {
                    given_optional = given_optional.saturating_sub(1);
                    all.extend(values.next());
                }
                None => all.extend(values.next()),
            }
        }
        all
    }

    /// `raise`, `throw`, `exit`.
    pub(super) fn raise(&mut self) -> Value<'a> {
        self.tell(What::Raise);
        self.raised = true;
        Value::Unknown
    }

    pub(super) fn way(&self) -> Value<'a> {
        Value::atom(if self.direction == Direction::Up { "up" } else { "down" })
    }
}

/// `&1` and so on, as variables.
const PLACES: [&str; 7] = ["&0", "&1", "&2", "&3", "&4", "&5", "&6"];

/// Ecto.Query's macros, which make a query and run nothing.
fn is_query(name: &str) -> bool {
    matches!(
        name,
        "from"
            | "where"
            | "or_where"
            | "select"
            | "join"
            | "order_by"
            | "limit"
            | "update"
            | "group_by"
            | "distinct"
            | "subquery"
            | "dynamic"
            | "exclude"
            | "offset"
    )
}
