//! Waits until a slot has no request in flight, by Caddy's own counters.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use vial_protocol::Slot;

use super::admin::Admin;
use super::settings::Settings;

/// Caddy counts a request from when it has chosen the upstream, a moment after it has chosen the
/// route: one that was in between shows up within these polls.
const ZEROS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);
/// What is still in flight after a second is slow, or a WebSocket.
const PAUSE_WHILE_SLOW: Duration = Duration::from_millis(100);
/// Polls in a row that may fail: Caddy opens its admin endpoint anew at each reload.
const FAILURES: u32 = 10;
/// Idle keep-alive connections of Caddy stay for two minutes, so that waiting for no connection at
/// all would wait in vain: this long must do for requests that nobody can count.
const UNCOUNTED: Duration = Duration::from_secs(10);

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// What was still in flight when the wait ended: see `counted_by`.
    pub remaining: u64,
    /// How long it took.
    pub took: Duration,
    /// What `remaining` counts.
    pub counted_by: CountedBy,
}

/// Where a count of requests in flight came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountedBy {
    /// Requests, streams and WebSockets, as Caddy counts them.
    Caddy,
    /// TCP connections to the slot, idle ones among them, because Caddy could not be asked.
    Connections,
    /// Nothing could be counted; the wait was as long as for connections.
    Nothing,
}

/// Requests, streams and WebSockets in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InFlight {
    /// To blue.
    pub blue: u64,
    /// To green.
    pub green: u64,
}

/// One slot's requests in flight; `None` where Caddy cannot be asked or does not know the slot.
async fn count(admin: &Admin, dial: &str) -> Option<u64> {
    let upstreams = admin.upstreams().await.ok()?;
    upstreams.iter().find(|entry| entry.address == dial).map(|entry| entry.num_requests)
}

/// Both slots' requests in flight.
pub(super) async fn in_flight(admin: Option<&Admin>, settings: &Settings) -> Option<InFlight> {
    let upstreams = admin?.upstreams().await.ok()?;
    let of = |slot| {
        let dial = settings.dial(slot);
        upstreams.iter().find(|entry| entry.address == dial).map(|entry| entry.num_requests)
    };
    Some(InFlight { blue: of(Slot::Blue)?, green: of(Slot::Green)? })
}

/// One route's requests in flight, as far as Caddy says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    blue: Option<u64>,
    green: Option<u64>,
}

impl Counted {
    /// Those to a slot.
    #[must_use]
    pub fn of(self, slot: Slot) -> Option<u64> {
        match slot {
            Slot::Blue => self.blue,
            Slot::Green => self.green,
        }
    }

    /// Those to both.
    #[must_use]
    pub fn both(self) -> Option<u64> {
        let known = [self.blue, self.green];
        known.iter().any(Option::is_some).then(|| known.iter().flatten().sum())
    }
}

/// The requests in flight of many routes, in their order. A Caddy is asked once for all of them.
pub(super) async fn counted(routes: &[Option<(&Admin, &Settings)>]) -> Vec<Counted> {
    let mut admins: Vec<&Admin> = Vec::new();
    for (admin, _) in routes.iter().flatten() {
        if !admins.contains(admin) {
            admins.push(admin);
        }
    }
    let answers = join_all(admins.iter().map(|admin| admin.upstreams())).await;
    let of = |(admin, settings): (&Admin, &Settings)| {
        let at = admins.iter().position(|it| *it == admin)?;
        let upstreams = answers.get(at)?.as_ref().ok()?;
        let to = |slot| {
            let dial = settings.dial(slot);
            upstreams.iter().find(|entry| entry.address == dial).map(|entry| entry.num_requests)
        };
        Some(Counted { blue: to(Slot::Blue), green: to(Slot::Green) })
    };
    routes.iter().map(|route| route.and_then(of).unwrap_or_default()).collect()
}

/// Waits until nothing is in flight to a slot, at most until the deadline.
pub(super) async fn drained(
    admin: Option<&Admin>,
    settings: &Settings,
    slot: Slot,
    deadline: Duration,
) -> Drained {
    let begun = Instant::now();
    let by_caddy = match admin {
        Some(admin) => by_caddy(admin, &settings.dial(slot), begun + deadline).await,
        None => None,
    };
    let (counted_by, remaining) = match by_caddy {
        Some(remaining) => (CountedBy::Caddy, remaining),
        None => by_connections(settings.ports.of(slot), begun + deadline.min(UNCOUNTED)).await,
    };
    Drained { remaining, took: begun.elapsed(), counted_by }
}

async fn by_caddy(admin: &Admin, dial: &str, until: Instant) -> Option<u64> {
    let begun = Instant::now();
    let (mut zeros, mut failures) = (0, 0);
    let mut last = None;
    loop {
        let counted = count(admin, dial).await;
        match counted {
            Some(0) => (zeros, failures) = (zeros + 1, 0),
            Some(_) => (zeros, failures) = (0, 0),
            None => (zeros, failures) = (0, failures + 1),
        }
        last = counted.or(last);
        if zeros == ZEROS {
            return Some(0);
        }
        if failures == FAILURES {
            return None;
        }
        let slow = counted.is_some_and(|count| count > 0) && begun.elapsed().as_secs() >= 1;
        let pause = if slow { PAUSE_WHILE_SLOW } else { PAUSE };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return last;
        }
        sleep(pause.min(left)).await;
    }
}

async fn by_connections(port: u16, until: Instant) -> (CountedBy, u64) {
    loop {
        let counted = connections(port).await;
        let left = until.saturating_duration_since(Instant::now());
        match counted {
            Some(0) => return (CountedBy::Connections, 0),
            Some(count) if left.is_zero() => return (CountedBy::Connections, count),
            None if left.is_zero() => return (CountedBy::Nothing, 0),
            _ => sleep(PAUSE_WHILE_SLOW.min(left)).await,
        }
    }
}

/// Established connections that end at a port of this host.
async fn connections(port: u16) -> Option<u64> {
    let count = move || {
        let tcp = procfs::net::tcp().ok()?;
        // A host without IPv6 has no such table.
        let tcp6 = procfs::net::tcp6().unwrap_or_default();
        let established = tcp.iter().chain(&tcp6).filter(|entry| {
            entry.local_address.port() == port && entry.state == procfs::net::TcpState::Established
        });
        u64::try_from(established.count()).ok()
    };
    tokio::task::spawn_blocking(count).await.ok().flatten()
}
