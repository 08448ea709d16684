//! From text to a syntax tree, within limits.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use tree_sitter::{ParseOptions, Parser};

use super::File;
use super::convert::Converter;

/// How often tree-sitter may ask whether to go on: once for about a hundred of its steps. It is
/// counted, not timed, so that a busy host reads a file as an idle one does.
const PARSER_TURNS: usize = 40_000;

/// For text in which a step is no small thing: a megabyte of errors took ten seconds without it,
/// and an honest megabyte half a second.
const PARSER_TIME: Duration = Duration::from_secs(3);

/// `None` where the parser gave up.
pub(crate) fn parse(source: &str) -> Option<File> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_elixir::LANGUAGE.into()).ok()?;
    let mut turns = 0_usize;
    let began = Instant::now();
    let mut go_on = |_: &_| {
        turns += 1;
        if turns > PARSER_TURNS || began.elapsed() > PARSER_TIME {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let bytes = source.as_bytes();
    let tree = parser.parse_with_options(
        &mut |at, _| bytes.get(at..).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut go_on)),
    )?;
    let root = tree.root_node();
    let mut converter = Converter::new(source);
    let body = converter.all(root, 0);
    Some(File { body, whole: !root.has_error() && converter.is_whole() })
}

#[cfg(test)]
mod tests {
    use super::super::Expr;
    use super::*;

    fn one(source: &str) -> Expr {
        let file = parse(source).unwrap();
        assert!(file.whole, "{source}: {file:?}");
        assert_eq!(file.body.len(), 1, "{file:?}");
        file.body.into_iter().next().unwrap()
    }

    #[test]
    fn a_call_reads_the_same_with_and_without_its_parentheses_and_its_block() {
        let short = one("if a, do: b(1)");
        assert_eq!(short, one("if(a, do: b(1))"));
        assert_eq!(short, one("if a do\n  # why\n  b 1\nend"));
        assert_eq!(one("a.b"), one("a.b()"));
    }

    #[test]
    fn text_is_what_elixir_makes_of_it() {
        let text = |source: &str| match one(source) {
            Expr::Text(pieces) => format!("{pieces:?}"),
            other => format!("{other:?}"),
        };
        assert_eq!(text(r#""a\"b\n""#), text("\"\"\"\na\"b\n\"\"\""));
        assert_eq!(text("~s(a b)"), text("\"a b\""));
        assert_eq!(one("~w(a b)a"), one("[:a, :b]"));
        assert_eq!(one(":\"a b\""), Expr::Atom("a b".into()));
        assert!(text("\"a#{b}c\"").contains("Hole(Name(\"b\"))"));
    }

    #[test]
    fn what_is_no_elixir_is_said_to_be_read_in_part() {
        assert!(!parse("def a( do").unwrap().whole);
        assert!(!parse(&"[".repeat(400)).unwrap().whole);
        assert!(!parse(&format!("{}{}", "[".repeat(400), "]".repeat(400))).unwrap().whole);
    }
}
