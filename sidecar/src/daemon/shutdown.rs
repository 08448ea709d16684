//! Whether the whole host stops, or only the daemon.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::manager::Manager;

/// The bus may be gone already when the host stops: no answer means that it does not stop, and then
/// the slots run on until the system itself ends them.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks systemd whether the host stops.
pub(super) async fn host_stops(manager: &Manager) -> bool {
    if !manager.is_there() {
        return false;
    }
    let asked = Command::new("systemctl")
        .arg("is-system-running")
        // It is not the daemon, and must not speak as it does.
        .env_remove("NOTIFY_SOCKET")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(said)) => said.stdout.trim_ascii() == b"stopping",
        Ok(Err(error)) => {
            tracing::warn!(%error, "systemctl cannot be run: taken as a stop of the daemon alone");
            false
        }
        Err(_) => {
            tracing::warn!("systemctl does not answer: taken as a stop of the daemon alone");
            false
        }
    }
}
