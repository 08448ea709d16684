//! Where pushes come from and who is told: the webhooks' address, the files with secrets, the
//! repository that cannot be asked. Whom nobody could tell is a warning of the app's status.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::finding::Finding;
use super::ports::described;
use super::scene::SetUp;
use crate::config::{AppConfig, TargetKind, TargetUrl, Targets};
use crate::slot::port;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = address(set).into_iter().collect();
    findings.extend(told("who is told", &set.scene.file, &set.config.host.notify));
    for app in set.apps() {
        let secret = set.layout().app(&app.name).hook_secret();
        findings.extend(closed(&format!("webhooks of {}", app.name), &secret, false));
        let subject = format!("who is told of {}", app.name);
        findings.extend(told(&subject, &set.file_of(&app.name), &app.notify));
        findings.extend(source(set, app));
    }
    findings
}

/// Whether the daemon has the address of the webhooks.
fn address(set: &SetUp<'_>) -> Option<Finding> {
    const SUBJECT: &str = "webhooks";
    let address = set.config.host.hooks?;
    let daemon = set.scene.listener.map(|listener| listener.pid);
    let found = port::listener(address.port()).ok()?;
    match (found, daemon) {
        (Some(found), Some(daemon)) if found.pid == Some(daemon) => {
            Some(Finding::ok(SUBJECT, format!("Taken at {address}.")))
        }
        // Whose it is cannot be seen from here.
        (Some(found), _) if found.pid.is_none() => None,
        (Some(found), _) => Some(Finding::problem(
            SUBJECT,
            format!(
                "Port {}, where webhooks shall be taken, is held by {}: no push is heard of.",
                address.port(),
                described(&found)
            ),
            format!(
                "End that process, or write another `hooks.listen` into {}; then {}.",
                set.scene.file.display(),
                set.scene.start("restart")
            ),
        )),
        (None, Some(_)) => Some(Finding::problem(
            SUBJECT,
            format!("The daemon takes no webhooks at {address}: no push is heard of."),
            format!(
                "{}: it reads `hooks.listen` when it starts, and its log says what is wrong with it.",
                set.scene.start("restart")
            ),
        )),
        (None, None) => None,
    }
}

/// The files with secrets of those who are told. `file` is where they are configured.
fn told(subject: &str, file: &Path, targets: &Targets) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, target) in targets {
        match &target.url {
            TargetUrl::File(path) => findings.extend(closed(subject, path, true)),
            TargetUrl::Plain(_) if target.kind == TargetKind::Slack && is_open(file) => {
                findings.push(Finding::warning(
                    subject,
                    format!(
                        "`notify.{name}.url` is as good as a password, and others may read {}.",
                        file.display()
                    ),
                    format!(
                        "Move it into a file of mode 600 and write `url_file`, or run `chmod 600 {}`.",
                        file.display()
                    ),
                ));
            }
            TargetUrl::Plain(_) => {}
        }
        if let TargetKind::Webhook { secret_file } = &target.kind {
            findings.extend(closed(subject, secret_file, true));
        }
    }
    findings
}

fn is_open(path: &Path) -> bool {
    path.metadata().is_ok_and(|data| data.mode() & 0o077 != 0)
}

/// A file with a secret that others can read, or that is missing where it must be there.
fn closed(subject: &str, path: &Path, needed: bool) -> Option<Finding> {
    let shown = path.display();
    match path.metadata() {
        Ok(data) if data.mode() & 0o077 != 0 => Some(Finding::problem(
            subject,
            format!(
                "{shown} holds a secret, and others may read it (mode {:04o}).",
                data.mode() & 0o7777
            ),
            format!("Run `chmod 600 {shown}`, and change the secret if others use this host."),
        )),
        Ok(_) => None,
        Err(_) if !needed => None,
        Err(error) => Some(Finding::problem(
            subject,
            format!("{shown} cannot be looked at: {error}. Nobody is told by it."),
            "Write it, or correct its path in the configuration.",
        )),
    }
}

fn source(set: &SetUp<'_>, app: &AppConfig) -> Option<Finding> {
    let subject = format!("auto-deploy of {}", app.name);
    let source = app.source.as_ref()?;
    let auto = set.status(&app.name)?.auto_deploy.as_ref().filter(|it| it.on)?;
    if let Some(failing) = &auto.failing {
        return Some(Finding::warning(
            subject,
            format!(
                "The repository of {} could not be asked for {} ({} attempts): {}.",
                app.name,
                auto.branch,
                failing.attempts,
                failing.error.trim_end_matches('.')
            ),
            format!(
                "Correct `[source]` in {}, or what Git says; `vial auto-deploy {} on` asks at once.",
                set.file_of(&app.name).display(),
                app.name
            ),
        ));
    }
    if set.config.host.hooks.is_none() && source.poll.is_none() {
        return Some(Finding::hint(
            subject,
            format!("It is on for {}, and nothing tells the daemon of a push.", app.name),
            format!(
                "Add `[hooks] listen = \"127.0.0.1:4180\"` to {}, or `poll = \"60s\"` to `[source]` \
                 in {}.",
                set.scene.file.display(),
                set.file_of(&app.name).display()
            ),
        ));
    }
    Some(Finding::ok(subject, format!("On, from {}.", auto.branch)))
}
