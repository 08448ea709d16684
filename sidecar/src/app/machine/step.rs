//! One step: an event in, the new state, the records and the effects out.

use vial_protocol::Slot;

use super::command::Command;
use super::effect::Effect;
use super::fact::Fact;
use super::state::{Settings, State};
use crate::store::record::Record;

/// What a step answers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wants something.
    Command(Command),
    /// Something happened.
    Fact(Fact),
    /// The daemon came back: the state is what the store and the processes say.
    Recovered,
}

/// What comes of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The state from now on.
    pub state: State,
    /// What to commit, before anything else.
    pub records: Vec<Record>,
    /// What to begin, after that and in this order.
    pub effects: Vec<Effect>,
}

/// Answers an event. Total: an event that does not fit the state changes nothing.
#[must_use]
pub fn step(state: &State, event: Event, settings: Settings) -> Step {
    let mut turn =
        Turn { state: state.clone(), settings, records: Vec::new(), effects: Vec::new() };
    match event {
        Event::Command(command) => turn.command(command),
        Event::Fact(fact) => turn.fact(fact),
        Event::Recovered => turn.recover(),
    }
    turn.begin_queued();
    turn.keep_active_running();
    Step { state: turn.state, records: turn.records, effects: turn.effects }
}

/// A step while it is made.
pub(super) struct Turn {
    pub(super) state: State,
    pub(super) settings: Settings,
    pub(super) records: Vec<Record>,
    pub(super) effects: Vec<Effect>,
}

impl Turn {
    pub(super) fn record(&mut self, record: Record) {
        self.records.push(record);
    }

    pub(super) fn want(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Begin(ask) => self.begin(ask),
            Command::Cancel => self.cancel(),
            Command::Stop => self.stop_app(),
            Command::Start => self.start_app(),
            Command::RestartInPlace => self.restart_in_place(),
            Command::Keep(ask) => self.keep_asked(&ask),
            Command::ChangeEnvironment(change) => self.change_environment(change),
        }
    }

    fn fact(&mut self, fact: Fact) {
        match fact {
            Fact::BuildNoted { number, outcome } => self.build_noted(number, outcome),
            Fact::Fetched { number, commit } => self.fetched(number, commit),
            Fact::Built { number } => self.built(number),
            Fact::Unpacked { number, risk } => self.unpacked(number, risk),
            Fact::Migrated { number, applied } => self.migrated(number, applied),
            Fact::Reverted { number, moved } => self.reverted(number, moved),
            Fact::RevertFailed { number, moved, problem } => {
                self.revert_failed(number, moved, problem);
            }
            Fact::Restored { number, left, problem } => self.restored(number, left, problem),
            Fact::Listening { slot, run } if self.is_run(slot, run) => self.candidate_listens(slot),
            Fact::Verified { number } => self.verified(number),
            Fact::Switched { number } => self.switched(number),
            Fact::Drained { number, outcome } => self.drained(number, outcome),
            Fact::Baked { number } => self.baked(number),
            Fact::StepFailed { number, problem } => self.step_failed(number, problem),
            Fact::Healthy { slot, run } if self.is_run(slot, run) => self.healthy(slot),
            Fact::Unhealthy { slot, run, problem } if self.is_run(slot, run) => {
                self.unhealthy(slot, problem);
            }
            Fact::Exited { slot, run, problem } if self.is_run(slot, run) => {
                self.exited(slot, problem);
            }
            Fact::Steady { slot, run } if self.is_run(slot, run) => {
                self.state.slots.get_mut(slot).restarts = 0;
            }
            Fact::RestartDue { slot } => self.restart_due(slot),
            Fact::Spoke { slot, run, rested } if self.is_run(slot, run) => self.spoke(slot, rested),
            Fact::HoldsStill { slot, run } if self.is_run(slot, run) => self.holds_still(slot),
            Fact::Restless { slot, run, why } if self.is_run(slot, run) => {
                self.restless(slot, &why);
            }
            Fact::Frozen { slot, run } if self.is_run(slot, run) => self.frozen(slot),
            Fact::KeptLongEnough { slot, run } if self.is_run(slot, run) => {
                self.kept_long_enough(slot);
            }
            Fact::HandOverDue { from, run } if self.is_run(from, run) => self.hand_over_due(from),
            Fact::Listening { .. }
            | Fact::Healthy { .. }
            | Fact::Unhealthy { .. }
            | Fact::Exited { .. }
            | Fact::Steady { .. }
            | Fact::Spoke { .. }
            | Fact::HoldsStill { .. }
            | Fact::Restless { .. }
            | Fact::Frozen { .. }
            | Fact::KeptLongEnough { .. }
            | Fact::HandOverDue { .. } => {}
        }
    }

    fn is_run(&self, slot: Slot, run: u64) -> bool {
        self.state.slots.get(slot).life.run() == Some(run)
    }
}
