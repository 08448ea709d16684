//! What a call is given.

use super::value::Value;
use crate::syntax::Expr;

/// An argument: evaluated already where it came through a pipe.
#[derive(Clone)]
pub(super) enum Arg<'a> {
    Expr(&'a Expr),
    Value(Value<'a>),
}

impl<'a> Arg<'a> {
    pub(super) fn expr(&self) -> Option<&'a Expr> {
        match self {
            Arg::Expr(expr) => Some(expr),
            Arg::Value(_) => None,
        }
    }

    /// The `do` block or `do:` of a last argument.
    pub(super) fn block(&self) -> Option<&'a Expr> {
        self.expr().and_then(|expr| expr.keyword("do"))
    }
}
