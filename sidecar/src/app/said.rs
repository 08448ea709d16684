//! What the libraries in the slots have said of their rest, and who waits for an answer.

use vial_protocol::Slot;

use super::hold::Hold;
use super::machine::{PerSlot, RunId};

/// What was said, and who waits.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// What each slot's release waited for last.
    pub(super) details: PerSlot<Option<String>>,
    /// A library that holds still until it is frozen.
    pub(super) holds: Option<Holds>,
    /// The revision of the status that said first who works now.
    pub(super) since: u64,
    works: Option<Slot>,
}

#[derive(Debug)]
pub(super) struct Holds {
    pub(super) slot: Slot,
    pub(super) run: RunId,
    pub(super) hold: Hold,
}

impl Said {
    /// A status is published.
    pub(super) fn published(&mut self, revision: u64, works: Option<Slot>) {
        if self.works != works {
            self.works = works;
            self.since = revision;
        }
    }

    /// Why a run did not come to rest, as a phrase.
    pub(super) fn why(&self, slot: Slot, rest: std::time::Duration) -> String {
        let time = format!("within {} s", rest.as_secs_f64());
        match self.details.get(slot) {
            Some(detail) => format!("it did not come to rest {time}: {detail}"),
            None => format!("no word came {time} that its release came to rest"),
        }
    }
}
