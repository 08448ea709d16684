//! Strangers on the slots' ports and on epmd's.

use std::time::Duration;

use vial_protocol::{Slot, SlotState};

use super::finding::Finding;
use super::scene::SetUp;
use crate::config::AppConfig;
use crate::slot::epmd;
use crate::slot::family::MARKER;
use crate::slot::port::{self, Listener};

/// An epmd answers in a millisecond.
const PATIENCE: Duration = Duration::from_secs(1);

pub(super) async fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for app in set.apps() {
        let strangers: Vec<Finding> =
            Slot::BOTH.into_iter().filter_map(|slot| of_slot(set, app, slot)).collect();
        if strangers.is_empty()
            && let Some(ports) = app.ports
        {
            let message = format!("{} and {} are {}'s own.", ports.blue, ports.green, app.name);
            findings.push(Finding::ok(format!("ports of {}", app.name), message));
        }
        findings.extend(strangers);
    }
    findings.extend(of_epmd(set).await);
    findings
}

fn of_slot(set: &SetUp<'_>, app: &AppConfig, slot: Slot) -> Option<Finding> {
    let port = app.port(slot)?;
    let listener = port::listener(port).ok().flatten()?;
    match set.status(&app.name) {
        // A deploy may be starting it right now, and checks by itself who listens.
        Some(status) if status.slot(slot)?.state != SlotState::Stopped => return None,
        Some(_) => {}
        None if is_ours(set, app, &listener)? => return None,
        None => {}
    }
    Some(Finding::problem(
        format!("ports of {}", app.name),
        format!(
            "Port {port}, which the {slot} slot of {} needs, is held by {}: a release cannot start \
             there.",
            app.name,
            described(&listener)
        ),
        format!(
            "End that process, or write other `ports` into {} and run `vial reload`.",
            set.file_of(&app.name).display()
        ),
    ))
}

/// Whether a process bears the mark of one of the app's runs: the slots run on without a daemon.
/// `None` where that cannot be seen.
fn is_ours(set: &SetUp<'_>, app: &AppConfig, listener: &Listener) -> Option<bool> {
    let environment = std::fs::read(format!("/proc/{}/environ", listener.pid?)).ok()?;
    let Some(id) = set.history().and_then(|history| history.id.as_deref()) else {
        return set.scene.sees_all().then_some(false);
    };
    let mark = format!("{MARKER}={id}.{}.", app.name);
    Some(environment.split(|byte| *byte == 0).any(|entry| entry.starts_with(mark.as_bytes())))
}

async fn of_epmd(set: &SetUp<'_>) -> Option<Finding> {
    let chosen = set.history().and_then(|history| history.epmd_port);
    let port = set.config.host.epmd_port.or(chosen)?;
    let listener = port::listener(port).ok().flatten()?;
    if let Ok(Ok(_)) = tokio::time::timeout(PATIENCE, epmd::names(port)).await {
        return Some(Finding::ok("epmd", format!("It answers on port {port}.")));
    }
    Some(Finding::problem(
        "epmd",
        format!(
            "Port {port}, where Vial's epmd should listen, is held by {}, which does not answer \
             as an epmd does: no release can start.",
            described(&listener)
        ),
        format!(
            "End that process, or set another `epmd_port` in {} and run {}.",
            set.scene.file.display(),
            set.scene.start("restart")
        ),
    ))
}

pub(super) fn described(listener: &Listener) -> String {
    match (&listener.name, listener.pid) {
        (Some(name), Some(pid)) => format!("{name} (process {pid})"),
        (None, Some(pid)) => format!("process {pid}"),
        _ => "a process of another user".to_owned(),
    }
}
