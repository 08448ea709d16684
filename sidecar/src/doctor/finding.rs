//! What was found.

use serde::Serialize;

/// How bad it is. The later, the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// As it should be, and worth knowing.
    Hint,
    /// It works today and will not always.
    Warning,
    /// It does not work.
    Problem,
}

impl Level {
    /// The word, as in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Hint => "hint",
            Level::Warning => "warning",
            Level::Problem => "problem",
        }
    }

    /// Whether something is to be mended.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        self >= Level::Warning
    }
}

/// One thing that was looked at. Its texts may hold what others wrote: untrusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at: "configuration", "route of shop".
    pub subject: String,
    /// What was seen, and why it is wrong.
    pub message: String,
    /// What mends it; always there where something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(subject: impl Into<String>, message: impl Into<String>) -> Self {
        Finding { level: Level::Ok, subject: subject.into(), message: message.into(), cure: None }
    }

    /// Worth knowing.
    pub(super) fn hint(
        subject: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Finding { level: Level::Hint, cure: Some(cure.into()), ..Finding::ok(subject, message) }
    }

    /// It works today.
    pub(super) fn warning(
        subject: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Finding { level: Level::Warning, cure: Some(cure.into()), ..Finding::ok(subject, message) }
    }

    /// It does not work.
    pub(super) fn problem(
        subject: impl Into<String>,
        message: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Finding { level: Level::Problem, cure: Some(cure.into()), ..Finding::ok(subject, message) }
    }
}

/// A text of another part of Vial as a sentence: with its capital and its full stop.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim();
    let first: String = text.chars().take_while(|c| !c.is_whitespace()).collect();
    // A name, a path or a version stays as it is.
    let mut said = if first.chars().all(char::is_alphabetic) {
        text.chars().take(1).flat_map(char::to_uppercase).chain(text.chars().skip(1)).collect()
    } else {
        text.to_owned()
    };
    if !said.is_empty() && !said.ends_with(['.', '?', '!']) {
        said.push('.');
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_a_sentence_and_names_stay_as_they_are() {
        assert_eq!(
            sentence("unknown key `a`: did you mean `b`?"),
            "Unknown key `a`: did you mean `b`?"
        );
        assert_eq!(sentence(" correct it, then `vial reload` "), "Correct it, then `vial reload`.");
        assert_eq!(sentence("shop: broken"), "shop: broken.");
        assert_eq!(sentence("v1.0 exits."), "v1.0 exits.");
        assert_eq!(sentence(""), "");
    }
}
