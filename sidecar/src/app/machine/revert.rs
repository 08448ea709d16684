//! What happens to the database in a rollback that reverts migrations, and when that fails.
//!
//! The release that is left reverts them, because it alone has their files, at a time when the one
//! that is started listens already: so each meets a schema that it does not know for the time of
//! one migration and one health check, not for that of a boot.

use vial_protocol::migration::Moved;
use vial_protocol::{Code, Problem, Slot, Status};

use super::effect::{Effect, Grace};
use super::state::{Failing, Life, RevertStage};
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    pub(super) fn is_revert_due(&self) -> bool {
        self.state.current.as_ref().is_some_and(|it| it.revert.is_due())
    }

    /// The idle slot's release listens: what it needs of the database can be done now.
    pub(super) fn candidate_listens(&mut self, slot: Slot) {
        let waits = self.state.current.as_ref().is_some_and(|it| {
            it.slot == Some(slot) && it.status == Status::Starting && it.revert.is_due()
        });
        if waits {
            self.revert();
        }
    }

    pub(super) fn revert(&mut self) {
        let (release, active) = (self.state.serving_release(), self.state.active);
        let (Some(release), Some(slot), Some(current)) = (release, active, &mut self.state.current)
        else {
            return;
        };
        let again = current.revert.stage == RevertStage::Begun;
        current.revert.stage = RevertStage::Begun;
        let (number, versions) = (current.number, current.revert.versions.clone());
        if current.status != Status::Reverting {
            self.enter(Status::Reverting);
        }
        self.want(Effect::Revert { number, release, slot, versions, again });
    }

    pub(super) fn reverted(&mut self, number: u64, moved: Vec<Moved>) {
        if !self.revert_ended(number, moved) {
            return;
        }
        let Some(current) = self.state.current.clone() else { return };
        let Some(slot) = current.slot else { return };
        match (self.life(slot), current.failing) {
            (Life::Starting { run } | Life::Running { run, .. }, None) => {
                // What it answered before was about another schema.
                self.set_life(slot, Life::Starting { run });
                self.enter(Status::Verifying);
                self.want(Effect::AwaitHealth { slot, run, soon: false });
            }
            (_, failing) => {
                let problem = failing.and_then(|it| it.error).unwrap_or_else(|| {
                    Problem::new(Code::Exited, "It ended while migrations were being reverted.")
                });
                self.fail(problem);
            }
        }
    }

    /// Stops there: what could not be taken down is not taken up either without a person.
    pub(super) fn revert_failed(&mut self, number: u64, moved: Vec<Moved>, problem: Problem) {
        if self.revert_ended(number, moved) {
            self.undo(Status::Failed, Some(problem));
        }
    }

    fn revert_ended(&mut self, number: u64, moved: Vec<Moved>) -> bool {
        if self.at(number, Status::Reverting).is_none() {
            return false;
        }
        if let Some(current) = &mut self.state.current {
            current.revert.stage = RevertStage::Done;
            current.revert.moved.clone_from(&moved);
        }
        self.record(Record::Reverted { number, moved });
        true
    }

    /// Migrates up again before a deployment ends, because the release that serves needs it.
    pub(super) fn restore(&mut self, failing: Failing) {
        let Some(current) = &mut self.state.current else { return };
        let (number, candidate) = (current.number, current.slot);
        let error = failing.error.clone();
        current.failing = Some(failing);
        self.want(Effect::AbandonStep);
        self.record(Record::Failing { number, error });
        self.enter(Status::Restoring);
        if let Some(slot) = candidate.filter(|slot| !self.is_active(*slot)) {
            self.clear(slot, Grace::Full);
        }
        self.begin_restore();
    }

    pub(super) fn begin_restore(&mut self) {
        let (release, active) = (self.state.serving_release(), self.state.active);
        let Some(current) = &self.state.current else { return };
        let (number, moved) = (current.number, current.revert.moved.clone());
        if let (Some(release), Some(slot)) = (release, active) {
            self.want(Effect::Restore { number, release, slot, moved });
        }
    }

    pub(super) fn restored(&mut self, number: u64, left: Vec<Moved>, problem: Option<Problem>) {
        let Some(current) = self.at(number, Status::Restoring) else { return };
        if let Some(it) = &mut self.state.current {
            it.revert.moved.clone_from(&left);
        }
        self.record(Record::Reverted { number, moved: left });
        let (status, before) = match current.failing {
            Some(failing) => (failing.status, failing.error),
            None => (Status::Failed, None),
        };
        match problem {
            None => self.undo(status, before),
            Some(mut problem) => {
                if let Some(before) = before {
                    problem.message =
                        format!("{} Before that: {}", problem.message, before.message);
                    problem.log.extend(before.log);
                }
                self.undo(Status::Failed, Some(problem));
            }
        }
    }
}
