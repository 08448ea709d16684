//! What the service manager is told: systemd, or whatever speaks its protocol, where there is one.
//!
//! The environment stays as it is: slots get theirs from an allowlist, so that none of them can
//! speak in the daemon's name.

use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};

/// How much time is asked for while the daemon starts or ends its slots, and how often.
const MORE: Duration = Duration::from_secs(20);
const AGAIN: Duration = Duration::from_secs(5);

/// A service manager, or none: then nobody is told anything.
#[derive(Debug, Clone, Default)]
pub struct Manager {
    supervised: bool,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that started this process, by the environment.
    #[must_use]
    pub fn of_environment() -> Manager {
        let has = |name| std::env::var_os(name).is_some();
        Manager {
            supervised: has("NOTIFY_SOCKET") || has("INVOCATION_ID"),
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

    pub(super) fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    pub(super) fn status(&self, status: &str) {
        self.tell(&[NotifyState::Status(status)]);
    }

    /// From 253 on a `notify-reload` unit waits for the time, and older ones do not mind it.
    pub(super) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "the clock cannot be read"),
        }
    }

    pub(super) fn reloaded(&self) {
        self.tell(&[NotifyState::Ready]);
    }

    pub(super) fn stopping(&self) {
        self.tell(&[NotifyState::Stopping]);
    }

    pub(super) fn alive(&self) {
        self.tell(&[NotifyState::Watchdog]);
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
                    self.tell(&[NotifyState::ExtendTimeoutUsec(micros), NotifyState::Watchdog]);
                }
            }
        }
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = sd_notify::notify(states) {
            // It comes back with the next one: systemd may be executing itself anew.
            tracing::debug!(%error, "the service manager was not told");
        }
    }
}
