//! What happens to an idle slot that is kept for the next rollback.

use vial_protocol::{Problem, Slot, StandbyMode};

use super::command::AskKeep;
use super::effect::{Effect, Grace};
use super::state::{Keep, Life, RunId, Settings};
use super::step::Turn;
use crate::store::record::Record;

impl Turn {
    /// A deploy has left a slot: it is kept as the app's file says.
    pub(super) fn retire(&mut self, slot: Slot) {
        let Settings { standby: mode, lasts, .. } = self.settings;
        let keep = Keep { mode, lasts, ready: false };
        let same = self.state.slots.get(slot).release == self.state.serving_release();
        let runs = matches!(self.life(slot), Life::Running { .. });
        if keep.mode == StandbyMode::Cold || same || !runs {
            self.clear(slot, Grace::Full);
        } else {
            self.keep(slot, keep);
        }
    }

    /// Somebody wants the idle slot to be kept as something else.
    pub(super) fn keep_asked(&mut self, ask: &AskKeep) {
        let slot = self.state.idle();
        let AskKeep { mode, release, environment, .. } = *ask;
        if mode == StandbyMode::Cold {
            self.clear(slot, Grace::Full);
            return;
        }
        let lasts = ask.lasts.unwrap_or(self.settings.lasts);
        let keep = Keep { mode, lasts, ready: false };
        if self.state.is_hot(release, environment) || self.state.comes(release, environment) {
            self.keep(slot, keep);
            return;
        }
        self.clear(slot, Grace::Full);
        self.state.slots.get_mut(slot).keep = Some(keep);
        self.record_kept(slot, false);
        if self.life(slot) == Life::Stopped {
            self.fill(slot, release, environment);
        } else {
            // What ends there makes room for it.
            let place = self.state.slots.get_mut(slot);
            place.release = Some(release);
            place.environment = environment;
            let fresh = place.fresh;
            self.record(Record::SlotFilled { slot, release, environment, fresh });
            if let Life::Stopping { run, .. } = self.life(slot) {
                self.set_life(slot, Life::Stopping { run, again: true });
            }
        }
    }

    /// Makes of what is up in a slot what it shall be.
    fn keep(&mut self, slot: Slot, keep: Keep) {
        self.state.slots.get_mut(slot).keep = Some(keep);
        match (self.life(slot), keep.mode) {
            (Life::Running { run, .. }, StandbyMode::Frozen) => self.let_rest(slot, run),
            (Life::Running { run, .. }, _) => self.is_kept(slot, run),
            // One that comes to rest may have been frozen a moment ago.
            (Life::Resting { run } | Life::Frozen { run }, StandbyMode::Warm) => {
                self.warm_up(slot, run);
            }
            (Life::Frozen { run }, _) => self.is_kept(slot, run),
            // It is on its way already, and goes on.
            _ => self.record_kept(slot, false),
        }
    }

    /// The release in the idle slot is healthy, and no deployment waits for it.
    pub(super) fn stand_by(&mut self, slot: Slot) {
        let place = self.state.slots.get(slot);
        let Life::Running { run, .. } = place.life else { return };
        match place.keep {
            Some(Keep { mode: StandbyMode::Frozen, .. }) => self.let_rest(slot, run),
            // Once: what keeps asking for its health says so again and again.
            Some(Keep { ready: false, .. }) => self.is_kept(slot, run),
            _ => {}
        }
    }

    fn let_rest(&mut self, slot: Slot, run: RunId) {
        self.set_life(slot, Life::Resting { run });
        self.record_kept(slot, false);
        self.want(Effect::Rest { slot, run });
    }

    pub(super) fn holds_still(&mut self, slot: Slot) {
        if let Life::Resting { run } = self.life(slot) {
            self.want(Effect::Freeze { slot, run });
        }
    }

    pub(super) fn frozen(&mut self, slot: Slot) {
        if let Life::Resting { run } = self.life(slot) {
            self.set_life(slot, Life::Frozen { run });
            self.is_kept(slot, run);
        }
    }

