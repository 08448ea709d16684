//! How many requests are answered.

use std::net::IpAddr;
use std::time::Duration;

use hyper::HeaderMap;

use crate::rate::{Rate, network};

/// Of one address in a minute, and at once.
const OF_ADDRESS: u32 = 60;
/// Of one app in a minute, and at once, counting those alone that were genuine.
const OF_APP: u32 = 120;

/// Counts requests, by address and by app.
pub(super) struct Limits {
    addresses: Rate<IpAddr>,
    apps: Rate<String>,
}

impl Limits {
    pub(super) fn new() -> Limits {
        Limits { addresses: Rate::a_minute(OF_ADDRESS), apps: Rate::a_minute(OF_APP) }
    }

    /// Counts a request of an address; how long it is too early for it.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Duration> {
        self.addresses.count(&network(address))
    }

    /// Counts a genuine request for an app; how long it is too early for it.
    pub(super) fn app(&self, app: &str) -> Result<(), Duration> {
        self.apps.count(&app.to_owned())
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
