//! The modules of a file, and which of them Ecto runs.

use std::collections::HashMap;

use crate::syntax::Expr;

/// Aliases are copied for each module inside another, and made of one another: no file needs more,
/// and a hostile one shall not have it.
const MOST_ALIASES: usize = 500;
const LONGEST_NAME: usize = 300;

/// A module: its functions by name, its attributes, what it calls others.
#[derive(Debug, Default)]
pub(crate) struct Module<'a> {
    pub(crate) name: String,
    functions: HashMap<&'a str, Vec<Function<'a>>>,
    /// Each value with the place where it was set: functions see the last one above them.
    attributes: HashMap<&'a str, Vec<(usize, &'a Expr)>>,
    pub(crate) aliases: HashMap<String, String>,
    pub(crate) imports: Vec<String>,
    uses: Vec<String>,
}

/// One clause of a function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Function<'a> {
    pub(crate) params: &'a [Expr],
    pub(crate) guard: Option<&'a Expr>,
    pub(crate) body: &'a Expr,
    /// Its place among the module's expressions.
    pub(crate) place: usize,
}

impl<'a> Function<'a> {
    /// Whether it can be called with so many arguments, its defaults considered.
    fn takes(&self, count: usize) -> bool {
        let defaults = self.params.iter().filter(|param| default(param).is_some()).count();
        count <= self.params.len() && count + defaults >= self.params.len()
    }
}

/// The pattern and the default of `pattern \\ default`.
pub(crate) fn default(param: &Expr) -> Option<(&Expr, &Expr)> {
    match param {
        Expr::Call { on: None, name, args } if name == "\\\\" => match args.as_slice() {
            [pattern, default] => Some((pattern, default)),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Module<'a> {
    /// The clauses of a function.
    pub(crate) fn clauses(&self, name: &str, arity: usize) -> Vec<Function<'a>> {
        let all = self.functions.get(name).map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|function| function.takes(arity)).copied().collect()
    }

    pub(crate) fn has(&self, name: &str, arity: usize) -> bool {
        self.functions.get(name).is_some_and(|all| all.iter().any(|it| it.takes(arity)))
    }

    /// What an attribute is for a function at a place, and where it was set.
    pub(crate) fn attribute(&self, name: &str, place: usize) -> Option<(usize, &'a Expr)> {
        let set = self.attributes.get(name)?;
        set.iter().rev().find(|(at, _)| *at < place).copied()
    }

    /// Whether `Ecto.Migrator` takes it for a migration: something that it uses made it one.
    pub(crate) fn is_migration(&self) -> bool {
        self.uses.iter().any(|used| used.ends_with("Migration"))
            || !self.uses.is_empty() && ["up", "change"].iter().any(|name| self.has(name, 0))
    }

    fn read(&mut self, body: &'a Expr, place: &mut usize, modules: &mut Vec<Module<'a>>) {
        for expr in body.expressions() {
            *place += 1;
            let Expr::Call { on: None, name, args } = expr else { continue };
            match (name.as_str(), args.as_slice()) {
                ("def" | "defp", [head, rest @ ..]) => self.define(head, rest, *place),
                ("defmodule", args) => module(args, self, modules),
                ("@", [Expr::Call { on: None, name, args }]) => {
                    if let [value] = args.as_slice() {
                        self.attributes.entry(name).or_default().push((*place, value));
                    }
                }
                ("use", [Expr::Alias(used), ..]) => self.uses.push(resolve(&self.aliases, used)),
                ("import", [Expr::Alias(alias), ..]) => {
                    self.imports.push(resolve(&self.aliases, alias))
                }
                ("alias", args) => {
                    alias(&args.iter().collect::<Vec<_>>(), &mut self.aliases);
                }
                // `if Code.ensure_loaded?(Oban) do def up …`
                ("if" | "unless", [_, branches]) => {
                    for key in ["do", "else"] {
                        if let Some(branch) = branches.keyword(key) {
                            self.read(branch, place, modules);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn define(&mut self, head: &'a Expr, rest: &'a [Expr], place: usize) {
        let (head, guard) = match head {
            Expr::Call { on: None, name, args } if name == "when" => match args.as_slice() {
                [head, guard] => (head, Some(guard)),
                _ => return,
            },
            head => (head, None),
        };
        let (name, params): (_, &'a [Expr]) = match head {
            Expr::Name(name) => (name.as_str(), &[]),
            Expr::Call { on: None, name, args } => (name.as_str(), args),
            _ => return,
        };
        if let Some(body) = rest.last().and_then(|rest| rest.keyword("do")) {
            self.functions.entry(name).or_default().push(Function { params, guard, body, place });
        }
    }
}

/// The modules of a file in the order in which they are compiled: inner ones before outer ones.
pub(crate) fn modules(body: &[Expr]) -> Vec<Module<'_>> {
    let mut modules = Vec::new();
    // What stands around the modules, such as aliases, is a module of its own without a name.
    let mut outside = Module::default();
    let mut place = 0;
    for expr in body {
        outside.read(expr, &mut place, &mut modules);
    }
    modules
}

fn module<'a>(args: &'a [Expr], outer: &Module<'a>, modules: &mut Vec<Module<'a>>) {
    let [Expr::Alias(name), rest @ ..] = args else { return };
    let Some(body) = rest.last().and_then(|rest| rest.keyword("do")) else { return };
    let full = if outer.name.is_empty() { name.clone() } else { format!("{}.{name}", outer.name) };
    let mut inner = Module { name: full, aliases: outer.aliases.clone(), ..Module::default() };
    inner.read(body, &mut 0, modules);
    modules.push(inner);
}

/// `alias A.B`, `alias A.B, as: C`, `alias A.{B, C}`.
pub(crate) fn alias(args: &[&Expr], aliases: &mut HashMap<String, String>) {
    if aliases.len() >= MOST_ALIASES {
        return;
    }
    let last = |alias: &str| alias.rsplit('.').next().unwrap_or(alias).to_owned();
    match args {
        [Expr::Alias(full), options] => {
            if let Some(Expr::Alias(short)) = options.keyword("as") {
                let full = resolve(aliases, full);
                aliases.insert(short.clone(), full);
            }
        }
        [Expr::Alias(full)] => {
            let full = resolve(aliases, full);
            aliases.insert(last(&full), full);
        }
        [Expr::Call { on: None, name, args }] if name == "." => {
            if let [Expr::Alias(base), Expr::Tuple(inner)] = args.as_slice() {
                let base = resolve(aliases, base);
                for item in inner.iter().take(MOST_ALIASES) {
                    if let Expr::Alias(item) = item {
                        aliases.insert(last(item), format!("{base}.{item}"));
                    }
                }
            }
        }
        _ => {}
    }
}

/// A module's full name: the first part of an alias replaced.
pub(crate) fn resolve(aliases: &HashMap<String, String>, alias: &str) -> String {
    let (first, rest) = alias.split_once('.').unwrap_or((alias, ""));
    match aliases.get(first) {
        Some(full) if rest.is_empty() => full.clone(),
        Some(full) => format!("{full}.{rest}"),
        None => alias.trim_start_matches("Elixir.").to_owned(),
    }
    .chars()
    .take(LONGEST_NAME)
    .collect()
}
