//! The state folder and the history in it.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

use super::access::{self, Want};
use super::finding::{Finding, sentence};
use super::scene::SetUp;

const SUBJECT: &str = "state";

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let folder = &set.config.host.state_dir;
    let mut findings = vec![match folder.metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            missing(set, folder)
        }
        Err(error) => Finding::problem(
            SUBJECT,
            format!("The state folder {} cannot be looked at: {error}.", folder.display()),
            "Correct `state_dir` in the configuration, or the folders above it.",
        ),
        Ok(data) if !data.is_dir() => Finding::problem(
            SUBJECT,
            format!("The state folder {} is a file.", folder.display()),
            format!("Move it away, or set another `state_dir` in {}.", set.scene.file.display()),
        ),
        Ok(data) => usable(set, folder, data.uid()),
    }];
    findings.extend(key(set));
    if let Some(Err(error)) = &set.scene.history {
        let path = set.layout().database();
        findings.push(Finding::problem(
            SUBJECT,
            format!(
                "The history {} cannot be used: {}",
                path.display(),
                sentence(&error.to_string())
            ),
            "Stop the daemon, move the file aside with its -wal and -shm files, and restore a \
             backup. Running slots are not touched.",
        ));
    }
    findings
}

/// The key of what `vial env` keeps: what it opens must not be left without it, nor open to others.
fn key(set: &SetUp<'_>) -> Option<Finding> {
    let path = set.layout().environment_key();
    let shown = path.display();
    match path.metadata() {
        Ok(data) if data.mode() & 0o077 != 0 => Some(Finding::problem(
            SUBJECT,
            format!("Others than its owner may use {shown}, which opens the apps' environments."),
            format!("Run `chmod 0600 {shown}`; take what is in there for known."),
        )),
        Err(error) if error.kind() == ErrorKind::NotFound && set.history()?.sealed => {
            Some(Finding::problem(
                SUBJECT,
                format!("{shown} is gone, and nothing else opens the apps' environments."),
                "Put it back from a backup and start the daemon again. Where it is lost, `vial env \
                 APP unset` every name, start the daemon again, and set them anew.",
            ))
        }
        _ => None,
    }
}

fn missing(set: &SetUp<'_>, folder: &Path) -> Finding {
    let shown = folder.display();
    if set.scene.daemon.is_ok() {
        return Finding::problem(
            SUBJECT,
            format!("The state folder {shown} is gone, and the daemon still runs."),
            format!(
                "If it is a file system that is not mounted, mount it; then {}.",
                set.scene.start("restart")
            ),
        );
    }
    let user = &set.scene.daemon_user;
    let above = folder.ancestors().skip(1).find(|above| above.exists()).unwrap_or(Path::new("/"));
    if !above.is_dir() {
        return Finding::problem(
            SUBJECT,
            format!("The state folder {shown} cannot be made: {} is a file.", above.display()),
            format!("Move it away, or set another `state_dir` in {}.", set.scene.file.display()),
        );
    }
    match user.stopped(above, Want::Fill) {
        Ok(None) => Finding::ok(SUBJECT, format!("{shown}; the daemon makes it when it starts.")),
        _ => Finding::problem(
            SUBJECT,
            format!(
                "The state folder {shown} does not exist, and {} may not make it in {}.",
                user.name(),
                above.display()
            ),
            format!("Run `install -d -m 0711 -o {} {shown}`.", user.name()),
        ),
    }
}

fn usable(set: &SetUp<'_>, folder: &Path, owner: u32) -> Finding {
    let shown = folder.display();
    let user = &set.scene.daemon_user;
    if statvfs(folder).is_ok_and(|stat| stat.f_flag.contains(StatVfsMountFlags::RDONLY)) {
        return Finding::problem(
            SUBJECT,
            format!("The state folder {shown} is on a file system that is mounted read-only."),
            "Look at `dmesg` for an error of the disk, then mount it for writing again.",
        );
    }
    // The daemon sets the folder's mode, which only its owner may.
    if user.uid != 0 && user.uid != owner {
        let (user, owner) = (user.name(), access::name(owner));
        return Finding::problem(
            SUBJECT,
            format!("The state folder {shown} belongs to {owner}, and the daemon runs as {user}."),
            format!("Run `chown -R {user} {shown}`, or run the daemon as {owner}."),
        );
    }
    match user.stopped(folder, Want::Fill) {
        Ok(Some(closed)) => Finding::problem(
            SUBJECT,
            format!(
                "{} may not use the state folder {shown}: {} has the mode {:04o}.",
                user.name(),
                closed.path.display(),
                closed.mode
            ),
            if closed.owner == user.uid {
                format!("Run `chmod u+rwx {}`.", closed.path.display())
            } else {
                format!("Run `chmod o+x {}`.", closed.path.display())
            },
        ),
        _ => Finding::ok(SUBJECT, format!("{shown}.")),
    }
}
