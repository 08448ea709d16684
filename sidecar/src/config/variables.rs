//! Reads a table of variables.

use std::collections::BTreeMap;

use super::app::EnvVars;
use super::entry::Entry;
use super::section::{Section, quoted_key};
use super::text;

/// Vial itself sets these for a slot, or keeps them from it.
const RESERVED: &[&str] = &[
    "PORT",
    "RELEASE_NODE",
    "RELEASE_TMP",
    "RELEASE_ROOT",
    "RELEASE_NAME",
    "RELEASE_VSN",
    "RELEASE_COMMAND",
    "RELEASE_PROG",
    "RELEASE_SYS_CONFIG",
    "BINDIR",
    "ROOTDIR",
    "EMU",
    "PROGNAME",
    "NOTIFY_SOCKET",
    "LISTEN_FDS",
    "LISTEN_PID",
    "LISTEN_FDNAMES",
];

/// Names and values, as a start gets them.
pub(super) fn read(entry: &Entry<'_, '_>) -> EnvVars {
    let Some(values) = Section::every(entry) else {
        entry.wrong("it must be a table of variables, such as `{ METRICS_PORT = \"9568\" }`");
        return EnvVars::default();
    };
    let mut vars = BTreeMap::new();
    for (name, span, value) in values {
        let start = Some(span.start);
        let shown = quoted_key(name);
        if !text::is_env_name(name) {
            entry.document().find(
                start,
                format!("variable `{shown}`"),
                "a variable's name is letters, digits and _, and begins with no digit".into(),
            );
        } else if RESERVED.contains(&name) || name.starts_with("VIAL_") {
            entry.document().find(
                start,
                format!("variable `{shown}`"),
                "Vial decides this one itself: take it away".into(),
            );
        }
        let expected = "a variable's value must be text, such as \"9568\", in quotes";
        if let Some(text) = value.secret().text(expected) {
            vars.insert(name.to_owned(), text.to_owned());
        }
    }
    EnvVars(vars)
}
