//! What an app's releases start with: their user and their `env_file`.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use vial_protocol::Slot;

use super::access::{Want, Who};
use super::finding::Finding;
use super::scene::SetUp;
use crate::config::AppConfig;
use crate::slot::env_file::{self, EnvFileError};
use crate::slot::heart;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    set.apps()
        .flat_map(|app| {
            user(set, app).into_iter().chain(variables(set, app)).chain(heart(set, app))
        })
        .collect()
}

/// A release whose environment turns heart on is not started.
fn heart(set: &SetUp<'_>, app: &AppConfig) -> Option<Finding> {
    let read = app.env_file.as_ref().and_then(|path| env_file::read(path).ok());
    let of_file = read.iter().flat_map(|it| &it.variables).map(|(n, v)| (n.as_str(), v.as_str()));
    let (place, error) = match heart::turned_on(of_file) {
        Some(error) => (app.env_file.clone()?, error),
        None => {
            let both = Slot::BOTH.into_iter().flat_map(|slot| app.slot_env.of(slot).iter());
            let found = heart::turned_on(both);
            (set.file_of(&app.name), found?)
        }
    };
    Some(Finding::problem(
        format!("environment of {}", app.name),
        format!(
            "{} turns heart on in {}: heart would start the release again by itself, outside its \
             slot. Vial starts no release with it.",
            error.variable,
            place.display()
        ),
        format!("Take -heart out of {}; Vial restarts a release that ends.", error.variable),
    ))
}

/// Whether the app's user comes as far as its releases.
fn user(set: &SetUp<'_>, app: &AppConfig) -> Option<Finding> {
    let user = app.user.as_ref()?;
    let subject = format!("user of {}", app.name);
    let releases = set.layout().app(&app.name).releases();
    // Before the daemon made it, the way to the state folder is what can be judged.
    let there = releases.ancestors().find(|above| above.exists())?;
    match Who::named(&user.name)?.stopped(there, Want::Pass) {
        Ok(Some(closed)) => Some(Finding::problem(
            subject,
            format!(
                "{} cannot reach the releases in {}: {} is closed to it (mode {:04o}).",
                user.name,
                releases.display(),
                closed.path.display(),
                closed.mode
            ),
            format!("Run `chmod o+x {}`.", closed.path.display()),
        )),
        Ok(None) => Some(Finding::ok(subject, format!("{} reaches its releases.", user.name))),
        // Closed to us; root sees it.
        Err(_) => None,
    }
}

fn variables(set: &SetUp<'_>, app: &AppConfig) -> Vec<Finding> {
    let Some(path) = &app.env_file else { return Vec::new() };
    let subject = format!("env_file of {}", app.name);
    let shown = path.display();
    let daemon = &set.scene.daemon_user;
    let file = set.file_of(&app.name);
    if let Ok(Some(closed)) = daemon.stopped(path, Want::Read) {
        return vec![Finding::problem(
            subject,
            format!(
                "{}, whom the daemon runs as, cannot read {shown}: {} belongs to {} and has the \
                 mode {:04o}. The app cannot start.",
                daemon.name(),
                closed.path.display(),
                super::access::name(closed.owner),
                closed.mode
            ),
            format!("Run `chown {} {shown}`, with the mode 0600.", daemon.name()),
        )];
    }
    let mut findings = match env_file::read(path) {
        Ok(read) => vec![Finding::ok(
            subject.clone(),
            format!("{shown}, with {} variables.", read.variables.len()),
        )],
        Err(EnvFileError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
            vec![Finding::problem(
                subject.clone(),
                format!("The env_file {shown} does not exist, so the app cannot start."),
                format!("Write it (mode 0600), or take `env_file` out of {}.", file.display()),
            )]
        }
        Err(EnvFileError::Read { source, .. })
            if source.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            vec![Finding::ok(
                subject.clone(),
                format!("{shown} is closed to you, as it should be."),
            )]
        }
        Err(error @ EnvFileError::Read { .. }) => vec![Finding::problem(
            subject.clone(),
            error.to_string(),
            "Put a plain text file of NAME=value lines there.",
        )],
        Err(error @ EnvFileError::Line { .. }) => vec![Finding::problem(
            subject.clone(),
            format!("{error} The app cannot start."),
            "Correct the line; in doubt put the value in single quotes.",
        )],
    };
    findings.extend(open(path, &subject));
    findings
}

fn open(path: &Path, subject: &str) -> Option<Finding> {
    let mode = path.metadata().ok()?.mode();
    let (what, bits) = match mode {
        mode if mode & 0o002 != 0 => ("change", "o-rwx"),
        mode if mode & 0o004 != 0 => ("read", "o-r"),
        _ => return None,
    };
    let path = path.display();
    Some(Finding::warning(
        subject,
        format!("Every user of this host can {what} {path}, where the app's secrets are."),
        format!("Run `chmod {bits} {path}`."),
    ))
}
