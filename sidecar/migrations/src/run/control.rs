//! Branches and loops.
//!
//! A branch that is known to be taken is run; where it is not known, all are, each in doubt.

use super::Run;
use super::arg::Arg;
use super::pattern::Fits;
use super::value::Value;
use crate::syntax::{Clause, Expr};

/// One clause of a `case`, a function or a `fn`.
pub(super) struct Choice<'a> {
    pub(super) patterns: &'a [Expr],
    pub(super) guard: Option<&'a Expr>,
    pub(super) body: &'a Expr,
}

impl<'a> From<&'a Clause> for Choice<'a> {
    fn from(clause: &'a Clause) -> Self {
        let Clause { patterns, guard, body } = clause;
        Choice { patterns, guard: guard.as_ref(), body }
    }
}

impl<'a> Run<'a> {
    /// Runs something whose variables, and tables where it may not happen, stay its own.
    pub(super) fn branch(
        &mut self,
        fits: Fits,
        inner: impl FnOnce(&mut Self) -> Value<'a>,
    ) -> Value<'a> {
        let (variables, fresh) = (self.variables.len(), self.fresh.len());
        let raised = self.raised;
        if fits == Fits::Yes {
            let value = inner(self);
            self.variables.truncate(variables);
            return value;
        }
        self.doubts += 1;
        inner(self);
        self.doubts -= 1;
        self.variables.truncate(variables);
        self.fresh.truncate(fresh);
        self.raised = raised;
        Value::Unknown
    }

    /// Runs the first clause that fits, and each before it that may.
    pub(super) fn choose(
        &mut self,
        choices: impl IntoIterator<Item = Choice<'a>>,
        values: &[Value<'a>],
    ) -> Value<'a> {
        let mut doubted = false;
        for choice in choices {
            let variables = self.variables.len();
            let mut fits = Fits::Yes;
            for (pattern, value) in choice.patterns.iter().zip(values) {
                fits = fits.and(self.matches(pattern, value));
            }
            if fits != Fits::No
                && let Some(guard) = choice.guard
            {
                let truth = self.eval(guard).truth();
                fits = fits.and(Fits::of(truth));
            }
            let certain = fits == Fits::Yes;
            if fits != Fits::No && self.go_on(1) {
                let fits = if doubted { Fits::Maybe } else { fits };
                let value = self.branch(fits, |run| run.eval(choice.body));
                if fits == Fits::Yes {
                    self.variables.truncate(variables);
                    return value;
                }
                doubted = true;
            }
            self.variables.truncate(variables);
            if certain {
                break;
            }
        }
        Value::Unknown
    }

    /// `if`, and `unless` the other way round.
    pub(super) fn condition(&mut self, args: &[Arg<'a>], wanted: bool) -> Value<'a> {
        let [condition, Arg::Expr(branches)] = args else { return self.nothing(args) };
        let truth = self.arg(condition).truth();
        let mut value = Value::Unknown;
        for (key, taken) in [("do", wanted), ("else", !wanted)] {
            let fits = Fits::of(truth.map(|truth| truth == taken));
            if fits == Fits::No {
                continue;
            }
            value = match branches.keyword(key) {
                Some(branch) => self.branch(fits, |run| run.eval(branch)),
                None => Value::atom("nil"),
            };
        }
        if truth.is_some() { value } else { Value::Unknown }
    }

    pub(super) fn case(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        let [subject, Arg::Expr(block)] = args else { return self.nothing(args) };
        let subject = self.arg(subject);
        match block.keyword("do") {
            Some(Expr::Clauses(clauses)) => {
                self.choose(clauses.iter().map(Choice::from), &[subject])
            }
            _ => Value::Unknown,
        }
    }

    pub(super) fn cond(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        let [Arg::Expr(block)] = args else { return self.nothing(args) };
        let Some(Expr::Clauses(clauses)) = block.keyword("do") else { return Value::Unknown };
        let mut doubted = false;
        for clause in clauses {
            let [test] = clause.patterns.as_slice() else { continue };
            let fits = Fits::of(self.eval(test).truth());
            if fits == Fits::No {
                continue;
            }
            let taken = if doubted { Fits::Maybe } else { fits };
            let value = self.branch(taken, |run| run.eval(&clause.body));
            if taken == Fits::Yes {
                return value;
            }
            doubted = true;
            if fits == Fits::Yes {
                break;
            }
        }
        Value::Unknown
    }

    /// `for x <- list, filter, do: …`
    pub(super) fn comprehension(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        let exprs: Vec<&'a Expr> = args.iter().filter_map(Arg::expr).collect();
        let Some((block, parts)) = exprs.split_last() else { return Value::Unknown };
        let Some(body) = block.keyword("do") else { return self.nothing(args) };
        let variables = self.variables.len();
        let mut results = Vec::new();
        self.each(parts, body, &mut results);
        self.variables.truncate(variables);
        // `into:` and `reduce:` make something else of it.
        let plain = block.keyword("into").is_none() && block.keyword("reduce").is_none();
        if plain { Value::list(results) } else { Value::Unknown }
    }

    fn each(&mut self, parts: &[&'a Expr], body: &'a Expr, results: &mut Vec<Value<'a>>) {
        let Some((first, rest)) = parts.split_first() else {
            // `reduce:` has clauses, which are given what is not known.
            let result = match body {
                Expr::Clauses(clauses) => {
                    self.choose(clauses.iter().map(Choice::from), &[Value::Unknown])
                }
                body => self.eval(body),
            };
            results.push(result);
            return;
        };
        match first {
            Expr::Call { on: None, name, args } if name == "<-" => {
                let [pattern, from] = args.as_slice() else { return };
                let from = self.eval(from);
                self.over(&from, |run, item| {
                    let fits = run.matches(pattern, &item);
                    if fits != Fits::No {
                        run.branch(fits, |run| {
                            run.each(rest, body, results);
                            Value::Unknown
                        });
                    }
                });
            }
            // `into: []` in a list of its own.
            Expr::List(_) => self.each(rest, body, results),
            filter => {
                let fits = Fits::of(self.eval(filter).truth());
                if fits != Fits::No {
                    self.branch(fits, |run| {
                        run.each(rest, body, results);
                        Value::Unknown
                    });
                }
            }
        }
    }

    /// Does something for each item of a list; once, in doubt, where its items are not known.
    pub(super) fn over(&mut self, list: &Value<'a>, mut act: impl FnMut(&mut Self, Value<'a>)) {
        let variables = self.variables.len();
        match list.as_list() {
            Some(items) => {
                for item in items {
                    if !self.go_on(1) {
                        break;
                    }
                    act(self, item.clone());
                    self.variables.truncate(variables);
                }
            }
            None => {
                let item = match list {
                    Value::Contents => Value::Contents,
                    _ => Value::Unknown,
                };
                self.branch(Fits::Maybe, |run| {
                    act(run, item);
                    Value::Unknown
                });
            }
        }
    }

    /// `with pattern <- value, … do … else … end`
    pub(super) fn with(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        let exprs: Vec<&'a Expr> = args.iter().filter_map(Arg::expr).collect();
        let Some((block, parts)) = exprs.split_last() else { return Value::Unknown };
        let variables = self.variables.len();
        let mut all = Fits::Yes;
        for part in parts {
            match part {
                Expr::Call { on: None, name, args } if name == "<-" => {
                    let [pattern, value] = args.as_slice() else { continue };
                    let value = self.eval(value);
                    all = all.and(self.matches(pattern, &value));
                }
                part => {
                    self.eval(part);
                }
            }
        }
        let mut value = Value::Unknown;
        if let (Some(body), true) = (block.keyword("do"), all != Fits::No) {
            value = self.branch(all, |run| run.eval(body));
        }
        if let (Some(Expr::Clauses(clauses)), true) = (block.keyword("else"), all != Fits::Yes) {
            self.branch(Fits::Maybe, |run| {
                run.choose(clauses.iter().map(Choice::from), &[Value::Unknown])
            });
        }
        self.variables.truncate(variables);
        value
    }

    /// `try do … rescue … after … end`
    pub(super) fn attempt(&mut self, args: &[Arg<'a>]) -> Value<'a> {
        let [Arg::Expr(block)] = args else { return self.nothing(args) };
        let rescued = block.keyword("rescue").is_some() || block.keyword("catch").is_some();
        let (mut value, raised) = (Value::Unknown, self.raised);
        if let Some(body) = block.keyword("do") {
            value = self.branch(Fits::Yes, |run| run.eval(body));
        }
        if rescued {
            self.raised = raised;
        }
        for key in ["rescue", "catch", "else"] {
            if let Some(Expr::Clauses(clauses)) = block.keyword(key) {
                self.branch(Fits::Maybe, |run| {
                    run.choose(clauses.iter().map(Choice::from), &[Value::Unknown])
                });
            }
        }
        if let Some(body) = block.keyword("after") {
            self.branch(Fits::Yes, |run| run.eval(body));
        }
        if rescued { Value::Unknown } else { value }
    }
}
