//! How grave a line is, guessed from its text.

use std::str::FromStr;

use vial_protocol::words::UnknownWord;

/// How grave a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// Usual.
    Info,
    /// Not usual.
    Warning,
    /// Something failed.
    Error,
}

/// The words of loggers.
const WORDS: [(&str, Level); 16] = [
    ("debug", Level::Debug),
    ("trace", Level::Debug),
    ("info", Level::Info),
    ("notice", Level::Info),
    ("warning", Level::Warning),
    ("warn", Level::Warning),
    ("error", Level::Error),
    ("err", Level::Error),
    ("critical", Level::Error),
    ("crit", Level::Error),
    ("alert", Level::Error),
    ("emergency", Level::Error),
    ("emerg", Level::Error),
    ("fatal", Level::Error),
    ("panic", Level::Error),
    ("severe", Level::Error),
];

/// A level stands near the beginning of a line.
const LOOKED_AT: usize = 400;

impl Level {
    /// What a line says of itself: `[error]` as Elixir's logger has it, `level=error`,
    /// `"level":"error"`, or `ERROR` as a word of its own.
    #[must_use]
    pub fn of(line: &str) -> Option<Level> {
        let mut end = line.len().min(LOOKED_AT);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let line = &line[..end];
        bracketed(line).or_else(|| keyed(line)).or_else(|| shouted(line))
    }
}

impl FromStr for Level {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        named(word).ok_or_else(|| UnknownWord {
            word: word.into(),
            expected: "debug, info, warning or error",
        })
    }
}

fn named(word: &str) -> Option<Level> {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

fn bracketed(line: &str) -> Option<Level> {
    let inner = line.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    inner.map(|(inner, _)| inner.trim()).find_map(named)
}

/// The value of a key that loggers use.
fn keyed(line: &str) -> Option<Level> {
    ["level", "severity", "lvl"].iter().find_map(|key| {
        line.match_indices(key).find_map(|(at, _)| {
            let rest = line[at + key.len()..].trim_start_matches('"').trim_start();
            let value = rest.strip_prefix(['=', ':'])?.trim_start().trim_start_matches('"');
            let end = value.find(|it: char| !it.is_ascii_alphabetic()).unwrap_or(value.len());
            named(&value[..end])
        })
    })
}

/// A word in capitals among the first of a line.
fn shouted(line: &str) -> Option<Level> {
    let words = line.split(|it: char| !it.is_ascii_alphabetic()).filter(|it| !it.is_empty());
    words
        .take(8)
        .filter(|word| word.len() > 2 && word.bytes().all(|it| it.is_ascii_uppercase()))
        .find_map(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_read_as_loggers_write_it() {
        for (line, level) in [
            ("06:03:52.123 [error] GenServer terminating", Some(Level::Error)),
            ("\u{1b}[31m06:03:52.123 [error] in red\u{1b}[0m", Some(Level::Error)),
            ("06:03:52.123 request_id=F1 [warning] slow", Some(Level::Warning)),
            ("06:03:52 [notice] SIGTERM received - shutting down", Some(Level::Info)),
            ("time=2026-03-01T05:30:00Z level=warn msg=\"slow\"", Some(Level::Warning)),
            (r#"{"time":"2026","level":"debug","msg":"x"}"#, Some(Level::Debug)),
            (r#"{"severity" : "ERROR", "msg":"x"}"#, Some(Level::Error)),
            ("2026-03-01 05:30:00 ERROR the disk is full", Some(Level::Error)),
            ("2026-03-01T05:30:00Z  WARN vial: slow", Some(Level::Warning)),
            ("GET /errors/info answered in 3 ms", None),
            ("    (shop 1.0.0) lib/shop/error.ex:12", None),
            ("an error in a sentence is none", None),
            ("level of water: high", None),
            ("", None),
        ] {
            assert_eq!(Level::of(line), level, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(Level::of(&"ä".repeat(10_000)), None);
        assert_eq!(Level::of(&format!("x{}", "ä".repeat(10_000))), None);
    }

    #[test]
    fn levels_are_asked_for_by_any_of_their_words() {
        assert_eq!("warn".parse::<Level>().unwrap(), Level::Warning);
        assert!("loud".parse::<Level>().is_err());
        assert!(Level::Error > Level::Warning);
    }
}
