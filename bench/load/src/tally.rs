//! The one place where anything is counted.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::exchange::{Origin, Outcome};
use crate::report::{
    Change, Class, ClassReport, Dropped, Failure, Report, UNKNOWN, WebSocketReport,
};

const FAILURES: usize = 100;
const CHANGES: usize = 1_000;
const DROPS: usize = 10_000;
/// So many versions and slots are told apart: their names come from outside.
const NAMES: usize = 100;

/// Counts from all the clients. Its lock is held for moments only, never across a wait.
pub struct Tally {
    started: Instant,
    started_unix_ms: u64,
    state: Mutex<State>,
    changed: Notify,
}

/// A request that has been counted as sent, and must be ended.
#[must_use]
pub struct Shot(Class);

#[derive(Default)]
struct State {
    report: Report,
    latencies: BTreeMap<Class, Histogram<u64>>,
    /// When the most recently sent of the requests that were answered was sent.
    newest: Option<Instant>,
    /// When the last request was sent, once no more are.
    over: Option<Instant>,
}

impl Tally {
    pub fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            started: Instant::now(),
            started_unix_ms: millis(since_1970),
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// A request is being sent.
    pub fn begin(&self, class: Class) -> Shot {
        self.lock().class(class).sent += 1;
        self.changed.notify_waiters();
        Shot(class)
    }

    /// A kept connection turned out to be closed before anything was sent on it.
    pub fn reconnected(&self, class: Class) {
        self.lock().class(class).reconnects += 1;
    }

    /// A request ended; it was due at `due`.
    pub fn end(&self, shot: Shot, due: Instant, outcome: Outcome) {
        let Shot(class) = shot;
        let now = Instant::now();
        let at_ms = self.at(now);
        let sent_ms = self.at(outcome.sent);
        let mut state = self.lock();
        let good = outcome.result.is_ok();
        if let Some(origin) = &outcome.origin {
            state.seen(class, origin, good, at_ms, sent_ms);
            state.newest_is(outcome.sent, origin, at_ms);
        }
        match outcome.result {
            Ok(()) => {
                state.class(class).ok += 1;
                let micros = u64::try_from(now.duration_since(due).as_micros()).unwrap_or(u64::MAX);
                if let Some(latencies) = state.latencies(class) {
                    latencies.saturating_record(micros);
                }
            }
            Err(loss) => {
                state.class(class).failed += 1;
                let version = outcome.origin.and_then(|origin| origin.version);
                state.failure(Failure { at_ms, class, what: loss.to_string(), version });
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// Counts something about the WebSockets.
    pub fn websockets(&self, count: impl FnOnce(&mut WebSocketReport)) {
        count(&mut self.lock().report.websockets);
        self.changed.notify_waiters();
    }

    /// A WebSocket was ended by the other side.
    pub fn dropped(&self, code: Option<u16>, reason: String, origin: &Origin, lost: usize) {
        let Origin { version, slot } = origin.clone();
        let (at_ms, lost) = (self.at(Instant::now()), lost as u64);
        let dropped = Dropped { at_ms, code, reason, version, slot, lost };
        self.websockets(|report| {
            report.drops += 1;
            report.alive -= 1;
            if report.dropped.len() < DROPS {
                report.dropped.push(dropped);
            }
        });
    }

    /// Something else went wrong with a WebSocket.
    pub fn websocket_failure(&self, what: String, version: Option<String>) {
        let at_ms = self.at(Instant::now());
        self.lock().failure(Failure { at_ms, class: Class::Websocket, what, version });
    }

    /// No more requests are sent.
    pub fn over(&self) {
        self.lock().over = Some(Instant::now());
    }

    /// Everything so far.
    pub fn report(&self) -> Report {
        let state = self.lock();
        let mut report = state.report.clone();
        report.started_unix_ms = self.started_unix_ms;
        let now = Instant::now();
        report.elapsed_ms = self.at(now);
        report.sending_ms = self.at(state.over.unwrap_or(now));
        for (class, latencies) in &state.latencies {
            let class = report.classes.entry(*class).or_default();
            class.latency_p50_ms = in_ms(latencies.value_at_quantile(0.50));
            class.latency_p99_ms = in_ms(latencies.value_at_quantile(0.99));
            class.latency_max_ms = in_ms(latencies.max());
        }
        report
    }

    /// Told after everything that is counted.
    pub fn changed(&self) -> &Notify {
        &self.changed
    }

    fn at(&self, moment: Instant) -> u64 {
        millis(moment.duration_since(self.started))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn class(&mut self, class: Class) -> &mut ClassReport {
        self.report.classes.entry(class).or_default()
    }

    fn latencies(&mut self, class: Class) -> Option<&mut Histogram<u64>> {
        Some(match self.latencies.entry(class) {
            Entry::Occupied(entry) => entry.into_mut(),
            // Microseconds up to a minute, to three digits.
            Entry::Vacant(entry) => {
                entry.insert(Histogram::new_with_bounds(1, 60_000_000, 3).ok()?)
            }
        })
    }

    fn failure(&mut self, failure: Failure) {
        if self.report.failures.len() < FAILURES {
            self.report.failures.push(failure);
        }
    }

    fn seen(&mut self, class: Class, origin: &Origin, good: bool, at_ms: u64, sent_ms: u64) {
        let version = origin.version.as_deref();
        let slot = origin.slot.as_deref();
        *named(&mut self.class(class).by_version, version) += 1;
        for sighting in
            [named(&mut self.report.versions, version), named(&mut self.report.slots, slot)]
        {
            if sighting.responses == 0 {
                sighting.first_seen_ms = at_ms;
            }
            sighting.responses += 1;
            sighting.failed += u64::from(!good);
            sighting.last_seen_ms = at_ms;
            sighting.last_sent_ms = sighting.last_sent_ms.max(sent_ms);
        }
    }

    /// Answers overtake one another: only one to a request sent later than all others that were
    /// answered can tell of a change.
    fn newest_is(&mut self, sent: Instant, origin: &Origin, at_ms: u64) {
        if self.newest.is_some_and(|newest| sent <= newest) {
            return;
        }
        self.newest = Some(sent);
        let version = origin.version.as_deref().unwrap_or(UNKNOWN);
        let changes = &mut self.report.changes;
        let same = changes.last().is_some_and(|last| last.version == version);
        if !same && changes.len() < CHANGES {
            changes.push(Change { at_ms, version: version.to_owned() });
        }
    }
}

/// The entry of a name, without a copy of the name where there is one already.
fn named<'a, V: Default>(map: &'a mut BTreeMap<String, V>, name: Option<&str>) -> &'a mut V {
    let mut name = name.unwrap_or(UNKNOWN);
    if !map.contains_key(name) {
        if map.len() >= NAMES {
            name = UNKNOWN;
        }
        map.entry(name.to_owned()).or_default();
    }
    map.entry(name.to_owned()).or_default()
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_precision_loss)]
fn in_ms(micros: u64) -> f64 {
    micros as f64 / 1000.0
}
