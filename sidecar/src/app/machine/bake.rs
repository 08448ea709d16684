//! What happens while a deploy's release has the traffic and the old slot still runs.

use vial_protocol::{Code, Kind, Problem, Status};

use super::command::Ask;
use super::effect::Effect;
use super::state::Life;
use super::step::Turn;

impl Turn {
    pub(super) fn bake(&mut self, number: u64) {
        let rollback = self.state.current.as_ref().is_none_or(|it| it.kind == Kind::Rollback);
        if self.settings.bakes && !rollback {
            self.enter(Status::Baking);
            self.want(Effect::Bake { number });
        } else {
            // What a rollback leaves is known to be bad: there is nothing to wait for.
            self.succeed();
        }
    }

    pub(super) fn baked(&mut self, number: u64) {
        let Some(slot) = self.at(number, Status::Baking).and_then(|it| it.slot) else { return };
        if matches!(self.life(slot), Life::Running { healthy: true, .. }) {
            self.succeed();
        } else {
            // Its failure would have taken it back, had there been anything to go back to.
            let problem = Problem::new(
                Code::BakeFailed,
                "The release was not healthy when its bake ended, and no earlier release was \
                 running to go back to. It keeps the traffic and is started again when it exits.",
            );
            self.end(Status::Failed, Some(problem));
            self.watch(slot, false);
        }
    }

    pub(super) fn is_baking(&self) -> bool {
        self.state
            .current
            .as_ref()
            .is_some_and(|it| it.status.is_live() && it.kind != Kind::Rollback)
    }

    /// The live release failed during its bake: go back to the old slot, if it still runs there.
    pub(super) fn take_back(&mut self, problem: &Problem) {
        let old = self.state.idle();
        let ready = matches!(self.life(old), Life::Running { .. });
        let Some(release) = self.state.slots.get(old).release.filter(|_| ready) else { return };
        if !self.is_baking() {
            return;
        }
        let cause = problem.message.clone();
        let failed = Problem { code: Code::BakeFailed, ..problem.clone() };
        if self.state.current.as_ref().is_some_and(|it| it.risk.is_some()) {
            self.leave_to_a_person(failed);
            return;
        }
        self.want(Effect::AbandonStep);
        self.end(Status::Failed, Some(failed));
        // Numbers tell the order in which releases went live; what waits would break it, and was
        // asked for by someone who did not know of the failure.
        self.cancel_queued(Some("the deployment before it failed and is taken back"));
        // As it runs there; but not with what was revoked meanwhile.
        let environment = Some(self.state.slots.get(old).environment);
        let ask =
            Ask { environment, ..Ask::new(Kind::Rollback, Some(release), "vial", Some(cause)) };
        let number = self.register(&ask);
        self.start(number, &ask);
    }

    /// The live release failed, and the one before it may not fit the schema any more: which of the
    /// two is the lesser evil, a person decides. Both run on.
    fn leave_to_a_person(&mut self, failed: Problem) {
        self.want(Effect::AbandonStep);
        self.end(Status::Failed, Some(failed));
        self.cancel_queued(Some("the deployment before it failed"));
        if let Some(active) = self.state.active {
            self.watch(active, false);
        }
    }
}
