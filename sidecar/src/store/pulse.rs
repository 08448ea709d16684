//! Whether a thread gets on: how many pieces of work it has done, and what it waits for.

use std::fs;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use nix::unistd::gettid;

/// A thread's pulse, for whoever watches over it.
#[derive(Debug, Default)]
pub struct Pulse {
    beats: AtomicU64,
    thread: AtomicI32,
}

impl Pulse {
    pub(super) fn is_of_this_thread(&self) {
        self.thread.store(gettid().as_raw(), Ordering::Relaxed);
    }

    pub(super) fn beat(&self) {
        self.beats.fetch_add(1, Ordering::Relaxed);
    }

    /// How much work was done.
    #[must_use]
    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Relaxed)
    }

    /// Whether it waits in the kernel for a disk (the state `D`): then it is slow and not hung.
    #[must_use]
    pub fn waits_for_disk(&self) -> bool {
        let thread = self.thread.load(Ordering::Relaxed);
        fs::read_to_string(format!("/proc/self/task/{thread}/stat"))
            .is_ok_and(|stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('D')))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Store;

    #[tokio::test]
    async fn a_nudge_is_answered_and_a_thread_that_rests_waits_for_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        let before = store.pulse().beats();
        store.nudge();
        while store.pulse().beats() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!(!store.pulse().waits_for_disk());
    }
}
