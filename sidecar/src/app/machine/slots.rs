//! What happens to the slots: starts, exits, restarts and stops.

use vial_protocol::{Desired, Problem, Slot};

use super::effect::{Effect, Grace};
use super::state::{Life, RunId};
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    pub(super) fn life(&self, slot: Slot) -> Life {
        self.state.slots.get(slot).life
    }

    pub(super) fn set_life(&mut self, slot: Slot, life: Life) {
        self.state.slots.get_mut(slot).life = life;
    }

    pub(super) fn is_active(&self, slot: Slot) -> bool {
        self.state.active == Some(slot)
    }

    /// Puts a release into an empty slot and starts it.
    pub(super) fn fill(&mut self, slot: Slot, release: u64, environment: u64) {
        let run = self.state.next_run;
        self.state.next_run += 1;
        let fresh = self.state.environment.today;
        let place = self.state.slots.get_mut(slot);
        if place.release != Some(release) {
            place.restarts = 0;
        }
        place.release = Some(release);
        (place.environment, place.fresh) = (environment, fresh);
        place.life = Life::Starting { run };
        place.rested = None;
        self.record(Record::SlotFilled { slot, release, environment, fresh });
        self.want(Effect::Start { slot, run, release, environment });
    }

    /// Starts again what a slot had.
    fn fill_again(&mut self, slot: Slot) {
        let place = self.state.slots.get(slot);
        if let Some(release) = place.release {
            self.fill(slot, release, place.environment);
        }
    }

    /// Ends what runs in a slot, if anything does.
    pub(super) fn clear(&mut self, slot: Slot, grace: Grace) {
        self.unkeep(slot);
        match self.life(slot) {
            Life::Starting { run }
            | Life::Running { run, .. }
            | Life::Resting { run }
            | Life::Frozen { run } => {
                self.stop(slot, run, grace, false);
            }
            Life::Stopping { run, .. } => {
                self.set_life(slot, Life::Stopping { run, again: false });
            }
            Life::Backoff => self.set_life(slot, Life::Stopped),
            Life::Stopped => {}
        }
    }

    /// Tells a run to end. It is written down, because the next daemon must not take what dies for
    /// what lives.
    fn stop(&mut self, slot: Slot, run: RunId, grace: Grace, again: bool) {
        self.set_life(slot, Life::Stopping { run, again });
        self.record(Record::Stopping { run });
        self.want(Effect::Stop { slot, run, grace });
    }

    pub(super) fn watch(&mut self, slot: Slot, baking: bool) {
        if let Life::Running { run, .. } = self.life(slot) {
            self.want(Effect::Watch { slot, run, baking });
        }
    }

    pub(super) fn healthy(&mut self, slot: Slot) {
        let before = self.life(slot);
        let (Life::Starting { run } | Life::Running { run, .. }) = before else { return };
        self.set_life(slot, Life::Running { run, healthy: true });
        if self.is_active(slot) {
            if matches!(before, Life::Starting { .. }) {
                self.watch(slot, self.is_baking());
            }
        } else {
            self.candidate_healthy(slot);
        }
    }

    pub(super) fn unhealthy(&mut self, slot: Slot, problem: Problem) {
        let (Life::Starting { run } | Life::Running { run, .. }) = self.life(slot) else { return };
        if !self.is_active(slot) {
            self.candidate_failed(slot, problem);
            return;
        }
        let was_starting = matches!(self.life(slot), Life::Starting { .. });
        self.set_life(slot, Life::Running { run, healthy: false });
        if was_starting {
            self.watch(slot, self.is_baking());
        }
        self.take_back(&problem);
    }

    pub(super) fn exited(&mut self, slot: Slot, problem: Problem) {
        let before = self.life(slot);
        self.set_life(slot, Life::Stopped);
        self.rests(slot);
        if let Life::Stopping { again, .. } = before {
            match self.state.slots.get(slot).release {
                Some(_) if again => self.fill_again(slot),
                _ => self.slot_cleared(slot),
            }
        } else if self.is_active(slot) {
            self.state.slots.get_mut(slot).restarts += 1;
            self.take_back(&problem);
        } else {
            self.candidate_failed(slot, problem);
        }
    }

    pub(super) fn restart_due(&mut self, slot: Slot) {
        let place = self.state.slots.get(slot);
        if place.life == Life::Backoff {
            self.fill_again(slot);
        }
    }

    /// The active slot is never given up: whatever made it stop, it is started again, unless a
    /// person wants it stopped.
    pub(super) fn keep_active_running(&mut self) {
        let Some(slot) = self.state.active else { return };
        if self.state.desired == Desired::Running && self.life(slot) == Life::Stopped {
            let attempt = self.state.slots.get(slot).restarts;
            self.set_life(slot, Life::Backoff);
            self.want(Effect::RestartAfter { slot, attempt });
        }
    }

    pub(super) fn stop_app(&mut self) {
        self.settle_live();
        self.cancel_queued(Some("the app was stopped"));
        self.state.desired = Desired::Stopped;
        self.record(Record::Wanted(Desired::Stopped));
        for slot in Slot::BOTH {
            self.clear(slot, Grace::Full);
        }
    }

    pub(super) fn start_app(&mut self) {
        self.state.desired = Desired::Running;
        self.record(Record::Wanted(Desired::Running));
        if let Some(slot) = self.state.active {
            self.state.slots.get_mut(slot).restarts = 0;
            self.take_todays(slot);
            if let Life::Stopping { run, .. } = self.life(slot) {
                self.set_life(slot, Life::Stopping { run, again: true });
            }
        }
    }

    pub(super) fn restart_in_place(&mut self) {
        let Some(slot) = self.state.active else { return };
        self.take_todays(slot);
        match self.life(slot) {
            Life::Starting { run } | Life::Running { run, .. } => {
                self.stop(slot, run, Grace::Full, true);
            }
            Life::Backoff | Life::Stopped => self.fill_again(slot),
            Life::Resting { .. } | Life::Frozen { .. } | Life::Stopping { .. } => {}
        }
    }
}
