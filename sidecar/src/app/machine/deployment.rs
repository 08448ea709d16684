//! What happens to the deployment in progress.

use vial_protocol::migration::Moved;
use vial_protocol::{Code, Commit, Desired, Kind, Problem, Slot, Status};

use super::command::Ask;
use super::effect::{Effect, Grace};
use super::state::{Current, Failing, Life, Queued, Revert};
use super::step::Turn;
use crate::store::record::{Began, Record};

impl Turn {
    // Beginning

    pub(super) fn begin(&mut self, ask: Ask) {
        if ask.kind == Kind::Rollback {
            // A rollback never waits: what is live is settled now, so that it can be taken back, and
            // what is not live yet is cancelled, as whoever asked has agreed to.
            self.settle_live();
            // What waits first: to cancel where nothing is in progress would take it, and say no why.
            self.cancel_queued(Some("a rollback was asked for"));
            self.cancel();
        }
        let number = self.register(&ask);
        if self.state.current.is_some() {
            self.state.queued = Some(Queued { number, ask });
        } else {
            self.start(number, &ask);
        }
    }

    /// Gives a deployment its number and its row.
    pub(super) fn register(&mut self, ask: &Ask) -> u64 {
        let number = self.state.next_number;
        self.state.next_number += 1;
        self.record(Record::Began(Began {
            number,
            kind: ask.kind,
            release: ask.release,
            actor: ask.actor.clone(),
            reason: ask.reason.clone(),
            reverts: ask.reverts.clone(),
            build: ask.build.clone(),
        }));
        number
    }

    pub(super) fn begin_queued(&mut self) {
        if self.state.current.is_none()
            && let Some(Queued { number, ask }) = self.state.queued.take()
        {
            self.start(number, &ask);
        }
    }

    pub(super) fn start(&mut self, number: u64, ask: &Ask) {
        self.state.current = Some(Current {
            number,
            kind: ask.kind,
            status: Status::Queued,
            release: ask.release,
            environment: 0,
            slot: None,
            replaces: None,
            risk: None,
            allow_destructive: ask.allow_destructive,
            hot: false,
            revert: Revert { versions: ask.reverts.clone(), ..Revert::default() },
            failing: None,
        });
        self.choose_environment(ask.environment);
        match ask.release {
            Some(release) if ask.migrate && self.settings.migrates => self.migrate(number, release),
            Some(_) => self.take_slot(),
            None => match &ask.build {
                Some(build) => {
                    self.enter(Status::Building);
                    self.want(Effect::Build { number, build: build.clone() });
                }
                None => {
                    self.enter(Status::Unpacking);
                    self.want(Effect::Unpack { number });
                }
            },
        }
    }

    fn migrate(&mut self, number: u64, release: u64) {
        self.enter(Status::Migrating);
        self.want(Effect::Migrate { number, release, slot: self.state.idle() });
    }

    pub(super) fn enter(&mut self, status: Status) {
        if let Some(current) = &mut self.state.current {
            current.status = status;
            let number = current.number;
            self.record(Record::Entered { number, status });
        }
    }

    /// The deployment in progress, if it is this one and in this status.
    pub(super) fn at(&self, number: u64, status: Status) -> Option<Current> {
        self.state.current.clone().filter(|it| it.number == number && it.status == status)
    }

    // The way to the switch

    /// Something to say of the build while it goes on.
    pub(super) fn build_noted(&mut self, number: u64, outcome: String) {
        if self.at(number, Status::Building).is_some() {
            self.record(Record::Noted { number, outcome });
        }
    }

    pub(super) fn fetched(&mut self, number: u64, commit: Commit) {
        if self.at(number, Status::Building).is_some() {
            self.record(Record::CommitChosen { number, commit });
        }
    }

    pub(super) fn built(&mut self, number: u64) {
        if self.at(number, Status::Building).is_some() {
            self.enter(Status::Unpacking);
            self.want(Effect::Unpack { number });
        }
    }

