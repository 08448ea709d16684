//! What an app's releases start with.

use vial_protocol::{Environment, Variable};

use super::look::{Look, Tone};
use super::table::{Cell, Table};
use super::text;

/// The variables by name, and what of them waits for the next start.
#[must_use]
pub fn render(app: &str, environment: &Environment, look: &Look) -> String {
    let app = text::word(app);
    if environment.variables.is_empty() && environment.pending.is_empty() {
        return format!(
            "Nothing is set for {app} (what its `env_file` says is not listed here).\nNext: `vial \
             env {app} set KEY`, `vial env {app} import FILE`\n"
        );
    }
    let mut table = Table::new(&["Name", "Marked", "Version", "Set", "By…"]);
    for variable in &environment.variables {
        table.row([
            Cell::from(text::word(&variable.name)),
            Cell::from(if variable.secret { "secret" } else { "" }),
            Cell::from(variable.version.to_string()),
            Cell::from(look.short_clock(variable.set_at)),
            Cell::from(text::word(&variable.set_by)),
        ]);
    }
    let mut shown = table.render(look, "");
    if !environment.pending.is_empty() {
        let names: Vec<String> = environment.pending.iter().map(|name| text::word(name)).collect();
        let line = format!("Not in what serves yet: {}.", names.join(", "));
        shown.push_str(&format!(
            "{} `vial restart {app}` starts it with today's, without a build.\n",
            look.paint(Tone::Warn, &line)
        ));
    }
    shown
}

/// The variables with their values, as lines that `vial env APP import` reads again.
#[must_use]
pub fn revealed(environment: &Environment) -> String {
    let line = |it: &Variable| match &it.value {
        Some(value) => {
            let mark = if it.secret { "# secret\n" } else { "" };
            format!("{mark}{}={}\n", it.name, quoted(value))
        }
        None => format!("# {} cannot be opened: the key is gone, or is another one\n", it.name),
    };
    environment.variables.iter().map(line).collect()
}

/// In quotes that keep a value as it is.
fn quoted(value: &str) -> String {
    if !value.contains(['\'', '\n', '\r']) {
        return format!("'{value}'");
    }
    let mut quoted = String::from("\"");
    for char in value.chars() {
        match char {
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '"' | '\\' | '$' | '`' => quoted.extend(['\\', char]),
            char => quoted.push(char),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::env_file;

    proptest::proptest! {
        #[test]
        fn what_is_revealed_can_be_imported_again(value in "[^\0]{0,60}") {
            let text = format!("A={}\n", quoted(&value));
            let read = env_file::variables(&text).unwrap();
            proptest::prop_assert_eq!(read, vec![("A".to_owned(), value)]);
        }
    }
}
