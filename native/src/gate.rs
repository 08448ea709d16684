//! Whether a message may still be sent, agreed on by two threads without a lock.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

const SENDING: u8 = 1;
const CLOSED: u8 = 2;

/// Open until the last message was sent, or until nobody waits for one.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: AtomicU8,
    told: Notify,
}

impl Gate {
    /// Lets no further message through. Says whether none is being sent right now.
    pub(crate) fn close(&self) -> bool {
        let before = self.state.fetch_or(CLOSED, Ordering::AcqRel);
        if before & CLOSED == 0 {
            self.told.notify_one();
        }
        before & SENDING == 0
    }

    /// Waits until it is closed. Only one may wait.
    pub(crate) async fn closed(&self) {
        while self.state.load(Ordering::Acquire) & CLOSED == 0 {
            self.told.notified().await;
        }
    }

    /// Takes the right to send one message; absent where nobody waits for it.
    pub(crate) fn enter(&self) -> Option<Sending<'_>> {
        self.state
            .compare_exchange(0, SENDING, Ordering::AcqRel, Ordering::Acquire)
            .ok()
            .map(|_| Sending(self))
    }
}

/// One message on its way.
#[derive(Debug)]
pub(crate) struct Sending<'a>(&'a Gate);

impl Sending<'_> {
    /// It was sent, and no other follows.
    pub(crate) fn last(self) {
        self.0.state.fetch_or(CLOSED, Ordering::AcqRel);
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.state.fetch_and(!SENDING, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_the_last_message_nothing_goes_through() {
        let gate = Gate::default();
        drop(gate.enter().unwrap());
        gate.enter().unwrap().last();
        assert!(gate.enter().is_none());
    }

    #[test]
    fn whoever_closes_it_while_a_message_is_sent_is_told_so() {
        let gate = Gate::default();
        let sending = gate.enter().unwrap();
        assert!(!gate.close());
        drop(sending);
        assert!(gate.close());
        assert!(gate.enter().is_none());
    }
}
