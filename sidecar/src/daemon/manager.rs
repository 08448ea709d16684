//! What the service manager is told: systemd, or whatever speaks its protocol, where there is one.
//!
//! The environment stays as it is: slots get theirs from an allowlist, so that none of them can
//! speak in the daemon's name.

use std::path::PathBuf;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::net::UnixDatagram;
use tokio::time::{MissedTickBehavior, interval, timeout};

/// How much time is asked for while the daemon starts or ends its slots, and how often.
const MORE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(5);

/// How long it may take to listen. `sd_notify::notify` would wait for as long as its queue is full,
/// and all of the daemon with it.
const PATIENCE: Duration = Duration::from_secs(2);

/// A service manager, or none: then nobody is told anything.
#[derive(Debug, Clone, Default)]
pub struct Manager {
    supervised: bool,
    socket: Option<PathBuf>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that started this process, by the environment.
    #[must_use]
    pub fn of_environment() -> Manager {
        let has = |name| std::env::var_os(name).is_some();
        Manager {
            supervised: has("NOTIFY_SOCKET") || has("INVOCATION_ID"),
            socket: std::env::var_os("NOTIFY_SOCKET").map(PathBuf::from),
            watchdog: sd_notify::watchdog_enabled().filter(|_| has("NOTIFY_SOCKET")),
        }
    }

    /// Whether there is one.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.supervised
    }

    /// How long the daemon may be silent before it is ended.
    #[must_use]
    pub fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    pub(super) async fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]).await;
    }

    pub(super) async fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]).await;
    }

    /// From 253 on a `notify-reload` unit waits for the time, and older ones do not mind it.
    pub(super) async fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]).await,
            Err(error) => tracing::warn!(%error, "the clock cannot be read"),
        }
    }

    pub(super) async fn reloaded(&self) {
        self.tell(&[NotifyState::Ready]).await;
    }

    pub(super) async fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]).await;
    }

    pub(super) async fn alive(&self) {
        self.tell(&[NotifyState::Watchdog]).await;
    }

    /// Does something that may take longer than the unit's timeout for it, and asks for more time
    /// meanwhile.
    pub(super) async fn patiently<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        let mut tick = interval(AGAIN);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = tick.tick() => {
                    let micros = u32::try_from(MORE.as_micros()).unwrap_or(u32::MAX);
                    self.tell(&[NotifyState::ExtendTimeoutUsec(micros), NotifyState::Watchdog]).await;
                }
            }
        }
    }

    /// Whether there is anybody or not, and whether they listen: the daemon goes on.
    async fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        let sent = async {
            let to = UnixDatagram::unbound()?;
            to.connect(socket)?;
            to.send(text.as_bytes()).await
        };
        match timeout(PATIENCE, sent).await {
            Ok(Ok(_)) => {}
            // It comes back with the next one: systemd may be executing itself anew.
            Ok(Err(error)) => tracing::debug!(%error, "the service manager was not told"),
            Err(_) => tracing::warn!("the service manager takes no word"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram as Blocking;

    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_manager_that_takes_no_word_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let _deaf = Blocking::bind(&path).unwrap();
        let full = Blocking::unbound().unwrap();
        full.set_nonblocking(true).unwrap();
        full.connect(&path).unwrap();
        while full.send(b"x").is_ok() {}
        let manager = Manager { socket: Some(path), ..Manager::default() };
        let began = Instant::now();
        manager.alive().await;
        assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE * 3);
    }

    #[tokio::test]
    async fn what_takes_its_time_asks_for_more_and_one_that_is_gone_is_no_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let manager = Manager { socket: Some(path.clone()), ..Manager::default() };
        let work = async {
            let mut bytes = [0; 100];
            let length = socket.recv(&mut bytes).await.unwrap();
            String::from_utf8_lossy(&bytes[..length]).into_owned()
        };
        assert_eq!(manager.patiently(work).await, "EXTEND_TIMEOUT_USEC=20000000\nWATCHDOG=1\n");
        drop(socket);
        std::fs::remove_file(path).unwrap();
        manager.alive().await;
        Manager::default().alive().await;
    }
}