    pub(super) fn unpacked(&mut self, number: u64, risk: Option<String>) {
        let Some(Current { allow_destructive, .. }) = self.at(number, Status::Unpacking) else {
            return;
        };
        if let Some(current) = &mut self.state.current {
            current.release = Some(number);
            current.risk.clone_from(&risk);
        }
        self.record(Record::ReleaseChosen { number, release: number });
        // What was changed while the archive came in counts.
        self.choose_environment(None);
        if let (Some(risk), false) = (risk, allow_destructive) {
            self.undo(Status::Cancelled, Some(Problem::new(Code::Destructive, risk)));
        } else if self.settings.migrates {
            self.migrate(number, number);
        } else {
            self.take_slot();
        }
    }

    pub(super) fn migrated(&mut self, number: u64, applied: Vec<Moved>) {
        if self.at(number, Status::Migrating).is_some() {
            self.record(Record::Migrated { number, applied });
            self.take_slot();
        }
    }

    /// The idle slot's release answers.
    pub(super) fn candidate_healthy(&mut self, slot: Slot) {
        let Some(current) = self.state.current.clone().filter(|it| it.slot == Some(slot)) else {
            self.stand_by(slot);
            return;
        };
        match current.status {
            Status::Starting if current.revert.is_due() => self.revert(),
            Status::Starting => {
                self.enter(Status::Verifying);
                self.want(Effect::Verify { number: current.number, slot });
            }
            // A schema was changed under it: a health check may not see that it does not fit.
            Status::Verifying if !current.revert.versions.is_empty() => {
                self.want(Effect::Verify { number: current.number, slot });
            }
            Status::Verifying => self.verified(current.number),
            _ => {}
        }
    }

    /// The idle slot's release exited, or does not answer.
    pub(super) fn candidate_failed(&mut self, slot: Slot, problem: Problem) {
        let Some(current) = self.state.current.as_mut().filter(|it| it.slot == Some(slot)) else {
            self.standby_failed(slot, &problem);
            return;
        };
        match current.status {
            Status::Starting | Status::Verifying if current.hot => self.start_anew(slot, &problem),
            Status::Starting | Status::Verifying => self.fail(problem),
            // What it said while its schema was on the move counts only if it exited.
            Status::Reverting if problem.code != Code::Unhealthy => {
                current.failing = Some(Failing { status: Status::Failed, error: Some(problem) });
            }
            _ => {}
        }
    }

    pub(super) fn verified(&mut self, number: u64) {
        let Some(slot) = self.at(number, Status::Verifying).and_then(|it| it.slot) else { return };
        self.enter(Status::Switching);
        self.want(Effect::Switch { number, to: slot, back: self.state.active });
    }

    // The way from the switch

    pub(super) fn switched(&mut self, number: u64) {
        let Some(current) = self.at(number, Status::Switching) else { return };
        let Some(slot) = current.slot else { return };
        self.state.active = Some(slot);
        self.state.serving = Some(number);
        self.record(Record::WentLive { number, slot });
        self.hand_over(slot);
        if self.state.desired == Desired::Stopped {
            self.state.desired = Desired::Running;
            self.record(Record::Wanted(Desired::Running));
        }
        let old = slot.other();
        if self.life(old) == Life::Backoff {
            self.set_life(old, Life::Stopped);
        }
        self.watch(slot, self.settings.bakes && current.kind != Kind::Rollback);
        self.drain(number, old);
        if !matches!(self.life(slot), Life::Running { .. }) {
            self.take_back(&Problem::new(
                Code::Exited,
                "The release exited while the traffic was being switched to it.",
            ));
        }
    }

    /// Lets the old slot finish what it has; where nothing runs in it, nothing is left to do.
    pub(super) fn drain(&mut self, number: u64, old: Slot) {
        match self.life(old) {
            Life::Running { .. } | Life::Starting { .. } => {
                self.enter(Status::Draining);
                self.want(Effect::Drain { number, slot: old });
            }
            _ => self.bake(number),
        }
    }

