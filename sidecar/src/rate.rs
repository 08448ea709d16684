//! How often something may be done, by whoever does it. It is forgotten with the daemon.

use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// With so many known, those that were not heard of lately are forgotten.
const KNOWN: usize = 10_000;

/// Counts what each does.
pub struct Rate<K: Clone + Eq + Hash> {
    known: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
}

impl<K: Clone + Eq + Hash> Rate<K> {
    /// Each may so often in a minute, and at once.
    #[must_use]
    pub fn a_minute(times: u32) -> Rate<K> {
        let quota = Quota::per_minute(NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN));
        Rate { known: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Counts one more.
    ///
    /// # Errors
    /// How long it is too early for it.
    pub fn count(&self, who: &K) -> Result<(), Duration> {
        if self.known.len() >= KNOWN {
            self.known.retain_recent();
        }
        let checked = self.known.check_key(who);
        checked.map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

impl<K: Clone + Eq + Hash> std::fmt::Debug for Rate<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rate")
    }
}

/// As whom an address counts: whoever has one of IPv6 has 2^64 of them.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Addr::into(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_it_too_often_waits_and_others_do_not() {
        let ip = |text: &str| network(text.parse().unwrap());
        let rate = Rate::a_minute(20);
        for _ in 0..20 {
            rate.count(&ip("2001:db8::1")).unwrap();
        }
        let wait = rate.count(&ip("2001:db8::2")).unwrap_err();
        assert!(wait <= Duration::from_secs(3), "{wait:?}");
        rate.count(&ip("2001:db8:0:1::1")).unwrap();
        rate.count(&ip("::ffff:192.0.2.1")).unwrap();
        assert_eq!(ip("::ffff:192.0.2.1"), ip("192.0.2.1"));
    }
}
