//! What a pattern binds, and whether it matches.

use super::value::Value;
use super::{Run, module};
use crate::syntax::Expr;

/// Whether a value fits a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fits {
    Yes,
    No,
    Maybe,
}

impl Fits {
    pub(super) fn and(self, other: Fits) -> Fits {
        match (self, other) {
            (Fits::No, _) | (_, Fits::No) => Fits::No,
            (Fits::Maybe, _) | (_, Fits::Maybe) => Fits::Maybe,
            _ => Fits::Yes,
        }
    }

    pub(super) fn of(truth: Option<bool>) -> Fits {
        match truth {
            Some(true) => Fits::Yes,
            Some(false) => Fits::No,
            None => Fits::Maybe,
        }
    }
}

impl<'a> Run<'a> {
    pub(super) fn matches(&mut self, pattern: &'a Expr, value: &Value<'a>) -> Fits {
        if !self.go_on(1) {
            return Fits::Maybe;
        }
        match pattern {
            Expr::Name(name) => {
                self.bind(name, value.clone());
                Fits::Yes
            }
            Expr::Atom(_) | Expr::Number(_) | Expr::Text(_) => {
                let literal = self.eval(pattern);
                Fits::of(literal.equals(value))
            }
            Expr::Alias(alias) => {
                let module = module::resolve(&self.aliases, alias);
                Fits::of(Value::Module(module.into()).equals(value))
            }
            Expr::Tuple(patterns) => self.all_match(patterns, value, true),
            Expr::List(patterns) => self.all_match(patterns, value, false),
            Expr::Call { on: None, name, args } => match (name.as_str(), args.as_slice()) {
                ("=", [one, two]) => self.matches(one, value).and(self.matches(two, value)),
                ("\\\\", [pattern, _]) => self.matches(pattern, value),
                _ => self.might_match(args),
            },
            Expr::Map(items) => self.might_match(items),
            _ => Fits::Maybe,
        }
    }

    fn all_match(&mut self, patterns: &'a [Expr], value: &Value<'a>, is_tuple: bool) -> Fits {
        let has_tail = |it: &Expr| matches!(it, Expr::Call { on: None, name, .. } if name == "|");
        match value {
            Value::Items(items) if items.is_tuple == is_tuple && !patterns.iter().any(has_tail) => {
                if items.values.len() != patterns.len() {
                    return Fits::No;
                }
                let mut fits = Fits::Yes;
                for (pattern, value) in patterns.iter().zip(&items.values) {
                    fits = fits.and(self.matches(pattern, value));
                }
                fits
            }
            Value::Atom(_) | Value::Text(_) | Value::Number(_) => Fits::No,
            _ => self.might_match(patterns),
        }
    }

    /// Binds all names inside to what is not known.
    fn might_match(&mut self, patterns: &'a [Expr]) -> Fits {
        for pattern in patterns {
            if self.depth < super::DEEPEST {
                self.depth += 1;
                self.matches(pattern, &Value::Unknown);
                self.depth -= 1;
            }
        }
        Fits::Maybe
    }
}
