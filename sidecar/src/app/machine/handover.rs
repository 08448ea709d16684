//! Who may do what only one release may at a time: work queues, run timers.
//!
//! At a switch nobody does, until the release that is left has said that it came to rest, has ended,
//! or has had its time. Only then it is the one that serves.

use vial_protocol::Slot;

use super::effect::Effect;
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    /// A slot has the traffic now: it shall work, once nobody else does.
    pub(super) fn hand_over(&mut self, to: Slot) {
        let worker = self.state.works.or(self.state.leaves);
        match worker.filter(|it| *it != to) {
            Some(from) => self.wait_for_rest(from),
            None => self.let_work(to),
        }
    }

    fn wait_for_rest(&mut self, from: Slot) {
        let place = self.state.slots.get_mut(from);
        let run = place.life.run();
        match (run, place.rested) {
            // Where nobody listens there, nobody comes to rest either.
            (None, _) | (_, None) => self.let_active_work(),
            (Some(run), Some(_)) => {
                place.rested = Some(false);
                self.state.works = None;
                self.state.leaves = Some(from);
                self.record(Record::Works(None));
                self.want(Effect::HandOver { from, run });
            }
        }
    }

    fn let_active_work(&mut self) {
        if let Some(active) = self.state.active {
            self.let_work(active);
        }
    }

    fn let_work(&mut self, slot: Slot) {
        self.state.leaves = None;
        if self.state.works != Some(slot) {
            self.state.works = Some(slot);
            self.record(Record::Works(Some(slot)));
        }
        // From here on it works, until it says otherwise.
        let place = self.state.slots.get_mut(slot);
        place.rested = place.rested.map(|_| false);
    }

    pub(super) fn spoke(&mut self, slot: Slot, rested: bool) {
        if self.state.slots.get_mut(slot).rested.replace(rested).is_none() {
            // The next daemon must wait for it, although it has not heard of it yet.
            self.record(Record::Speaks { slot });
        }
        if rested {
            self.rests(slot);
        }
    }

    /// Nothing works in a slot any more.
    pub(super) fn rests(&mut self, slot: Slot) {
        if self.state.leaves == Some(slot) {
            self.let_active_work();
        }
    }

    pub(super) fn hand_over_due(&mut self, from: Slot) {
        if self.state.leaves == Some(from) {
            self.remark(format!(
                "{from} did not say in time that its release came to rest: what it works on may \
                 still be under way."
            ));
            self.let_active_work();
        }
    }

    /// Takes up a handover that an earlier daemon had begun.
    pub(super) fn resume_hand_over(&mut self) {
        let Some(from) = self.state.leaves else { return };
        match self.life(from).run() {
            Some(run) => self.want(Effect::HandOver { from, run }),
            None => self.let_active_work(),
        }
    }
}
