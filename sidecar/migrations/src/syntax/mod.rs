//! Elixir's syntax, as little of it as a migration needs.
//!
//! [`parse`] makes a tree of [`Expr`] of a file's text, within limits; `convert` turns the
//! grammar's nodes into it, and `text` their strings. Everything that looks like a call is one, as
//! in Elixir's own syntax tree: operators, `def`, `if`, `@attribute`. A `do` block is the last
//! argument, a list with the pairs `do`, `else` and so on.

mod convert;
mod parse;
mod text;

pub(crate) use parse::parse;

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    /// `:users`, `true`, `nil`, the key in `a: 1`.
    Atom(String),
    /// A string, charlist or text sigil.
    Text(Vec<Piece>),
    Number(String),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    /// A map's or struct's items: pairs, and calls of `=>`.
    Map(Vec<Expr>),
    /// A variable, or a call without arguments and parentheses.
    Name(String),
    /// `Ecto.Migration`.
    Alias(String),
    /// `name(args)`, `on.name(args)`; `on.(args)` has an empty name.
    Call {
        on: Option<Box<Expr>>,
        name: String,
        args: Vec<Expr>,
    },
    /// `fn … end`.
    Fn(Vec<Clause>),
    /// The clauses of a `case` or the like, where other blocks have expressions.
    Clauses(Vec<Clause>),
    Block(Vec<Expr>),
    /// What the grammar does not know, or what is nested too deep.
    Unreadable,
}

/// A part of a string.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Literal(String),
    Hole(Expr),
}

/// `patterns when guard -> body`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Clause {
    pub(crate) patterns: Vec<Expr>,
    pub(crate) guard: Option<Expr>,
    pub(crate) body: Expr,
}

/// A file's syntax tree.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) body: Vec<Expr>,
    /// Whether all of it was understood.
    pub(crate) whole: bool,
}

impl Expr {
    /// A call without a module.
    pub(crate) fn call(name: impl Into<String>, args: Vec<Expr>) -> Expr {
        Expr::Call { on: None, name: name.into(), args }
    }

    /// The value of a key, in a list that ends with pairs.
    pub(crate) fn keyword(&self, key: &str) -> Option<&Expr> {
        let (Expr::List(items) | Expr::Map(items)) = self else { return None };
        items.iter().find_map(|item| match item {
            Expr::Tuple(pair) => match pair.as_slice() {
                [Expr::Atom(name), value] if name == key => Some(value),
                _ => None,
            },
            _ => None,
        })
    }

    /// The expressions of a block, or the one expression.
    pub(crate) fn expressions(&self) -> &[Expr] {
        match self {
            Expr::Block(all) => all,
            one => std::slice::from_ref(one),
        }
    }
}
