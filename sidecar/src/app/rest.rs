//! What the libraries in the slots say of their rest, and when they are answered.

use tokio::sync::oneshot;
use vial_protocol::standby::{Rest, Rested};
use vial_protocol::{Code, Problem, Slot};

use super::hold::Hold;
use super::machine::{Event, Fact, Life, RunId};
use super::said::Holds;
use super::task::Task;

/// How much of what a release says is kept: it is untrusted.
const DETAIL: usize = 200;

impl Task {
    /// The library in a slot's release says whether it is at rest.
    pub(super) async fn rest(
        &mut self,
        slot: Slot,
        rest: Rest,
        tell: oneshot::Sender<Result<Rested, Problem>>,
    ) {
        let life = self.state.slots.get(slot).life;
        let Some(run) = life.run().filter(|run| self.context.marker(*run) == rest.run) else {
            let problem = Problem::new(
                Code::WrongState,
                format!("Not heard: the release in {slot} was started anew since."),
            );
            let _ = tell.send(Err(problem));
            return;
        };
        // One that has not seen yet what it shall do now speaks of something else.
        let seen = rest.revision.is_none_or(|revision| revision >= self.said.since);
        let detail = rest.detail.as_deref().filter(|_| !rest.rested);
        *self.said.details.get_mut(slot) = detail.map(|it| self.cleaned(it));
        let resting = matches!(life, Life::Resting { .. });
        if rest.rested && rest.holds && resting {
            self.release_holds();
            self.said.holds = Some(Holds { slot, run, hold: Hold::new(tell) });
            self.turn(Event::Fact(Fact::HoldsStill { slot, run })).await;
        } else {
            let _ = tell.send(Ok(Rested { frozen: false }));
        }
        if seen || !rest.rested {
            self.turn(Event::Fact(Fact::Spoke { slot, run, rested: rest.rested })).await;
        }
    }

    /// A run has had its time to come to rest.
    pub(super) async fn rest_over(&mut self, slot: Slot, run: RunId) {
        let why = self.said.why(slot, self.context.config.standby.rest);
        self.turn(Event::Fact(Fact::Restless { slot, run, why })).await;
    }

    /// It was held still for nothing: it tries again, and this is why where it does so in vain.
    pub(super) fn not_frozen(&mut self, slot: Slot, why: &str) {
        *self.said.details.get_mut(slot) = Some(self.cleaned(why));
        self.release_holds();
    }

    /// Answers who holds still, once it was frozen or will not be.
    pub(super) fn answer_holds(&mut self) {
        let Some(Holds { slot, run, .. }) = self.said.holds else { return };
        let frozen = match self.state.slots.get(slot).life {
            Life::Resting { run: it } if it == run => return,
            Life::Frozen { run: it } => it == run,
            _ => false,
        };
        if let Some(holds) = self.said.holds.take() {
            holds.hold.answer(frozen);
        }
    }

    /// Who holds still in a slot.
    pub(super) fn hold(&self, slot: Slot) -> Option<Hold> {
        self.said.holds.as_ref().filter(|it| it.slot == slot).map(|it| it.hold.clone())
    }

    fn release_holds(&mut self) {
        if let Some(holds) = self.said.holds.take() {
            holds.hold.answer(false);
        }
    }

    fn cleaned(&self, detail: &str) -> String {
        let text = self.context.vault.mask(detail);
        text.chars().filter(|it| !it.is_control()).take(DETAIL).collect()
    }
}
