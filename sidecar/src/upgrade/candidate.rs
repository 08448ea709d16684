//! The binary that would be the next daemon.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// It copies a history into memory at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a binary says of itself.
pub(super) struct Candidate {
    /// Its version, as it says it.
    pub(super) version: String,
    /// Whether it would start; its findings where it would not.
    pub(super) checked: Result<(), String>,
}

impl Candidate {
    /// Runs it, for its version and for its check. The exit status and the words are all that is
    /// read: a later version may say more.
    pub(super) async fn ask(binary: &Path, config: Option<&Path>) -> Result<Candidate, String> {
        let said = run(Command::new(binary).arg("--version")).await?;
        let version = String::from_utf8_lossy(&said.stdout).trim().to_owned();
        if !said.status.success() || version.is_empty() {
            return Err(format!("`{} --version` ended with {}", binary.display(), said.status));
        }
        let mut check = Command::new(binary);
        if let Some(config) = config {
            check.arg("--config").arg(config);
        }
        let said = run(check.args(["serve", "--check"])).await?;
        let checked = if said.status.success() {
            Ok(())
        } else {
            let words = String::from_utf8_lossy(&said.stderr).trim().to_owned();
            Err(if words.is_empty() { format!("it ended with {}", said.status) } else { words })
        };
        Ok(Candidate { version, checked })
    }
}

async fn run(command: &mut Command) -> Result<Output, String> {
    let ran = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(PATIENCE, ran).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not end within {} s", PATIENCE.as_secs())),
    }
}

/// The file that a process was started from, as it is named now: what was put in its place since.
/// Absent where it may not be asked.
pub(super) fn installed(pid: u32) -> Option<PathBuf> {
    let named = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let text = named.to_str()?;
    Some(text.strip_suffix(" (deleted)").unwrap_or(text).into())
}

/// Whether a process runs exactly what is in a file now.
pub(super) fn is_running(pid: u32, binary: &Path) -> bool {
    is_same(Path::new(&format!("/proc/{pid}/exe")), binary)
}

/// Whether two paths lead to one file.
pub(super) fn is_same(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A fake of a later version.
    async fn asked(check: &str) -> Result<Candidate, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial");
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = --version ] && {{ echo vial 9.9.9; exit; }}\n[ \"$1 $2 $3 $4\" = \
             \"--config /etc/x serve --check\" ] || exit 7\n{check}\n"
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        // While another test forks, the file that was just written may be held open there.
        loop {
            match Candidate::ask(&path, Some(Path::new("/etc/x"))).await {
                Err(why) if why.contains("Text file busy") => tokio::task::yield_now().await,
                other => return other,
            }
        }
    }

    #[tokio::test]
    async fn a_binary_says_its_version_and_whether_it_would_start() {
        let fine = asked("exit 0").await.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!((fine.version.as_str(), fine.checked), ("vial 9.9.9", Ok(())));
        let bad = asked("echo 'the history is newer' >&2; exit 1").await;
        let bad = bad.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(bad.checked, Err("the history is newer".into()));
        let silent = asked("exit 3").await.unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(silent.checked, Err("it ended with exit status: 3".into()));
    }

    #[tokio::test]
    async fn what_is_no_binary_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Candidate::ask(&folder.path().join("vial"), None).await.is_err());
        assert!(Candidate::ask(Path::new("/bin/false"), None).await.is_err());
    }

    #[test]
    fn a_process_runs_its_own_file() {
        let own = std::env::current_exe().unwrap();
        assert_eq!(installed(std::process::id()), Some(own.clone()));
        assert!(is_running(std::process::id(), &own));
        assert!(!is_running(std::process::id(), Path::new("/bin/sh")));
    }
}
