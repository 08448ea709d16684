//! A process of ours: the daemon, Caddy, or a release that is started by hand.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use vial::slot::process::Signal;
use vial::slot::{Identity, Process, User};

use crate::trouble::{Trouble, trying};

/// How much of its log is shown where it failed.
const LINES: usize = 30;

/// A running program. It is ended by [`Program::end`].
pub struct Program {
    name: &'static str,
    process: Process,
    log: PathBuf,
}

impl Program {
    /// Starts a command, as `user` where one is given, its output going to `log`.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn start(
        name: &'static str,
        mut command: Command,
        user: Option<&User>,
        log: &Path,
    ) -> Result<Program, Trouble> {
        let open = || File::options().create(true).append(true).open(log);
        let output = open().map_err(trying(log.display().to_string()))?;
        let errors = output.try_clone().map_err(trying(log.display().to_string()))?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        // Ctrl-C is for whoever ends all of them in order, not for each of them at once.
        command.process_group(0);
        if let Some(user) = user {
            command.uid(user.uid).gid(user.gid);
        }
        let child = command.spawn().map_err(trying(format!("{name} could not be started")))?;
        let held = Identity::of(child.id())
            .ok()
            .flatten()
            .and_then(|identity| Process::adopt(&identity).ok().flatten());
        match held {
            Some(process) => Ok(Program { name, process, log: log.to_owned() }),
            None => {
                Err(Trouble::Program { name, how: "ended at once".into(), log: last_lines(log) })
            }
        }
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Asks, more and more seldom, until `ready` has an answer; gives up where the program ended.
    ///
    /// # Errors
    /// Where it ended, or did not become ready in time.
    pub async fn until<T>(
        &self,
        limit: Duration,
        mut ready: impl AsyncFnMut() -> Option<T>,
    ) -> Result<T, Trouble> {
        let deadline = Instant::now() + limit;
        let mut pause = Duration::from_millis(5);
        loop {
            if let Some(answer) = ready().await {
                return Ok(answer);
            }
            let how = if self.process.has_exited() {
                format!("ended: it {}", self.process.exited().await)
            } else if Instant::now() > deadline {
                format!("was not ready within {} s", limit.as_secs())
            } else {
                sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(100));
                continue;
            };
            return Err(Trouble::Program { name: self.name, how, log: last_lines(&self.log) });
        }
    }

    /// Ends it by SIGTERM, and by SIGKILL where that is not heeded.
    ///
    /// # Errors
    /// Where it is still there then.
    pub async fn end(self, patience: Duration) -> Result<(), Trouble> {
        end(self.name, &self.process, patience).await
    }
}

/// Ends a process by SIGTERM, and by SIGKILL where that is not heeded.
///
/// # Errors
/// Where it is still there then.
pub async fn end(name: &str, process: &Process, patience: Duration) -> Result<(), Trouble> {
    for (signal, patience) in [(Signal::TERM, patience), (Signal::KILL, Duration::from_secs(5))] {
        // Refused where it is gone already, which is what is waited for.
        let _ = process.signal(signal);
        if timeout(patience, process.exited()).await.is_ok() {
            return Ok(());
        }
    }
    Err(Trouble::Left(format!("{name} (process {})", process.pid())))
}

/// The end of a log.
#[must_use]
pub fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    lines.get(from..).unwrap_or_default().iter().map(|line| format!("  {line}\n")).collect()
}
