//! Whether everything went as it should, and the numbers for programs.

use serde::Serialize;
use tokio::time::Instant;
use vial_load::{Dropped, Report};
use vial_protocol::{AppStatus, Deployment, Kind, Slot, Status};

use crate::timeline;
use crate::versions::{BAD, GOOD};

/// The code with which the shop says goodbye to WebSockets when it is told to end.
const SERVICE_RESTART: u16 = 1012;
/// An event may reach us so much later than what followed from it.
const LATE_EVENT_MS: u64 = 500;

/// Something that should be so.
#[derive(Debug, Clone, Serialize)]
pub struct Expectation {
    /// What.
    pub expected: &'static str,
    /// Whether it is.
    pub held: bool,
    /// What was seen.
    pub seen: String,
}

/// What is written for programs.
#[derive(Debug, Serialize)]
pub struct Numbers {
    /// From the start of `vial rollback` to the first answer of the previous release through
    /// Caddy.
    pub rollback_ms: Option<u64>,
    /// The rollback's switching step.
    pub switch_ms: Option<i64>,
    /// Whether the previous release still ran when it was asked for.
    pub hot: bool,
    /// Requests sent.
    pub requests: u64,
    /// Those that no release answered: the bad release's own answers are not among them.
    pub failed: u64,
    /// The answers of the bad release that were errors: what the rollback put an end to.
    pub bad_release_errors: u64,
    /// WebSockets that were closed before their slot was told to stop.
    pub websockets_dropped: usize,
    /// The history, oldest first, with every step.
    pub deployments: Vec<Deployment>,
    /// What was expected, and whether it held.
    pub expectations: Vec<Expectation>,
}

/// All that was seen.
pub struct Evidence<'a> {
    /// The load's counts.
    pub report: &'a Report,
    /// The history, oldest first.
    pub deployments: Vec<Deployment>,
    /// The status at the end.
    pub status: &'a AppStatus,
    /// The moment at which the load began.
    pub load_began: Instant,
    /// When slots were told to stop.
    pub stops: Vec<(Instant, Slot)>,
    /// When the rollback's command was started, in the load's time.
    pub rollback_at_ms: u64,
    /// Whether the previous release still ran then.
    pub hot: bool,
}

impl Evidence<'_> {
    /// Judges.
    #[must_use]
    pub fn judge(self) -> Numbers {
        let report = self.report;
        let back = self.back_at_ms();
        let rollback_ms = back.map(|at| at.saturating_sub(self.rollback_at_ms));
        let lost = timeline::lost(report) + report.websockets.failed;
        let early = report.websockets.dropped.iter().filter(|it| self.is_early(it)).count();
        let rollback = self.deployments.iter().rfind(|it| it.kind == Kind::Rollback);
        let bad = self.deployments.iter().find(|it| is_of(it, BAD));
        let marked = bad.zip(rollback).is_some_and(|(bad, rollback)| {
            bad.status == Status::RolledBack
                && bad.rolled_back_by == Some(rollback.number)
                && rollback.status == Status::Succeeded
                && rollback.replaces == Some(bad.number)
        });
        let serving = self.status.serving.as_ref().map(|it| it.version.clone());
        let last_sent = |version| report.versions.get(version).map(|it| it.last_sent_ms);
        let expectations = vec![
            expect("no request was lost", lost == 0, format!("{lost} of {}", report.sent())),
            expect(
                "no WebSocket was closed before its slot was told to stop",
                early == 0 && report.websockets.opened > 0,
                format!("{early} of {}", report.websockets.opened),
            ),
            expect(
                "the bad release was live",
                bad.is_some_and(|it| it.live_at.is_some()) && timeline::own_errors(report) > 0,
                format!("it gave {} errors", timeline::own_errors(report)),
            ),
            expect(
                "the previous release serves again",
                serving.as_deref() == Some(GOOD) && back.is_some(),
                format!("serving {}", serving.unwrap_or_else(|| "nothing".into())),
            ),
            expect(
                "no request that was sent after the rollback's switch reached the bad release",
                back.zip(last_sent(BAD)).is_some_and(|(back, last)| last <= back),
                back.zip(last_sent(BAD)).map_or_else(
                    || "no switch was seen".into(),
                    |(back, last)| {
                        format!("the last one was sent {} ms before", back.saturating_sub(last))
                    },
                ),
            ),
            expect(
                "the history marks the bad deploy as rolled back, and by what",
                marked,
                bad.map_or_else(String::new, |it| {
                    let by = it.rolled_back_by.map_or_else(String::new, |by| format!(" by #{by}"));
                    format!("#{} is {}{by}", it.number, it.status)
                }),
            ),
        ];
        Numbers {
            rollback_ms,
            switch_ms: rollback.and_then(|it| timeline::step_ms(it, Status::Switching)),
            hot: self.hot,
            requests: report.sent(),
            failed: lost,
            bad_release_errors: timeline::own_errors(report),
            websockets_dropped: early,
            deployments: self.deployments,
            expectations,
        }
    }

    /// When visitors first saw the good release after the rollback was asked for.
    fn back_at_ms(&self) -> Option<u64> {
        let mut changes = self.report.changes.iter();
        changes.find(|it| it.version == GOOD && it.at_ms >= self.rollback_at_ms).map(|it| it.at_ms)
    }

    /// Whether a WebSocket ended although its slot was not told to stop.
    fn is_early(&self, dropped: &Dropped) -> bool {
        let since = |at: &Instant| at.saturating_duration_since(self.load_began).as_millis();
        let millis = |at| u64::try_from(since(at)).unwrap_or(u64::MAX);
        let stops: Vec<_> = self.stops.iter().map(|(at, slot)| (millis(at), *slot)).collect();
        ended_early(dropped, &stops)
    }
}

/// Whether a WebSocket ended although its slot was not told to stop. `stops` says when which slot
/// was, in the load's milliseconds.
#[must_use]
pub fn ended_early(dropped: &Dropped, stops: &[(u64, Slot)]) -> bool {
    let stopped = stops.iter().any(|(at_ms, slot)| {
        dropped.slot.as_deref() == Some(slot.as_str())
            && *at_ms <= dropped.at_ms.saturating_add(LATE_EVENT_MS)
    });
    dropped.code != Some(SERVICE_RESTART) || !stopped
}

impl Numbers {
    /// Whether everything that was expected held.
    #[must_use]
    pub fn all_held(&self) -> bool {
        self.expectations.iter().all(|it| it.held)
    }
}

fn is_of(deployment: &Deployment, version: &str) -> bool {
    deployment.release.as_ref().is_some_and(|it| it.version == version)
}

fn expect(expected: &'static str, held: bool, seen: String) -> Expectation {
    Expectation { expected, held, seen }
}

#[cfg(test)]
#[path = "verdict_tests.rs"]
mod tests;