    pub(super) fn drained(&mut self, number: u64, outcome: Option<String>) {
        if self.at(number, Status::Draining).is_some() {
            if let Some(outcome) = outcome {
                self.record(Record::Noted { number, outcome });
            }
            self.bake(number);
        }
    }

    // Ends

    pub(super) fn end(&mut self, status: Status, error: Option<Problem>) {
        if let Some(current) = self.state.current.take() {
            self.record(Record::Ended { number: current.number, status, error });
        }
    }

    /// The release stays: the deployment has succeeded.
    fn settle(&mut self) {
        let Some(current) = self.state.current.clone() else { return };
        self.end(Status::Succeeded, None);
        let took_back = current.replaces.filter(|_| current.kind == Kind::Rollback);
        self.record(Record::Settled { number: current.number, took_back });
    }

    pub(super) fn succeed(&mut self) {
        let kind = self.state.current.as_ref().map(|it| it.kind);
        self.settle();
        if let Some(active) = self.state.active {
            self.watch(active, false);
            // What a rollback leaves is known to be bad, and what a restart leaves is the same release.
            match kind {
                Some(Kind::Deploy | Kind::Redeploy) => self.retire(active.other()),
                _ => self.clear(active.other(), Grace::Full),
            }
        }
        self.want(Effect::Prune);
    }

    /// Ends a deployment that is live before its time, as succeeded. The old slot is left as it is.
    pub(super) fn settle_live(&mut self) {
        if self.state.current.as_ref().is_some_and(|it| it.status.is_live()) {
            self.want(Effect::AbandonStep);
            self.settle();
            if let Some(active) = self.state.active {
                self.watch(active, false);
            }
        }
    }

    pub(super) fn step_failed(&mut self, number: u64, problem: Problem) {
        let concerned = self
            .state
            .current
            .as_ref()
            .is_some_and(|it| it.number == number && !it.status.is_live());
        if concerned {
            self.fail(problem);
        }
    }

    /// Ends a deployment that is not live, and what runs for it. The old slot serves on, with the
    /// schema that it knows.
    pub(super) fn fail(&mut self, problem: Problem) {
        self.give_up(Status::Failed, Some(problem));
    }

    pub(super) fn cancel(&mut self) {
        match &self.state.current {
            Some(current) if matches!(current.status, Status::Reverting | Status::Restoring) => {}
            Some(current) if !current.status.is_live() => {
                // What its migrations have done stays, and may be more than nothing.
                let begun = current.risk.is_some() && current.status > Status::Unpacking;
                let error = begun.then(|| {
                    Problem::new(Code::Cancelled, "It was cancelled after its migrations began.")
                });
                self.give_up(Status::Cancelled, error);
            }
            _ => self.cancel_queued(None),
        }
    }

    fn give_up(&mut self, status: Status, error: Option<Problem>) {
        let moved = self.state.current.as_ref().is_some_and(|it| !it.revert.moved.is_empty());
        if moved {
            self.restore(Failing { status, error });
        } else {
            self.undo(status, error);
        }
    }

    pub(super) fn undo(&mut self, status: Status, error: Option<Problem>) {
        let Some(current) = self.state.current.clone() else { return };
        self.want(Effect::AbandonStep);
        self.end(status, error);
        if let Some(slot) = current.slot.filter(|slot| !self.is_active(*slot)) {
            if current.hot {
                // What was ready for it is ready for the next one.
                self.retire(slot);
            } else {
                // A release that served before may still finish what it was given.
                let served = current.kind == Kind::Rollback;
                self.clear(slot, if served { Grace::Full } else { Grace::Short });
            }
        }
        self.want(Effect::Prune);
    }

    /// Takes what waits out of the queue; `because` where nobody asked for that.
    pub(super) fn cancel_queued(&mut self, because: Option<&str>) {
        let Some(Queued { number, .. }) = self.state.queued.take() else { return };
        let error = because.map(|why| {
            Problem::new(Code::Cancelled, format!("#{number} waited and was cancelled: {why}."))
                .next("ask for it again")
        });
        self.record(Record::Ended { number, status: Status::Cancelled, error });
    }
}
