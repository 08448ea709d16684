//! What has happened and could not be written to the journal yet.
//!
//! Nothing is done before it is written down, and nothing that happened is forgotten: while the
//! store cannot commit, facts wait here in their order, and whoever asks for something is refused.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::machine::Event;

/// How long to wait before a commit that failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Events that wait, and until when.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    events: VecDeque<Event>,
    again: Option<Instant>,
}

impl Backlog {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// One that happened after the others.
    pub(super) fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    /// The one to try, which stays until it is [`Backlog::done`].
    pub(super) fn first(&self) -> Option<Event> {
        self.events.front().cloned()
    }

    /// The first was written down.
    pub(super) fn done(&mut self) {
        self.events.pop_front();
    }

    /// Nothing can be written down now.
    pub(super) fn put_off(&mut self) {
        self.again = Some(Instant::now() + AGAIN);
    }

    /// Something was written down.
    pub(super) fn clear_time(&mut self) {
        self.again = None;
    }

    /// Waits until it is time to try again; for ever where nothing failed.
    pub(super) async fn due(&self) {
        match self.again {
            Some(again) => sleep_until(again).await,
            None => std::future::pending().await,
        }
    }
}
