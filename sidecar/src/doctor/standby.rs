//! What cannot be kept as its file says.

use std::fs;

use vial_protocol::StandbyMode;

use super::finding::Finding;
use super::scene::SetUp;
use crate::config::AppConfig;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let frozen = set.apps().filter(|app| app.standby.mode == StandbyMode::Frozen);
    frozen.filter_map(|app| silent(set, app)).collect()
}

/// A release that nobody in it speaks for is never frozen: it never says that it came to rest.
fn silent(set: &SetUp<'_>, app: &AppConfig) -> Option<Finding> {
    let serving = set.status(&app.name)?.serving.as_ref()?;
    let libraries = set.layout().app(&app.name).release(serving.number).join("lib");
    // Not ours to read, it is not ours to judge.
    let mut names = fs::read_dir(libraries).ok()?.flatten().map(|it| it.file_name());
    if names.any(|name| name.to_string_lossy().starts_with("vial-")) {
        return None;
    }
    let becomes = match app.standby.otherwise {
        StandbyMode::Warm => "kept warm",
        _ => "stopped",
    };
    Some(Finding::warning(
        format!("standby of {}", app.name),
        format!(
            "{} shall be frozen once another release serves, and the library `vial` is not in it: \
             nothing there can say that it came to rest, so it will be {becomes} instead.",
            serving.label()
        ),
        format!(
            "Add `:vial` to the dependencies of {}, or say `mode = \"warm\"` in {}.",
            app.name,
            set.file_of(&app.name).display()
        ),
    ))
}
