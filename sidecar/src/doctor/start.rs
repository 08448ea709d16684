//! How releases are started: directly, or by their script; and who reads their cookie.

use std::fs;

use vial_protocol::AppStatus;

use super::finding::Finding;
use super::scene::SetUp;
use crate::config::{AppConfig, Start};
use crate::slot::direct::secret::Place;
use crate::slot::direct::{self, Reason};
use crate::slot::env_file;
use crate::slot::environment::Variables;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    set.apps().flat_map(|app| of(set, app)).collect()
}

fn of(set: &SetUp<'_>, app: &AppConfig) -> Vec<Finding> {
    let Some(status) = set.status(&app.name) else { return Vec::new() };
    let subject = format!("start of {}", app.name);
    let file = set.file_of(&app.name).display().to_string();
    let mut findings = Vec::new();
    let reason = match app.start {
        Start::Script => None,
        Start::Direct => by_script(set, app, status),
    };
    if let Some(reason) = &reason {
        findings.push(Finding::hint(
            subject.clone(),
            format!(
                "`start` is \"direct\" in {file}, and {} is started by its script all the same: \
                 {reason}.",
                app.name
            ),
            "It runs as well so; what differs must go out of the release, or of its environment, \
             for Vial to start it.",
        ));
    }
    if let Some((slot, pid)) = open_cookie(status) {
        let cure = match (app.start, &reason) {
            (Start::Script, _) => format!(
                "On a host with other users than the app's: write `start = \"direct\"` into \
                 {file}, then `vial reload` and `vial restart {}`.",
                app.name
            ),
            (Start::Direct, None) => {
                format!("`vial restart {}`: it was started before that was asked for.", app.name)
            }
            (Start::Direct, Some(_)) => "Have it started directly, see above.".into(),
        };
        findings.push(Finding::hint(
            subject.clone(),
            format!(
                "The cookie of {} is on the command line of the release in the {slot} slot \
                 (pid {pid}), where its script put it: every user of this host can read it, and \
                 with it run code in the release.",
                app.name
            ),
            cure,
        ));
    }
    if findings.is_empty() && app.start == Start::Direct {
        findings.push(Finding::ok(
            subject,
            format!("Vial starts {} itself; its cookie is on no command line.", app.name),
        ));
    }
    findings
}

/// Why the release that serves is left to its script, as far as the files tell: what `vial env`
/// keeps is not ours to read.
fn by_script(set: &SetUp<'_>, app: &AppConfig, status: &AppStatus) -> Option<Reason> {
    let (serving, slot) = (status.serving.as_ref()?, status.active?);
    let layout = set.layout().app(&app.name);
    let release = layout.release(serving.number);
    if !set.scene.sees_all() || !release.exists() {
        return None;
    }
    let read = app.env_file.as_ref().and_then(|path| env_file::read(path).ok());
    let of_file = read.into_iter().flat_map(|read| read.variables);
    let of_slot = app.slot_env.of(slot).iter().map(|(name, value)| (name.into(), value.into()));
    let mut env: Variables = Vec::new();
    for (name, value) in of_file.chain(of_slot) {
        env.retain(|(known, _)| known.to_str() != Some(name.as_str()));
        env.push((name.into(), value.into()));
    }
    if let Some(mode) = app.mode {
        env.retain(|(known, _)| known != "RELEASE_MODE");
        env.push(("RELEASE_MODE".into(), mode.as_str().into()));
    }
    let place = Place::new(layout.nodes(), slot, None);
    direct::look(&release, &app.release, &env, &place).err()
}

/// A slot whose process has the cookie on its command line.
fn open_cookie(status: &AppStatus) -> Option<(vial_protocol::Slot, u32)> {
    let running = status.slots.iter().filter_map(|slot| Some((slot.slot, slot.pid?)));
    running.into_iter().find(|(_, pid)| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let words = line.split(|byte| *byte == 0);
        words.take_while(|word| *word != b"-extra").any(|word| word == b"-setcookie")
    })
}
