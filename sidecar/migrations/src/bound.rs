//! What is said goes over the wire and to terminals: bounded, and without control characters.

use std::collections::HashSet;

const LONGEST_NAME: usize = 60;
pub(crate) const LONGEST_PHRASE: usize = 160;
const LONGEST_LIST: usize = 20;

/// Said where a file is no Elixir to the grammar.
pub(crate) const NO_SYNTAX: &str = "has syntax that Vial cannot parse";

/// A name out of somebody's file.
pub(crate) fn name(name: &str) -> String {
    cut(name, LONGEST_NAME)
}

/// Text without what a terminal would obey, cut where it is longer than so many characters.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    let mut kept = text.chars().filter(|it| !is_hidden(*it));
    let mut all: String = kept.by_ref().take(longest).collect();
    if kept.next().is_some() {
        all.pop();
        all.push('…');
    }
    all
}

/// Control characters, and those that turn the direction of text or have no width.
fn is_hidden(it: char) -> bool {
    it.is_control()
        || matches!(it, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
        || matches!(it, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(it, '\u{e0000}'..='\u{e007f}')
}

/// Each phrase once, and no more of them than a person reads.
pub(crate) fn list(all: Vec<String>) -> Vec<String> {
    let mut known = HashSet::new();
    let mut kept: Vec<_> = all
        .into_iter()
        .map(|phrase| cut(&phrase, 2 * LONGEST_PHRASE))
        .filter(|phrase| known.insert(phrase.clone()))
        .collect();
    let more = kept.len().saturating_sub(LONGEST_LIST);
    if more > 0 {
        kept.truncate(LONGEST_LIST);
        kept.push(format!("and {more} more"));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_left_out() {
        assert_eq!(name("a\u{1b}[31mb\u{202e}c\nd"), "a[31mbcd");
    }

    #[test]
    fn what_is_long_is_cut_and_said_to_be() {
        assert_eq!(name(&"é".repeat(61)), format!("{}…", "é".repeat(59)));
        assert_eq!(name(&"é".repeat(60)), "é".repeat(60));
        let many = (0..25).map(|it| it.to_string()).chain(["0".to_owned()]).collect();
        assert_eq!(list(many).last().unwrap(), "and 5 more");
    }
}
