//! One look at what every slot uses.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;
use vial_protocol::Slot;

use crate::app::handle::App;
use crate::route::{Route, in_flight};
use crate::slot::usage::{Usage, usage};

/// What was measured of one app.
pub(super) struct Measured {
    pub(super) at: Instant,
    pub(super) time: Timestamp,
    pub(super) in_flight: Option<u64>,
    pub(super) slots: Vec<MeasuredSlot>,
}

/// What was measured of one slot.
pub(super) struct MeasuredSlot {
    pub(super) slot: Slot,
    /// Absent where nothing runs in it.
    pub(super) usage: Option<Usage>,
    pub(super) in_flight: Option<u64>,
}

/// What one look brought.
pub(super) struct Look {
    /// How much of a core it took to read `/proc`: on a busy machine that is not how long.
    pub(super) took: Duration,
    pub(super) apps: Vec<(App, Measured)>,
}

/// Measures these apps.
pub(super) async fn measure(apps: Vec<App>) -> Look {
    let pids: Vec<[Option<u32>; 2]> = apps.iter().map(processes).collect();
    let roots: Vec<u32> = pids.iter().flatten().copied().flatten().collect();
    let families = tokio::task::spawn_blocking(move || {
        let before = on_the_cpu();
        usage(&roots).map(|families| (families, on_the_cpu().saturating_sub(before)))
    });
    let routes: Vec<Option<Arc<Route>>> =
        apps.iter().map(|it| it.context().route.clone()).collect();
    let (families, counted) = tokio::join!(families, in_flight(&routes));
    let (families, took) =
        families.map_err(std::io::Error::other).flatten().unwrap_or_else(|error| {
            tracing::debug!(%error, "what the slots use cannot be measured");
            (Vec::new(), Duration::ZERO)
        });
    let (at, time) = (Instant::now(), Timestamp::now());
    let mut families = families.into_iter();
    let measured = pids.into_iter().zip(counted).map(|(pids, counted)| {
        let slots = Slot::BOTH.into_iter().zip(pids).map(|(slot, pid)| MeasuredSlot {
            slot,
            usage: pid.and_then(|_| families.next().flatten()),
            in_flight: counted.of(slot),
        });
        Measured { at, time, slots: slots.collect(), in_flight: counted.both() }
    });
    let measured: Vec<Measured> = measured.collect();
    Look { took, apps: apps.into_iter().zip(measured).collect() }
}

/// How long this thread has had a core.
fn on_the_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

fn processes(app: &App) -> [Option<u32>; 2] {
    let status = app.status();
    Slot::BOTH.map(|slot| status.slot(slot).and_then(|it| it.pid))
}
