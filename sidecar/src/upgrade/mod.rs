//! `vial upgrade`: from the daemon that runs to the binary that is installed, or not at all.
//!
//! ```text
//! the daemon ─▶ which binary? ─▶ would it start? ─▶ restart by systemd ─▶ does it answer?
//!                                     │ no                                      │
//!                              the old one runs on                    1.0.0 → 1.1.0, 3 slots ran on
//! ```
//!
//! [`candidate`] is the binary, asked by running it; [`unit`] is systemd, asked by `systemctl`;
//! [`outcome`] compares the slots before and after. Imports from here point down, to the client.

mod candidate;
mod outcome;
mod unit;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use vial_protocol::DaemonStatus;

use self::candidate::Candidate;
use crate::client::{Client, ClientError, Why};

/// How long the new daemon may take to answer. A history is copied and migrated before it does.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is asked meanwhile.
const AGAIN: Duration = Duration::from_millis(100);

/// What is to be done.
#[derive(Debug)]
pub struct Request {
    /// The daemon's socket.
    pub socket: PathBuf,
    /// The configuration that was named, for the check.
    pub config: Option<PathBuf>,
    /// The binary that was named.
    pub binary: Option<PathBuf>,
}

/// Why the daemon is as it was, or is not known to be another. The operator reads it; a package's
/// script shows it as a warning.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeError {
    /// No daemon answers.
    #[error("Not upgraded: no daemon is there to be replaced. {0}")]
    Away(ClientError),
    /// The new binary cannot be run at all.
    #[error(
        "Not upgraded: vial {running} serves still. {} cannot be run: {why}.\nNext: name the new \
         binary with --binary", binary.display()
    )]
    NoBinary {
        /// The daemon's version.
        running: String,
        /// The new binary.
        binary: PathBuf,
        /// What the system said.
        why: String,
    },
    /// The new binary says that it would not start.
    #[error(
        "Not upgraded: vial {running} serves still. {new} would not start:\n{findings}\nNext: mend \
         that, then `vial upgrade`. Until then do not restart the daemon: what is installed would \
         start"
    )]
    WouldNotStart {
        /// The daemon's version.
        running: String,
        /// The new one.
        new: String,
        /// What the check said.
        findings: String,
    },
    /// systemd starts another file.
    #[error(
        "Not upgraded: vial {running} serves still. {0} would start, and it is not the file that \
         the daemon was started from.\nNext: `install {0} {1}`, then `vial upgrade`",
        binary.display(), installed.display()
    )]
    NotInstalled {
        /// The daemon's version.
        running: String,
        /// The new binary.
        binary: PathBuf,
        /// The file that the daemon was started from.
        installed: PathBuf,
    },
    /// systemd does not run this daemon.
    #[error(
        "Not restarted: vial {running} serves still. {new} would start, but the daemon (pid {pid}) \
         is not run by the unit vial.service.\nNext: `kill {pid}`, and start it again as it was \
         started; its slots run on meanwhile"
    )]
    NoUnit {
        /// The daemon's version.
        running: String,
        /// The new one.
        new: String,
        /// The daemon's process.
        pid: u32,
    },
    /// systemd refused.
    #[error(
        "Not restarted: {why}. The slots run on.\nNext: `systemctl status vial`, `journalctl -u \
         vial -n 50`"
    )]
    NotRestarted {
        /// What systemctl said.
        why: String,
    },
    /// The new daemon does not answer.
    #[error(
        "vial {new} was started and does not answer after {} s: {why} The slots run on.\nNext: \
         `systemctl status vial`, `journalctl -u vial -n 50`", PATIENCE.as_secs()
    )]
    NoAnswer {
        /// The new version.
        new: String,
        /// What stood between.
        why: String,
    },
}

/// Does it. What was done, for a person.
///
/// # Errors
/// Why it was not.
pub async fn upgrade(request: &Request) -> Result<String, UpgradeError> {
    let client = Client::new(&request.socket);
    let before = client.status().await.map_err(UpgradeError::Away)?;
    let installed = candidate::installed(before.pid);
    let named = request.binary.clone().or_else(|| installed.clone());
    let binary = match named {
        Some(binary) => binary,
        // Nobody but root and the daemon's user may ask where it was started from.
        None => std::env::current_exe().unwrap_or_else(|_| "vial".into()),
    };
    let running = before.version.clone();
    if request.binary.is_none() && candidate::is_running(before.pid, &binary) {
        return Ok(format!(
            "vial {running} serves, and {} is what it was started from: nothing to do.",
            binary.display()
        ));
    }
    let candidate = Candidate::ask(&binary, request.config.as_deref()).await.map_err(|why| {
        UpgradeError::NoBinary { running: running.clone(), binary: binary.clone(), why }
    })?;
    let new = candidate.version;
    if let Err(findings) = candidate.checked {
        return Err(UpgradeError::WouldNotStart { running, new, findings });
    }
    if let Some(installed) = installed.filter(|it| !candidate::is_same(it, &binary)) {
        return Err(UpgradeError::NotInstalled { running, binary, installed });
    }
    if unit::main_pid().await != Some(before.pid) {
        return Err(UpgradeError::NoUnit { running, new, pid: before.pid });
    }
    let restarted = Instant::now();
    unit::restart(PATIENCE).await.map_err(|why| UpgradeError::NotRestarted { why })?;
    let after = answered(&client, before.pid, restarted + PATIENCE)
        .await
        .map_err(|error| UpgradeError::NoAnswer { new, why: error.to_string() })?;
    Ok(outcome::told(&before, &after))
}

/// The status of the daemon that came after.
async fn answered(client: &Client, old: u32, until: Instant) -> Result<DaemonStatus, ClientError> {
    loop {
        let error = match client.status().await {
            Ok(status) if status.pid != old => return Ok(status),
            // It says goodbye still.
            Ok(_) => ClientError::Unreachable {
                path: client.path().to_owned(),
                why: Why::Silent(PATIENCE.as_secs()),
            },
            Err(error) => error,
        };
        if Instant::now() >= until {
            return Err(error);
        }
        sleep(AGAIN).await;
    }
}