    /// It did not come to rest: it must not be frozen, because it would hold what it has locked.
    pub(super) fn restless(&mut self, slot: Slot, why: &str) {
        let (Life::Resting { run }, Some(keep)) =
            (self.life(slot), self.state.slots.get(slot).keep)
        else {
            return;
        };
        if self.settings.otherwise == StandbyMode::Warm {
            self.remark(format!("{slot} is warm instead of frozen: {why}."));
            self.state.slots.get_mut(slot).keep = Some(Keep { mode: StandbyMode::Warm, ..keep });
            self.warm_up(slot, run);
        } else {
            self.remark(format!("{slot} was stopped instead of frozen: {why}."));
            self.clear(slot, Grace::Full);
        }
    }

    fn warm_up(&mut self, slot: Slot, run: RunId) {
        self.record_kept(slot, false);
        self.want(Effect::Unkeep);
        self.thaw(slot, run);
    }

    /// Lets what was frozen, or is about to be, go on; it counts as up when it has answered.
    pub(super) fn thaw(&mut self, slot: Slot, run: RunId) {
        self.set_life(slot, Life::Starting { run });
        self.want(Effect::Thaw { slot, run });
        self.want(Effect::AwaitHealth { slot, run, soon: true });
    }

    pub(super) fn kept_long_enough(&mut self, slot: Slot) {
        if self.state.slots.get(slot).keep.is_some() && !self.is_active(slot) {
            self.clear(slot, Grace::Full);
        }
    }

    /// The release in the idle slot exited or does not answer, and no deployment waits for it.
    pub(super) fn standby_failed(&mut self, slot: Slot, problem: &Problem) {
        if self.state.slots.get(slot).keep.is_none() {
            return;
        }
        match self.life(slot) {
            // It may get well again, and a rollback asks it first.
            Life::Running { run, .. } => self.set_life(slot, Life::Running { run, healthy: false }),
            Life::Starting { .. } | Life::Stopped => {
                self.remark(format!("The standby in {slot} is gone. {}", problem.message));
                self.clear(slot, Grace::Short);
            }
            _ => {}
        }
    }

    /// It is no standby any more.
    pub(super) fn unkeep(&mut self, slot: Slot) {
        if self.state.slots.get_mut(slot).keep.take().is_some() {
            self.record(Record::Standby { slot, kept: None });
            self.want(Effect::Unkeep);
        }
    }

    /// A secret changed: what was started with the old one is good for nothing.
    pub(super) fn renew_standby(&mut self) {
        let slot = self.state.idle();
        let place = self.state.slots.get(slot);
        if place.keep.is_some() && place.fresh < self.state.environment.secrets {
            self.remark(format!("{slot} was stopped: a secret changed that it had."));
            self.clear(slot, Grace::Full);
        }
    }

    /// Takes up what an earlier daemon kept.
    pub(super) fn resume_standby(&mut self, slot: Slot) {
        let watched = match self.life(slot) {
            Life::Frozen { .. } => false,
            Life::Running { .. } => true,
            Life::Starting { run } => {
                self.want(Effect::Thaw { slot, run });
                self.want(Effect::AwaitHealth { slot, run, soon: false });
                return;
            }
            _ => {
                self.remark(format!("The standby in {slot} ended while the daemon was away."));
                self.unkeep(slot);
                return;
            }
        };
        if let Some(run) = self.life(slot).run() {
            self.want(Effect::Keep { slot, run, watched });
        }
    }

    /// Something to say of what became of the slot that the last deployment left.
    pub(super) fn remark(&mut self, outcome: String) {
        if let Some(number) = self.state.serving {
            self.record(Record::Remarked { number, outcome });
        }
    }

    fn is_kept(&mut self, slot: Slot, run: RunId) {
        let watched = !matches!(self.life(slot), Life::Frozen { .. });
        self.record_kept(slot, true);
        self.want(Effect::Keep { slot, run, watched });
    }

    fn record_kept(&mut self, slot: Slot, ready: bool) {
        if let Some(keep) = &mut self.state.slots.get_mut(slot).keep {
            keep.ready = ready;
            let kept = *keep;
            self.record(Record::Standby { slot, kept: Some(kept) });
        }
    }
}
