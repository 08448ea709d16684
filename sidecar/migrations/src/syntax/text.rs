//! What is between quotes.

use super::{Expr, Piece};

/// Adds text to the piece before it, or as a new one.
pub(super) fn push(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        Some(Piece::Literal(literal)) => literal.push_str(text),
        _ => pieces.push(Piece::Literal(text.to_owned())),
    }
}

/// `:"users"`, unless something is put into it.
pub(super) fn atom(pieces: Vec<Piece>) -> Expr {
    match pieces.as_slice() {
        [] => Expr::Atom(String::new()),
        [Piece::Literal(text)] => Expr::Atom(text.clone()),
        _ => Expr::call("String.to_atom", vec![Expr::Text(pieces)]),
    }
}

/// `~s` and its like are text, `~w` a list; others are somebody's own, and `~SQL` is text.
pub(super) fn sigil(name: &str, modifiers: &str, pieces: Vec<Piece>) -> Expr {
    match name {
        "s" | "S" | "c" | "C" | "SQL" => Expr::Text(pieces),
        "w" | "W" => {
            let words = match pieces.as_slice() {
                [] => "",
                [Piece::Literal(text)] => text,
                _ => return Expr::call("<<>>", Vec::new()),
            };
            let word = |word: &str| match modifiers {
                "a" => Expr::Atom(word.to_owned()),
                _ => Expr::Text(vec![Piece::Literal(word.to_owned())]),
            };
            Expr::List(words.split_whitespace().map(word).collect())
        }
        _ => Expr::call("<<>>", Vec::new()),
    }
}

/// The character that an escape stands for; nothing for one that is none.
pub(super) fn unescape(sequence: &str) -> String {
    let inner = sequence.strip_prefix('\\').unwrap_or(sequence);
    let code = |digits: &str| {
        let digits = digits.trim_start_matches('{').trim_end_matches('}');
        u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
    };
    match inner.chars().next() {
        Some('x' | 'u') => code(&inner[1..]).map(String::from).unwrap_or_default(),
        Some('n') => "\n".into(),
        Some('t') => "\t".into(),
        Some('r') => "\r".into(),
        Some('s') => " ".into(),
        // The end of a line that is continued.
        Some('\n') | None => String::new(),
        Some('0' | 'a' | 'b' | 'd' | 'e' | 'f' | 'v') => String::new(),
        Some(other) => other.to_string(),
    }
}
