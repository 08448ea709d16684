//! Since when an idle slot is kept, and until when: what the machine, which has no clock, leaves to
//! others.

use jiff::{SignedDuration, Timestamp};
use vial_protocol::{Slot, Standby};

use super::history::History;
use super::machine::{Life, PerSlot, State};
use crate::store::load::{Kept, Loaded};
use crate::store::record::Record;

/// What each slot is kept as.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standbys(PerSlot<Option<Kept>>);

impl Standbys {
    /// As an earlier daemon left it.
    #[must_use]
    pub fn restored(loaded: &Loaded) -> Standbys {
        let mut standbys = PerSlot::default();
        for (slot, kept) in &loaded.standbys {
            *standbys.get_mut(*slot) = Some(*kept);
        }
        Standbys(standbys)
    }

    /// Takes a step's records in, as the store has them.
    pub fn apply(&mut self, records: &[Record], now: Timestamp) {
        // The store has no finer time.
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        for record in records {
            let Record::Standby { slot, kept } = record else { continue };
            let before = *self.0.get(*slot);
            *self.0.get_mut(*slot) = kept.map(|keep| {
                let same = |it: &Kept| (it.keep.mode, it.keep.ready) == (keep.mode, keep.ready);
                let mut kept = Kept { keep, since: now };
                if let Some(before) = before.filter(same) {
                    let passed = now.duration_since(before.since).max(SignedDuration::ZERO);
                    kept.since = before.since;
                    kept.keep.lasts += passed.unsigned_abs();
                }
                kept
            });
        }
    }

    /// When a slot's standby ends.
    #[must_use]
    pub fn until(&self, slot: Slot) -> Option<Timestamp> {
        let kept = self.0.get(slot).as_ref()?;
        kept.since.checked_add(kept.keep.lasts).ok()
    }

    /// What readers see of it. One that is warm and does not answer promises nothing.
    #[must_use]
    pub fn shown(&self, slot: Slot, state: &State, history: &History) -> Option<Standby> {
        let Kept { keep, since } = (*self.0.get(slot))?;
        let fails = matches!(state.slots.get(slot).life, Life::Running { healthy: false, .. });
        Some(Standby {
            mode: keep.mode,
            ready: keep.ready && !fails,
            since,
            until: self.until(slot)?,
            expected_ms: history.expected_from_standby(keep.mode),
        })
    }
}
