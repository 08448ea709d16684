//! How the deployment in progress comes to its slot: as its release is there already, or by a start.

use vial_protocol::{Kind, Problem, Slot, Status};

use super::effect::{Effect, Grace};
use super::state::Life;
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    /// Takes the idle slot for the deployment in progress: where its release runs there already one
    /// health check is enough, otherwise the slot is emptied and the release is started.
    pub(super) fn take_slot(&mut self) {
        let slot = self.state.idle();
        let replaces = self.state.serving;
        let Some(current) = &mut self.state.current else { return };
        let Some(release) = current.release else { return };
        current.slot = Some(slot);
        current.replaces = replaces;
        let (number, kind, environment) = (current.number, current.kind, current.environment);
        self.record(Record::SlotChosen { number, slot, replaces });
        let there = self.state.is_hot(release, environment);
        if kind == Kind::Rollback && (there || self.state.comes(release, environment)) {
            self.take_as_it_is(slot);
            return;
        }
        self.enter(Status::Starting);
        self.start_in(slot, release, environment);
    }

    /// Takes a slot whose release is there already.
    fn take_as_it_is(&mut self, slot: Slot) {
        if let Some(current) = &mut self.state.current {
            current.hot = true;
        }
        match self.life(slot) {
            Life::Resting { run } | Life::Frozen { run } => {
                // What it answered before it was frozen counts no more.
                self.enter(if self.is_revert_due() { Status::Starting } else { Status::Verifying });
                self.unkeep(slot);
                self.thaw(slot, run);
            }
            Life::Running { run, .. } => {
                if self.is_revert_due() {
                    self.revert();
                } else {
                    self.enter(Status::Verifying);
                    self.want(Effect::CheckHealth { slot, run });
                }
                self.unkeep(slot);
            }
            // It was about to be kept, and is waited for.
            _ => {
                self.enter(Status::Starting);
                self.unkeep(slot);
            }
        }
    }

    /// The release that was there does not answer, or is gone: it is started anew, without waiting for
    /// what is left of it.
    pub(super) fn start_anew(&mut self, slot: Slot, problem: &Problem) {
        let Some(current) = &mut self.state.current else { return };
        current.hot = false;
        let (number, environment) = (current.number, current.environment);
        let Some(release) = current.release else { return };
        let outcome = format!("{} It is started anew.", problem.message);
        self.record(Record::Noted { number, outcome });
        self.want(Effect::AbandonStep);
        self.enter(Status::Starting);
        self.clear(slot, Grace::None);
        if self.life(slot) == Life::Stopped {
            self.fill(slot, release, environment);
        }
    }

    pub(super) fn start_in(&mut self, slot: Slot, release: u64, environment: u64) {
        self.clear(slot, Grace::Full);
        if self.life(slot) == Life::Stopped {
            self.fill(slot, release, environment);
        }
    }

    /// A slot that was told to end has ended: a deployment may have waited for it.
    pub(super) fn slot_cleared(&mut self, slot: Slot) {
        let waiting = self
            .state
            .current
            .as_ref()
            .filter(|it| it.slot == Some(slot) && it.status == Status::Starting)
            .and_then(|it| it.release.map(|release| (release, it.environment)));
        if let Some((release, environment)) = waiting {
            self.fill(slot, release, environment);
        }
    }
}
