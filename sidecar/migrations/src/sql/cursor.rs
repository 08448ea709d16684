//! A statement as it is read, word by word.

use vial_protocol::Effect;

use super::token::Token;
use crate::change::{HOLE, Name, What};

/// A statement, from where it is being read.
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t [Token],
}

impl<'t> Cursor<'t> {
    /// Takes these words, if all of them come next.
    pub(super) fn eat(&mut self, words: &str) -> bool {
        let mut rest = self.rest;
        for word in words.split(' ') {
            match rest.split_first() {
                Some((first, after)) if first.is(word) => rest = after,
                _ => return false,
            }
        }
        self.rest = rest;
        true
    }

    pub(super) fn eat_any(&mut self, all: &[&str]) -> bool {
        all.iter().any(|words| self.eat(words))
    }

    /// Takes a name with its schema; `None` in it where it cannot be read.
    pub(super) fn name(&mut self) -> Option<Name> {
        let mut parts = Vec::new();
        loop {
            let Some((Token::Word(part) | Token::Quoted(part), after)) = self.rest.split_first()
            else {
                return None;
            };
            parts.push(part.as_str());
            self.rest = after;
            if !self.eat(".") {
                break;
            }
        }
        let schema = parts.iter().position(|part| *part == "public").map_or(0, |_| 1);
        let name = parts[schema.min(parts.len() - 1)..].join(".");
        Some((!name.contains(HOLE)).then_some(name))
    }

    /// Takes what stands in parentheses, as text.
    pub(super) fn parentheses(&mut self) -> Option<String> {
        if !self.eat("(") {
            return None;
        }
        let (mut depth, mut text) = (1, String::new());
        while let Some((token, after)) = self.rest.split_first() {
            self.rest = after;
            match token {
                Token::Sign('(') => depth += 1,
                Token::Sign(')') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(text.replace('\0', "…"));
            }
            match token {
                Token::Word(word) | Token::Quoted(word) => {
                    if text.ends_with(|it: char| it.is_alphanumeric()) {
                        text.push(' ');
                    }
                    text.push_str(word);
                }
                Token::Text => text.push_str("'…'"),
                Token::Sign(',') => text.push_str(", "),
                Token::Sign(sign) => text.push(*sign),
            }
        }
        None
    }

    pub(super) fn has(&self, words: &str) -> bool {
        let count = words.split(' ').count();
        (0..self.rest.len().saturating_sub(count - 1))
            .any(|at| Cursor { rest: &self.rest[at..] }.eat(words))
    }
}

pub(super) fn other(effect: Effect, phrase: impl Into<String>) -> What {
    What::Other { effect, phrase: phrase.into() }
}
