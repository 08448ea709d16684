//! One value of a file: asks for a type and a range, and reports what is there instead.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeValue;

use super::document::Document;
use super::finding::visible;
use super::{duration, text};

/// Longer texts are cut in a message.
const SHOWN_CHARS: usize = 60;

/// No list of a configuration is longer.
const MOST_ITEMS: usize = 1000;

/// A value and where it stands.
pub(super) struct Entry<'d, 'i> {
    document: &'d Document,
    /// As a person writes it: "health.deadline", "hosts[1]".
    path: String,
    value: &'d Spanned<DeValue<'i>>,
    /// Whether messages must not repeat the value.
    secret: bool,
}

impl<'d, 'i> Entry<'d, 'i> {
    /// The value at a path.
    pub fn new(document: &'d Document, path: String, value: &'d Spanned<DeValue<'i>>) -> Self {
        Entry { document, path, value, secret: false }
    }

    /// The same, never repeated in a message.
    pub fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The document that it is in.
    pub fn document(&self) -> &'d Document {
        self.document
    }

    /// Its name, with those of the tables around it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The bytes of the file that it takes.
    pub fn span(&self) -> Range<usize> {
        self.value.span()
    }

    /// The byte of the file that it begins at.
    pub fn start(&self) -> usize {
        self.value.span().start
    }

    /// The value itself.
    pub fn value(&self) -> &'d DeValue<'i> {
        self.value.get_ref()
    }

    /// Reports that this value is not what it must be.
    pub fn wrong(&self, hint: &str) {
        let what = format!("`{}` is {}", self.path, self.found());
        self.document.find(Some(self.start()), what, hint.to_owned());
    }

    /// A text, as it stands. The hint says what would be right, with an example.
    pub fn text(&self, expected: &str) -> Option<&'d str> {
        match self.value() {
            DeValue::String(text) if text.contains('\0') => {
                let what = format!("`{}` has a NUL character", self.path);
                let hint = "no file name, host name or command can have one".to_owned();
                self.document.find(Some(self.start()), what, hint);
                None
            }
            DeValue::String(text) => Some(text),
            _ => {
                self.wrong(expected);
                None
            }
        }
    }

    /// A text for which `right` holds.
    pub fn text_that(&self, right: impl Fn(&str) -> bool, expected: &str) -> Option<String> {
        let text = self.text(expected)?;
        if right(text) {
            Some(text.to_owned())
        } else {
            self.wrong(expected);
            None
        }
    }

    /// One of several words.
    pub fn word<T: Copy>(&self, words: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let choice =
            names.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let expected = format!("it must be {choice}");
        let text = self.text(&expected)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        match text::nearest(text, &names) {
            Some(near) => self.wrong(&format!("{expected}; did you mean \"{near}\"?")),
            None => self.wrong(&expected),
        }
        None
    }

    /// A whole number in a range. `what`: "a port", "a number of releases".
    pub fn number<T>(&self, range: RangeInclusive<T>, what: &str, example: &str) -> Option<T>
    where
        T: PartialOrd + Display + TryFrom<u64> + Copy,
    {
        let number = match self.value() {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        let number = number.and_then(|number| T::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let (least, most) = (range.start(), range.end());
            self.wrong(&format!("it must be {what} from {least} to {most}, such as {example}"));
        }
        number
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.value() {
            DeValue::Boolean(value) => Some(*value),
            _ => {
                self.wrong("it must be true or false, without quotes");
                None
            }
        }
    }

    /// A time within bounds, as text with a unit.
    pub fn duration(&self, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        let digits = match self.value() {
            DeValue::Integer(digits) => Some(digits.as_str()),
            DeValue::Float(digits) => Some(digits.as_str()),
            DeValue::String(text) => Some(text.trim()).filter(|text| f64::from_str(text).is_ok()),
            _ => None,
        };
        if let Some(digits) = digits {
            let shown: String = digits.chars().take(20).flat_map(visible).collect();
            self.wrong(&format!(
                "the unit is missing: write \"{shown}s\" for seconds, or ms, m or h"
            ));
            return None;
        }
        let expected = "it must be a time as text with its unit, such as \"30s\", \"500ms\", \
                        \"15m\" or \"1h30m\"";
        let text = self.text(expected)?;
        let Some(value) = duration::parse(text) else {
            self.wrong(expected);
            return None;
        };
        if !bounds.contains(&value) {
            let least = duration::text(*bounds.start());
            let most = duration::text(*bounds.end());
            self.wrong(&format!("it must be from {least} to {most}"));
            return None;
        }
        Some(value)
    }

    /// An amount of bytes: a number, or text with a unit.
    pub fn bytes(&self, range: RangeInclusive<u64>, example: &str) -> Option<u64> {
        let amount = match self.value() {
            DeValue::String(text) => text::bytes(text),
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            _ => None,
        };
        let amount = amount.filter(|amount| range.contains(amount));
        if amount.is_none() {
            self.wrong(&format!(
                "it must be a number of bytes, or text with KiB, MiB or GiB, from {} to {}, such \
                 as {example}",
                text::bytes_shown(*range.start()),
                text::bytes_shown(*range.end()),
            ));
        }
        amount
    }

    /// A file or folder; a relative one starts from the folder of this file.
    pub fn file(&self, expected: &str) -> Option<PathBuf> {
        let text = self.text_that(
            |text| !text.is_empty() && text.len() < 4096 && !text.chars().any(char::is_control),
            expected,
        )?;
        Some(text::within(self.document.folder(), &text))
    }

    /// The items of a list.
    pub fn items(&self, example: &str) -> Option<Vec<Entry<'d, 'i>>> {
        let DeValue::Array(items) = self.value() else {
            self.wrong(&format!("it must be a list, such as `{example}`"));
            return None;
        };
        if items.len() > MOST_ITEMS {
            self.wrong(&format!("it must have at most {MOST_ITEMS} items"));
            return None;
        }
        let entries = items.iter().enumerate().map(|(index, value)| Entry {
            document: self.document,
            path: format!("{}[{index}]", self.path),
            value,
            secret: self.secret,
        });
        Some(entries.collect())
    }

    /// What is there, as a message shows it.
    fn found(&self) -> String {
        match self.value() {
            DeValue::String(_) if self.secret => "a text".into(),
            DeValue::String(text) => quoted(text),
            DeValue::Integer(_) | DeValue::Float(_) if self.secret => "a number".into(),
            DeValue::Integer(digits) => digits.to_string().chars().take(SHOWN_CHARS).collect(),
            DeValue::Float(digits) => digits.as_str().chars().take(SHOWN_CHARS).collect(),
            DeValue::Boolean(_) if self.secret => "true or false".into(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(_) => "a date".into(),
            DeValue::Array(_) => "a list".into(),
            DeValue::Table(_) => "a table".into(),
        }
    }
}

/// A text in quotes, cut, with what a terminal would act on escaped.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_CHARS).flat_map(visible).collect();
    let dots = if text.chars().nth(SHOWN_CHARS).is_some() { "…" } else { "" };
    format!("\"{shown}{dots}\"")
}
