//! How often somebody may try a password: by the address and by the name.
//!
//! Whoever tries a name from everywhere uses up its limit, but not for its owner: from where a name
//! came in before, it has a limit of its own.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::rate::{Rate, network};

/// Of one address in a minute, and at once.
const OF_ADDRESS: u32 = 20;
/// Of one name in a minute, and at once.
const OF_NAME: u32 = 30;
/// With so many known, all are forgotten.
const KNOWN: usize = 10_000;

/// Counts attempts.
#[derive(Debug)]
pub struct Limits {
    addresses: Rate<IpAddr>,
    /// By the name, and by where it comes from if it came in from there before.
    names: Rate<(String, Option<IpAddr>)>,
    familiar: Mutex<HashSet<(String, IpAddr)>>,
}

impl Limits {
    pub(super) fn new() -> Limits {
        Limits {
            addresses: Rate::a_minute(OF_ADDRESS),
            names: Rate::a_minute(OF_NAME),
            familiar: Mutex::default(),
        }
    }

    /// Counts an attempt of an address; how long it is too early for it.
    pub(super) fn address(&self, address: IpAddr) -> Result<(), Duration> {
        self.addresses.count(&network(address))
    }

    /// Counts an attempt at a name; how long it is too early for it.
    pub(super) fn name(&self, name: &str, from: IpAddr) -> Result<(), Duration> {
        let from = network(from);
        let familiar = self.familiar().contains(&(name.to_owned(), from));
        self.names.count(&(name.to_owned(), familiar.then_some(from)))
    }

    /// Remembers that a name came in from there.
    pub(super) fn came_in(&self, name: &str, from: IpAddr) {
        let mut familiar = self.familiar();
        if familiar.len() >= KNOWN {
            familiar.clear();
        }
        familiar.insert((name.to_owned(), network(from)));
    }

    fn familiar(&self) -> std::sync::MutexGuard<'_, HashSet<(String, IpAddr)>> {
        self.familiar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_that_tries_too_often_waits_and_others_do_not() {
        let limits = Limits::new();
        for _ in 0..OF_ADDRESS {
            limits.address(ip("2001:db8::1")).unwrap();
        }
        let wait = limits.address(ip("2001:db8::2")).unwrap_err();
        assert!(wait <= Duration::from_secs(3), "{wait:?}");
        limits.address(ip("2001:db8:0:1::1")).unwrap();
    }

    #[test]
    fn a_name_that_is_tried_from_everywhere_waits_but_not_where_it_came_in_before() {
        let limits = Limits::new();
        limits.came_in("anna", ip("192.0.2.1"));
        for host in 0..OF_NAME {
            limits.name("anna", IpAddr::from([198, 51, 100, host as u8])).unwrap();
        }
        let wait = limits.name("anna", ip("203.0.113.1")).unwrap_err();
        assert!(wait <= Duration::from_secs(2), "{wait:?}");
        limits.name("anna", ip("192.0.2.1")).unwrap();
        limits.name("berta", ip("203.0.113.1")).unwrap();
        limits.came_in("berta", ip("203.0.113.2"));
        limits.name("anna", ip("203.0.113.2")).unwrap_err();
    }
}
