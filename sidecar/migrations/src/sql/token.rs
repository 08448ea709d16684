//! The words of SQL.

use crate::change::HOLE;

/// More than this many in one text are not looked at.
const MOST: usize = 20_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A bare word, in lower case.
    Word(String),
    /// A quoted name.
    Quoted(String),
    /// A string, or what stands between dollars.
    Text,
    /// Any other character.
    Sign(char),
}

impl Token {
    pub(super) fn is(&self, word: &str) -> bool {
        match self {
            Token::Word(text) => text == word,
            Token::Sign(sign) => word.len() == 1 && word.starts_with(*sign),
            Token::Quoted(_) | Token::Text => false,
        }
    }

    pub(super) fn has_hole(&self) -> bool {
        match self {
            Token::Word(text) | Token::Quoted(text) => text.contains(HOLE),
            Token::Text | Token::Sign(_) => false,
        }
    }
}

/// The statements of a text; `None` where it is too long or a quote does not end.
pub(super) fn statements(text: &str) -> Option<Vec<Vec<Token>>> {
    let (mut all, mut count) = (vec![Vec::new()], 0);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        count += 1;
        if count > MOST {
            return None;
        }
        let (token, after) = if first.is_whitespace() {
            (None, &rest[first.len_utf8()..])
        } else if rest.starts_with("--") {
            (None, rest.split_once('\n').map_or("", |(_, after)| after))
        } else if let Some(comment) = rest.strip_prefix("/*") {
            (None, comment.split_once("*/")?.1)
        } else if matches!(first, '"' | '`') {
            let (name, after) = quoted(rest, first)?;
            (Some(Token::Quoted(name)), after)
        } else if first == '\'' {
            (Some(Token::Text), quoted(rest, first)?.1)
        } else if let Some(after) = dollars(rest)? {
            (Some(Token::Text), after)
        } else if is_word(first) {
            let end = rest.find(|it| !is_word(it) && it != '$').unwrap_or(rest.len());
            (Some(Token::Word(rest[..end].to_lowercase())), &rest[end..])
        } else {
            (Some(Token::Sign(first)), &rest[first.len_utf8()..])
        };
        rest = after;
        match token {
            Some(Token::Sign(';')) => all.push(Vec::new()),
            Some(token) => {
                if let Some(statement) = all.last_mut() {
                    statement.push(token);
                }
            }
            None => {}
        }
    }
    all.retain(|statement| !statement.is_empty());
    Some(all)
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_' || it == HOLE
}

/// What stands in quotes that are doubled inside, and the rest.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut rest = text.strip_prefix(quote)?;
    loop {
        let (before, after) = rest.split_once(quote)?;
        inner.push_str(before);
        match after.strip_prefix(quote) {
            Some(after) => {
                inner.push(quote);
                rest = after;
            }
            None => return Some((inner, after)),
        }
    }
}

/// What comes after `$tag$ … $tag$`; `Some(None)` where there is none.
#[allow(clippy::option_option, reason = "no such text, and one that does not end")]
fn dollars(text: &str) -> Option<Option<&str>> {
    let Some(inner) = text.strip_prefix('$') else { return Some(None) };
    let Some((tag, body)) = inner.split_once('$') else { return Some(None) };
    if !tag.chars().all(is_word) {
        return Some(None);
    }
    let end = format!("${tag}$");
    let at = body.find(&end)?;
    Some(Some(&body[at + end.len()..]))
}
