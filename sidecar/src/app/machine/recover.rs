//! Taking up what an earlier daemon left: finish what can be finished, undo the rest.
//!
//! The state that comes in says of every run whose process was found again `running`, or `stopping`
//! where it had been told to end, and `stopped` of every other.

use vial_protocol::{Code, Desired, Problem, Slot, Status};

use super::effect::{Effect, Grace};
use super::state::{Current, Life, Queued};
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    pub(super) fn recover(&mut self) {
        // A build that waits needs nothing of the daemon that accepted it; an archive was on its way.
        if let Some(Queued { number, .. }) =
            self.state.queued.take_if(|queued| queued.ask.build.is_none())
        {
            let error = Some(interrupted("while it waited"));
            self.record(Record::Ended { number, status: Status::Failed, error });
        }
        for slot in Slot::BOTH {
            if let Life::Stopping { run, .. } = self.life(slot) {
                self.want(Effect::Stop { slot, run, grace: Grace::Full });
            }
        }
        if let Some(current) = self.state.current.clone() {
            self.resume(&current);
        }
        self.tidy_slots();
        self.resume_hand_over();
    }

    fn resume(&mut self, current: &Current) {
        match (current.status, current.slot) {
            (Status::Reverting, Some(slot)) => self.resume_revert(slot, current),
            (Status::Starting | Status::Verifying, Some(slot)) => self.resume_start(slot, current),
            (Status::Restoring, slot) => {
                if let Some(slot) = slot.filter(|slot| !self.is_active(*slot)) {
                    self.clear(slot, Grace::Full);
                }
                self.begin_restore();
            }
            (Status::Switching, Some(slot)) => self.resume_switch(slot, current.number),
            (Status::Draining, Some(slot)) => self.drain(current.number, slot.other()),
            (Status::Baking, _) => self.want(Effect::Bake { number: current.number }),
            (status, _) => self.fail(interrupted(&format!("while it was {status}"))),
        }
        if let Some(slot) = current.slot
            && self.is_active(slot)
            && self.life(slot) == Life::Stopped
        {
            self.take_back(&Problem::new(
                Code::Exited,
                "The release exited while the daemon was away.",
            ));
        }
    }

    fn resume_start(&mut self, slot: Slot, current: &Current) {
        let number = current.number;
        if let Some(it) = &mut self.state.current {
            it.status = Status::Starting;
        }
        self.record(Record::Entered { number, status: Status::Starting });
        match (self.life(slot), self.state.slots.get(slot).release, current.release) {
            (Life::Running { run, .. }, Some(there), Some(wanted)) if there == wanted => {
                self.set_life(slot, Life::Starting { run });
                // It may have been about to be thawed.
                self.want(Effect::Thaw { slot, run });
                self.want(Effect::AwaitHealth { slot, run, soon: false });
            }
            (_, _, Some(wanted)) => self.start_in(slot, wanted, current.environment),
            (_, _, None) => self.fail(interrupted("before its release was known")),
        }
    }

    /// What was begun is brought to its end, whether the release that waits for it lives or not:
    /// only so it is known what is down.
    fn resume_revert(&mut self, slot: Slot, current: &Current) {
        self.revert();
        let there = self.state.slots.get(slot).release;
        let lives = matches!(self.life(slot), Life::Running { .. }) && there == current.release;
        if let (Some(wanted), false) = (current.release, lives) {
            self.start_in(slot, wanted, current.environment);
        }
    }

    fn resume_switch(&mut self, slot: Slot, number: u64) {
        if matches!(self.life(slot), Life::Running { .. }) {
            self.want(Effect::Switch { number, to: slot, back: self.state.active });
        } else {
            self.fail(interrupted("while the traffic was being switched, and its release exited"));
        }
    }

    /// The active slot has the route and is watched; what runs without a reason is ended.
    fn tidy_slots(&mut self) {
        let switching =
            self.state.current.as_ref().is_some_and(|it| it.status == Status::Switching);
        if let Some(active) = self.state.active.filter(|_| !switching) {
            self.want(Effect::AssertRoute { to: active });
        }
        if self.state.desired == Desired::Stopped && self.state.current.is_none() {
            for slot in Slot::BOTH {
                self.clear(slot, Grace::Full);
            }
            return;
        }
        if let Some(active) = self.state.active {
            self.watch(active, self.is_baking());
        }
        if self.state.current.as_ref().is_none_or(|it| it.slot.is_none()) {
            let idle = self.state.idle();
            match self.state.slots.get(idle).keep {
                Some(_) => self.resume_standby(idle),
                None => self.clear(idle, Grace::Full),
            }
        }
    }
}

fn interrupted(when: &str) -> Problem {
    Problem::new(
        Code::Interrupted,
        format!("The daemon was interrupted {when}; the deployment was undone."),
    )
    .next("ask for it again")
}
