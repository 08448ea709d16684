//! What a person wants to know of a rollback before they agree to it, and what changes nothing of
//! what it does: how long it takes, and how its target did. Pure, from the history.

use jiff::Timestamp;
use vial_protocol::{Kind, Plan, StandbyMode};

use super::history::{History, Past};

/// What a rollback to a warm and to a frozen slot takes, in milliseconds, where there was none yet: what
/// nine of ten take in `bin/bench`, rounded up to tens.
const WARM: u64 = 20;
const FROZEN: u64 = 30;

/// So many rollbacks say how long the next one takes.
const ROLLBACKS: usize = 5;

impl History {
    /// Fills a plan's figures in.
    pub(super) fn tell_figures(&self, plan: &mut Plan) {
        plan.expected_ms = match &plan.standby {
            Some(standby) => standby.expected_ms,
            None => self.expected_millis(plan.hot),
        };
        let Some(live_at) = plan.to_last_live_at else { return };
        let Some(left_at) = self.left_at(plan.to.number, live_at) else { return };
        plan.to_served_ms = Some(millis(live_at, left_at));
        plan.to_health =
            self.starts_of(plan.to.number, live_at, left_at).map(|starts| match starts {
                0 => "without a restart".into(),
                1 => "started again once".into(),
                many => format!("started again {many} times"),
            });
    }

    /// What a rollback to a slot that is kept takes: as the last ones that had nothing to start, or
    /// what is usual.
    pub(super) fn expected_from_standby(&self, mode: StandbyMode) -> Option<u64> {
        let usual = match mode {
            StandbyMode::Cold => return self.expected_millis(false),
            StandbyMode::Warm => WARM,
            StandbyMode::Frozen => FROZEN,
        };
        Some(self.expected_millis(true).unwrap_or(usual))
    }

    /// The median of what the last rollbacks took until their release was live: of those that had a
    /// release to start, or of those that had not. Where there was none that had, what a deploy took
    /// from the start of its release.
    fn expected_millis(&self, hot: bool) -> Option<u64> {
        // What had nothing to start may have waited for the database all the same.
        let as_quick = |it: &Past| it.starting_at.is_none() == hot && !(hot && it.migrated);
        let alike = |it: &&Past| it.kind == Kind::Rollback && as_quick(it);
        let took = |it: &Past| Some(millis(it.queued_at?, it.live_at?));
        let mut times: Vec<u64> =
            self.before(u64::MAX).filter(alike).filter_map(took).take(ROLLBACKS).collect();
        times.sort_unstable();
        match times.get(times.len() / 2) {
            Some(median) => Some(*median),
            None if hot => None,
            None => self
                .before(u64::MAX)
                .filter(|it| it.kind != Kind::Rollback)
                .find_map(|it| Some(millis(it.starting_at?, it.live_at?))),
        }
    }

    /// When another release took the traffic from one that had it.
    fn left_at(&self, release: u64, live_at: Timestamp) -> Option<Timestamp> {
        let serving = self
            .before(u64::MAX)
            .find(|it| it.release == Some(release) && it.live_at == Some(live_at))?;
        // Newest first: the last that is seen is the first that came.
        let others = self.before(u64::MAX).take_while(|it| it.number > serving.number);
        others.filter(|it| it.release != Some(release)).filter_map(|it| it.live_at).last()
    }
}

fn millis(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.as_millisecond() - from.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
