//! The `notify` table: who is told what, of the host and of an app.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use toml::de::DeValue;
use vial_protocol::notification::Occasion;

use super::entry::Entry;
use super::section::{Section, quoted_key};
use super::text;

const KEYS: &[&str] = &["kind", "url", "url_file", "secret_file", "on"];
const EXAMPLE: &str = "[notify.team]";
const URL: &str = "it must be an address, such as \"https://example.com/deployments\"";

/// Who is told, by the name that messages call them.
pub type Targets = BTreeMap<String, Target>;

/// Who is told, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What they understand.
    pub kind: TargetKind,
    /// Where they are.
    pub url: TargetUrl,
    /// What they are told of.
    pub on: Vec<Occasion>,
}

/// What a target understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetKind {
    /// A notification as JSON, signed.
    Webhook {
        /// The file with the secret that it is signed by; absolute.
        secret_file: PathBuf,
    },
    /// A text, as Slack, Mattermost and Rocket.Chat take it.
    Slack,
}

/// Where a target is. Whoever knows the address of a Slack hook may write there: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum TargetUrl {
    /// As the file says.
    Plain(String),
    /// In a file of its own; absolute, and not opened yet.
    File(PathBuf),
}

impl fmt::Debug for TargetUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetUrl::Plain(_) => f.write_str("Plain"),
            TargetUrl::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

/// Reads the table, if there is one.
pub(super) fn read(root: &Section<'_, '_>) -> Targets {
    let Some(entry) = root.get("notify") else { return Targets::new() };
    let Some(entries) = Section::every(&entry) else {
        entry.wrong("it must be a table of those who are told, such as `[notify.team]`");
        return Targets::new();
    };
    let mut targets = Targets::new();
    for (name, span, entry) in entries {
        if !is_name(name) {
            entry.document().find(
                Some(span.start),
                format!("`notify.{}`", quoted_key(name)),
                "a name here is 1 to 32 small letters, digits, _ and -, such as \"team\"".into(),
            );
            continue;
        }
        let DeValue::Table(table) = entry.value() else {
            entry.wrong(&format!("it must be a table, such as `{EXAMPLE}`"));
            continue;
        };
        if let Some(target) = read_target(&Section::inner(&entry, table, KEYS, &[]), &entry) {
            targets.insert(name.to_owned(), target);
        }
    }
    targets
}

fn is_name(name: &str) -> bool {
    let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    (1..=32).contains(&name.len()) && name.chars().all(right)
}

fn read_target(table: &Section<'_, '_>, whole: &Entry<'_, '_>) -> Option<Target> {
    let slack = match table.get("kind") {
        Some(kind) => kind.word(&[("webhook", false), ("slack", true)])?,
        None => false,
    };
    let url = match (table.get("url"), table.get("url_file")) {
        (Some(url), None) => TargetUrl::Plain(url.secret().text_that(text::is_web_address, URL)?),
        (None, Some(file)) => TargetUrl::File(file.file(
            "it must be the path of a file with an address in it, such as \"/etc/vial/slack\"",
        )?),
        (None, None) => {
            table.missing("url", "add `url`, or `url_file` with the path of a file that has it");
            return None;
        }
        (Some(_), Some(file)) => {
            file.wrong("`url` is there as well: take one of them away");
            return None;
        }
    };
    let secret = table.get("secret_file");
    let kind = match (slack, secret) {
        (true, None) => TargetKind::Slack,
        (true, Some(secret)) => {
            secret.wrong("Slack checks no signature: take it away");
            return None;
        }
        (false, Some(secret)) => TargetKind::Webhook {
            secret_file: secret.file(
                "it must be the path of a file with a secret in it, such as \"/etc/vial/key\"",
            )?,
        },
        (false, None) => {
            whole.document().find(
                Some(whole.start()),
                format!("`{}.secret_file` is missing", whole.path()),
                "add the path of a file with a secret, by which whoever is told knows that it is \
                 Vial; for Slack add `kind = \"slack\"`"
                    .into(),
            );
            return None;
        }
    };
    Some(Target { kind, url, on: read_on(table) })
}

fn read_on(table: &Section<'_, '_>) -> Vec<Occasion> {
    let Some(entry) = table.get("on") else { return Occasion::ALL.to_vec() };
    let words = Occasion::ALL.map(|it| (it.as_str(), it));
    let items = entry.items("on = [\"failed\", \"rolled_back\"]").unwrap_or_default();
    items.iter().filter_map(|item| item.word(&words)).collect()
}
