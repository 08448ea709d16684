//! How many requests are answered.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use hyper::HeaderMap;

/// Of one address in a minute, and at once.
const OF_ADDRESS: u32 = 60;
/// Of one app in a minute, and at once, counting those alone that were genuine.
const OF_APP: u32 = 120;
/// With so many addresses known, those that were not heard of lately are forgotten.
const KNOWN: usize = 10_000;

/// Counts requests, by address and by app.
pub(super) struct Limits {
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    apps: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

impl Limits {
    pub(super) fn new() -> Limits {
        let quota =
            |a_minute| Quota::per_minute(NonZeroU32::new(a_minute).unwrap_or(NonZeroU32::MIN));
        Limits {
            addresses: RateLimiter::keyed(quota(OF_ADDRESS)),
            apps: RateLimiter::keyed(quota(OF_APP)),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request of an address; how long it is too early for it.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Duration> {
        if self.addresses.len() >= KNOWN {
            self.addresses.retain_recent();
        }
        let checked = self.addresses.check_key(&network(address));
        checked.map_err(|early| early.wait_time_from(self.clock.now()))
    }

    /// Counts a genuine request for an app; how long it is too early for it.
    pub(super) fn app(&self, app: &str) -> Result<(), Duration> {
        let checked = self.apps.check_key(&app.to_owned());
        checked.map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

/// Who asks: a proxy on this host says for whom, and nobody else is believed. It puts the address
/// that it saw behind those that it was told of.
pub(super) fn asks(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.to_canonical().is_loopback() {
        return peer;
    }
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let last = named.and_then(|it| it.to_str().ok()).and_then(|it| it.rsplit(',').next());
    last.and_then(|it| it.trim().parse().ok()).unwrap_or(peer)
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
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

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let limits = Limits::new();
        for _ in 0..OF_ADDRESS {
            limits.address(ip("2001:db8::1")).unwrap();
        }
        let wait = limits.address(ip("2001:db8::2")).unwrap_err();
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
        limits.address(ip("2001:db8:0:1::1")).unwrap();
        limits.address(ip("192.0.2.1")).unwrap();
    }

    #[test]
    fn a_proxy_is_believed_on_this_host_alone_and_its_own_word_only() {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "10.0.0.1, 192.0.2.7".parse().unwrap());
        assert_eq!(asks(ip("127.0.0.1"), &headers), ip("192.0.2.7"));
        assert_eq!(asks(ip("::ffff:127.0.0.1"), &headers), ip("192.0.2.7"));
        assert_eq!(asks(ip("198.51.100.9"), &headers), ip("198.51.100.9"));
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(asks(ip("127.0.0.1"), &headers), ip("127.0.0.1"));
    }
}
