//! Whether the daemon answers, and is what it should be.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use procfs::process::{LimitValue, Process};

use super::finding::{Finding, sentence};
use super::scene::Scene;
use crate::app::paths::Layout;
use crate::client::{ClientError, Why};

const SUBJECT: &str = "daemon";
/// Each connection of a client, each watcher and each slot takes some.
const DESCRIPTORS: u64 = 4096;

pub(super) fn check(scene: &Scene) -> Vec<Finding> {
    match &scene.daemon {
        Err(error) => vec![away(scene, error)],
        Ok(daemon) => {
            let mut findings = vec![Finding::ok(
                SUBJECT,
                format!("vial {} answers, process {}.", daemon.version, daemon.pid),
            )];
            findings.extend(version(scene, &daemon.version));
            findings.extend(descriptors(scene));
            findings.extend(elsewhere(scene));
            findings
        }
    }
}

fn away(scene: &Scene, error: &ClientError) -> Finding {
    let said = sentence(&error.to_string());
    let cure = match error {
        ClientError::Unreachable { why: Why::Missing | Why::Stale, .. } => {
            if let Some(pid) = holder(scene) {
                return Finding::problem(
                    SUBJECT,
                    format!(
                        "{said} But a daemon runs on this state folder, process {pid}: its socket \
                         was removed, or it was started with another `run_dir` or `socket`."
                    ),
                    format!("Run {}; the slots run on.", scene.start("restart")),
                );
            }
            format!(
                "Run {}. If the daemon listens elsewhere, name its socket with --socket or \
                 VIAL_SOCKET.",
                scene.start("start")
            )
        }
        other => other.next().map_or_else(
            || format!("Run {}; the slots run on.", scene.start("restart")),
            |next| sentence(&next),
        ),
    };
    Finding::problem(SUBJECT, said, cure)
}

/// Who holds the lock of the state folder, by the kernel's list: to try it could keep a daemon that
/// starts at this moment from it.
fn holder(scene: &Scene) -> Option<u32> {
    let layout = Layout::new(&scene.config.as_ref().ok()?.host.state_dir);
    let lock = layout.lock();
    held(&fs::read_to_string("/proc/locks").ok()?, &lock)
}

fn held(locks: &str, path: &Path) -> Option<u32> {
    let data = path.metadata().ok()?;
    let (major, minor) = (rustix::fs::major(data.dev()), rustix::fs::minor(data.dev()));
    let file = format!("{major:02x}:{minor:02x}:{}", data.ino());
    // 1: FLOCK  ADVISORY  WRITE 1234 08:02:131104 0 EOF
    locks.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>()).find_map(|words| {
        let is_it = words.get(1) == Some(&"FLOCK") && words.get(5) == Some(&file.as_str());
        words.get(4).filter(|_| is_it)?.parse().ok()
    })
}

fn version(scene: &Scene, daemon: &str) -> Option<Finding> {
    let own = env!("CARGO_PKG_VERSION");
    (daemon != own).then(|| {
        Finding::warning(
            SUBJECT,
            format!("The daemon is vial {daemon}, and this command is vial {own}."),
            format!(
                "If {own} is what is installed, run {}; the slots run on. Otherwise use the \
                 command of the daemon's version.",
                scene.start("restart")
            ),
        )
    })
}

fn descriptors(scene: &Scene) -> Option<Finding> {
    let pid = i32::try_from(scene.listener?.pid).ok()?;
    let limit = Process::new(pid).ok()?.limits().ok()?.max_open_files;
    let number = |value: LimitValue| match value {
        LimitValue::Unlimited => u64::MAX,
        LimitValue::Value(value) => value,
    };
    let (soft, hard) = (number(limit.soft_limit), number(limit.hard_limit));
    let who = match (soft < DESCRIPTORS, hard < DESCRIPTORS) {
        (_, true) => format!("The daemon and its slots may open {hard} files at most"),
        (true, false) => format!("The daemon may open {soft} files at most"),
        (false, false) => return None,
    };
    Some(Finding::warning(
        SUBJECT,
        format!("{who}: each connection is one, so that callers are turned away."),
        format!(
            "Set `LimitNOFILE=1048576` in its unit (`systemctl edit vial`), or `ulimit -n 65536` \
             before it is started by hand; then {}.",
            scene.start("restart")
        ),
    ))
}

/// Whether another daemon was asked than the one that this configuration is for.
fn elsewhere(scene: &Scene) -> Option<Finding> {
    let configured = scene.config.as_ref().ok()?.host.socket();
    let same = match (scene.socket.canonicalize(), configured.canonicalize()) {
        (Ok(asked), Ok(configured)) => asked == configured,
        _ => scene.socket == configured,
    };
    (!same).then(|| {
        Finding::warning(
            SUBJECT,
            format!(
                "The daemon was asked at {}, and {} names {}.",
                scene.socket.display(),
                scene.file.display(),
                configured.display()
            ),
            "Leave out --socket (and VIAL_SOCKET), or name the configuration of that daemon with \
             --config.",
        )
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use nix::fcntl::{Flock, FlockArg};

    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_found_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = File::create(&path).unwrap();
        let locks = || fs::read_to_string("/proc/locks").unwrap();
        assert_eq!(held(&locks(), &path), None);
        let lock = Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap();
        // Some containers show no locks but their own kernel's.
        if !locks().is_empty() {
            assert_eq!(held(&locks(), &path), Some(std::process::id()));
        }
        drop(lock);
        assert_eq!(held(&locks(), &path), None);
    }
}
