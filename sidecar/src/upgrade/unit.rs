//! systemd, as far as it runs the daemon.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::process::Command;

/// The daemon's unit.
const UNIT: &str = "vial.service";

/// How long a question may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The main process of the unit; absent where there is no such unit, or no systemd.
pub(super) async fn main_pid() -> Option<u32> {
    let args = ["show", "--property=MainPID", "--value", UNIT];
    let said = systemctl(&args, PATIENCE).await.ok()?;
    String::from_utf8_lossy(&said.stdout).trim().parse().ok().filter(|pid| *pid != 0)
}

/// Restarts it. Returns when systemd says that it is up.
pub(super) async fn restart(patience: Duration) -> Result<(), String> {
    let said = systemctl(&["restart", UNIT], patience).await?;
    if said.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&said.stderr).trim().to_owned();
    Err(if words.is_empty() {
        format!("`systemctl restart` ended with {}", said.status)
    } else {
        words
    })
}

async fn systemctl(args: &[&str], patience: Duration) -> Result<Output, String> {
    let ran = Command::new("systemctl").args(args).stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(patience, ran).await {
        Ok(Ok(output)) => Ok(output),
        Ok(Err(error)) => Err(format!("systemctl cannot be run: {error}")),
        Err(_) => Err(format!("systemctl did not answer within {} s", patience.as_secs())),
    }
}
