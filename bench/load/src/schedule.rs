//! When requests are due: a fixed schedule that does not wait for answers.

use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

/// The timer's own coarseness: being so late is no delay of the server's.
const TIMER: Duration = Duration::from_millis(2);

/// One client's share of a rate.
pub struct Schedule {
    interval: Interval,
    stop: CancellationToken,
}

impl Schedule {
    /// The schedule of client `index` of `clients` that share `rate` requests a second, each
    /// taking its turn.
    pub fn share(rate: u32, index: u32, clients: u32, stop: &CancellationToken) -> Self {
        let turn = Duration::from_secs(1) / rate.max(1);
        Self::every(turn * clients, turn * index, stop)
    }

    /// Something that is due every `period`, the first time after `offset`.
    pub fn every(period: Duration, offset: Duration, stop: &CancellationToken) -> Self {
        let mut interval =
            interval_at(Instant::now() + offset, period.max(Duration::from_nanos(1)));
        // What fell due while an answer was awaited is sent as soon as it can be.
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        Self { interval, stop: stop.clone() }
    }

    /// Waits until the next request is due and says since when it is; `None` once stopped.
    pub async fn due(&mut self) -> Option<Instant> {
        let due = tokio::select! {
            biased;
            () = self.stop.cancelled() => return None,
            due = self.interval.tick() => due,
        };
        let now = Instant::now();
        Some(if now.duration_since(due) <= TIMER { now } else { due })
    }
}
