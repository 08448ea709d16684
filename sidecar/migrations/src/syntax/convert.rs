//! From the grammar's nodes to expressions.

use tree_sitter::Node;

use super::text;
use super::{Clause, Expr, Piece};

/// Deeper is nobody's migration, and would be the daemon's stack.
const DEEPEST: usize = 120;

/// More than a megabyte of honest text has.
const MOST_NODES: usize = 400_000;

pub(super) struct Converter<'s> {
    source: &'s str,
    nodes: usize,
    whole: bool,
}

impl<'s> Converter<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Converter { source, nodes: 0, whole: true }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The expressions below a node; a keyword list at their end is one list.
    pub(super) fn all(&mut self, node: Node<'_>, depth: usize) -> Vec<Expr> {
        children(node).into_iter().map(|child| self.expr(child, depth + 1)).collect()
    }

    /// The same with the pairs of the keyword list among the others, as in `[:a, b: 1]`.
    fn items(&mut self, node: Node<'_>, depth: usize) -> Vec<Expr> {
        let mut items = Vec::new();
        for child in children(node) {
            if child.kind() == "keywords" {
                items.extend(self.all(child, depth + 1));
            } else {
                items.push(self.expr(child, depth + 1));
            }
        }
        items
    }

    fn source(&self, node: Node<'_>) -> &'s str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    fn unreadable(&mut self) -> Expr {
        self.whole = false;
        Expr::Unreadable
    }

    fn field(&mut self, node: Node<'_>, field: &str, depth: usize) -> Expr {
        match node.child_by_field_name(field) {
            Some(child) => self.expr(child, depth + 1),
            None => Expr::Unreadable,
        }
    }

    fn operator(&self, node: Node<'_>) -> String {
        node.child_by_field_name("operator").map_or("", |it| self.source(it)).to_owned()
    }

    fn expr(&mut self, node: Node<'_>, depth: usize) -> Expr {
        self.nodes += 1;
        if depth > DEEPEST || self.nodes > MOST_NODES || node.is_missing() {
            return self.unreadable();
        }
        match node.kind() {
            "identifier" | "operator_identifier" => Expr::Name(self.source(node).to_owned()),
            "alias" => Expr::Alias(self.source(node).split_whitespace().collect()),
            "integer" | "float" | "char" => Expr::Number(self.source(node).replace('_', "")),
            "boolean" | "nil" => Expr::Atom(self.source(node).to_owned()),
            "atom" => Expr::Atom(self.source(node).trim_start_matches(':').to_owned()),
            "keyword" => Expr::Atom(self.source(node).trim_end().trim_end_matches(':').to_owned()),
            "quoted_atom" | "quoted_keyword" => text::atom(self.pieces(node, depth)),
            "string" | "charlist" => Expr::Text(self.pieces(node, depth)),
            "sigil" => self.sigil(node, depth),
            "list" => Expr::List(self.items(node, depth)),
            "keywords" => Expr::List(self.all(node, depth)),
            // `{:string, null: false}` has two items.
            "tuple" => Expr::Tuple(self.all(node, depth)),
            "pair" => {
                let key = self.field(node, "key", depth);
                Expr::Tuple(vec![key, self.field(node, "value", depth)])
            }
            "map" => {
                let content = children(node).into_iter().find(|it| it.kind() == "map_content");
                Expr::Map(content.map(|it| self.items(it, depth)).unwrap_or_default())
            }
            "unary_operator" => {
                let operand = self.field(node, "operand", depth);
                Expr::call(self.operator(node), vec![operand])
            }
            "binary_operator" => {
                let left = self.field(node, "left", depth);
                let right = self.field(node, "right", depth);
                Expr::call(self.operator(node), vec![left, right])
            }
            "dot" => {
                let left = self.field(node, "left", depth);
                let right = self.field(node, "right", depth);
                Expr::call(".", vec![left, right])
            }
            "access_call" => {
                let target = self.field(node, "target", depth);
                Expr::call("[]", vec![target, self.field(node, "key", depth)])
            }
            "call" => self.call(node, depth),
            "anonymous_function" => Expr::Fn(self.clauses(node, depth)),
            "block" | "body" => self.block(node, depth),
            "bitstring" => Expr::call("<<>>", self.items(node, depth)),
            _ => self.unreadable(),
        }
    }

    fn call(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let (mut on, mut name, mut args) = (None, String::new(), Vec::new());
        for child in children(node) {
            match child.kind() {
                "arguments" => args.extend(self.all(child, depth + 1)),
                "do_block" => args.push(self.do_block(child, depth + 1)),
                "identifier" => name = self.source(child).to_owned(),
                "dot" => {
                    on = Some(Box::new(self.field(child, "left", depth + 1)));
                    let right = child.child_by_field_name("right");
                    name = right.map_or("", |it| self.source(it)).to_owned();
                }
                // `unquote(name)(args)`
                _ => on = Some(Box::new(self.unreadable())),
            }
        }
        Expr::Call { on, name, args }
    }

    fn do_block(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let mut pairs = vec![Expr::Tuple(vec![Expr::Atom("do".into()), self.block(node, depth)])];
        for child in children(node) {
            if let Some(key) = child.kind().strip_suffix("_block") {
                let value = self.block(child, depth + 1);
                pairs.push(Expr::Tuple(vec![Expr::Atom(key.into()), value]));
            }
        }
        Expr::List(pairs)
    }

    fn block(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let of_this = |child: &Node<'_>| !child.kind().ends_with("_block");
        let inside: Vec<_> = children(node).into_iter().filter(of_this).collect();
        if inside.iter().any(|child| child.kind() == "stab_clause") {
            return Expr::Clauses(self.clauses(node, depth));
        }
        let mut all: Vec<_> = inside.into_iter().map(|it| self.expr(it, depth + 1)).collect();
        match (all.len(), all.pop()) {
            (1, Some(one)) => one,
            (_, last) => Expr::Block(all.into_iter().chain(last).collect()),
        }
    }

    fn clauses(&mut self, node: Node<'_>, depth: usize) -> Vec<Clause> {
        let stabs = children(node).into_iter().filter(|it| it.kind() == "stab_clause");
        stabs
            .map(|stab| {
                let (mut patterns, mut guard) = (Vec::new(), None);
                if let Some(left) = stab.child_by_field_name("left") {
                    if left.kind() == "binary_operator" {
                        guard = Some(self.field(left, "right", depth + 1));
                    }
                    let arguments = match left.kind() {
                        "binary_operator" => left.child_by_field_name("left"),
                        _ => Some(left),
                    };
                    patterns = arguments.map(|it| self.all(it, depth + 1)).unwrap_or_default();
                }
                let body = match stab.child_by_field_name("right") {
                    Some(right) => self.expr(right, depth + 1),
                    None => Expr::Block(Vec::new()),
                };
                Clause { patterns, guard, body }
            })
            .collect()
    }

    fn pieces(&mut self, node: Node<'_>, depth: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for child in children(node) {
            match child.kind() {
                "quoted_content" => text::push(&mut pieces, self.source(child)),
                "escape_sequence" => text::push(&mut pieces, &text::unescape(self.source(child))),
                "interpolation" => {
                    let inner = self.all(child, depth).pop().unwrap_or(Expr::Text(Vec::new()));
                    pieces.push(Piece::Hole(inner));
                }
                _ => {}
            }
        }
        // A heredoc's text begins on the line after its quotes.
        let start = node.child_by_field_name("quoted_start").map_or("", |it| self.source(it));
        if start.len() == 3
            && let Some(Piece::Literal(first)) = pieces.first_mut()
        {
            *first = first.trim_start_matches('\r').trim_start_matches('\n').to_owned();
        }
        pieces
    }

    fn sigil(&mut self, node: Node<'_>, depth: usize) -> Expr {
        let part = |kind: &str| {
            let found = children(node).into_iter().find(|child| child.kind() == kind);
            found.map_or("", |child| self.source(child))
        };
        let (name, modifiers) = (part("sigil_name"), part("sigil_modifiers"));
        text::sigil(name, modifiers, self.pieces(node, depth))
    }
}

/// The named nodes below a node, comments left out.
fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).filter(|child| child.kind() != "comment").collect()
}
