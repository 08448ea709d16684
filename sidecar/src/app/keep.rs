//! Whether the idle slot may be kept as something else, and what a plan promises of it. Pure.

use std::time::Duration;

use vial_protocol::{Desired, Plan, Problem, Standby, StandbyMode};

use super::known::Known;
use super::machine::AskKeep;

impl Known<'_> {
    /// What the idle slot is kept as, where a rollback finds in it what it needs.
    pub(super) fn ready_for(self, plan: &Plan) -> Option<Standby> {
        let standby = self.standbys.shown(plan.slot, self.state, self.history)?;
        (plan.hot && standby.ready).then_some(standby)
    }

    /// What the idle slot would be kept as, and with which release.
    ///
    /// # Errors
    /// The refusal.
    pub fn keep(self, mode: StandbyMode, lasts: Option<Duration>) -> Result<AskKeep, Problem> {
        let what = "The standby was not changed";
        if self.state.current.is_some() {
            return Err(self.refuse().in_progress(what));
        }
        let (Some(serving), Some(from)) = (self.state.serving, self.state.serving_release()) else {
            return Err(self.refuse().nothing_deployed(what));
        };
        if mode == StandbyMode::Cold {
            return Ok(AskKeep { mode, lasts, release: from, environment: 0 });
        }
        if self.state.desired == Desired::Stopped {
            return Err(self.refuse().stopped(what));
        }
        let target = self.previous(serving, from).map_err(|why| instead(what, &why))?;
        let release = target.release.unwrap_or_default();
        if self.history.release(release).is_none() {
            return Err(instead(what, &self.refuse().not_retained(target.number)));
        }
        Ok(AskKeep { mode, lasts, release, environment: target.environment })
    }
}

fn instead(what: &str, why: &Problem) -> Problem {
    let message = format!("{what}: there is no release to keep for a rollback. {}", why.message);
    Problem { message, ..why.clone() }
}
