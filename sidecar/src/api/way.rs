//! How a request came by the dashboard's address: by which name, over what, from where.
//!
//! Pure: what a request's head says, held against `[dashboard]`. A name that is not the dashboard's
//! is refused before anything else, so that no page of another name gets an answer by pointing that
//! name here; what changes something must come from a page of this very origin.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, Uri, header};
use vial_protocol::{Code, Problem};

use crate::config::Dashboard;

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FETCH_SITE: &str = "sec-fetch-site";

/// How a request came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// From where, as the connection or a named proxy says.
    pub(super) address: IpAddr,
    /// Whether the browser's own connection is encrypted.
    pub(super) secure: bool,
    /// The host that was asked, with its port where that is named, in small letters.
    host: String,
}

impl Way {
    /// Reads it.
    ///
    /// # Errors
    /// Where the request is meant for another host.
    pub(super) fn of(
        dashboard: &Dashboard,
        peer: IpAddr,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<Way, Problem> {
        let proxied = is_proxy(dashboard, peer);
        let secure = proxied && last(headers, FORWARDED_PROTO) == Some("https");
        let address = if proxied { asks(dashboard, peer, headers) } else { peer.to_canonical() };
        let elsewhere = |why: &str| {
            Problem::new(Code::Misdirected, format!("This is not answered here: {why}."))
                .next("open the dashboard by one of the `hosts` of `[dashboard]`")
        };
        let host = host(uri, headers).ok_or_else(|| elsewhere("the request names no one host"))?;
        let name = name(&host);
        if dashboard.hosts.is_empty() {
            let port = dashboard.listen.port();
            let own = ["localhost", "127.0.0.1", "[::1]"].map(|name| format!("{name}:{port}"));
            let usual = port == 80 && own.iter().any(|own| own.strip_suffix(":80") == Some(&host));
            let local = dashboard.listen.ip().to_canonical().is_loopback();
            if !local || !(own.contains(&host) || usual) {
                return Err(elsewhere("the request names another host"));
            }
        } else if !dashboard.hosts.iter().any(|known| known == name) {
            return Err(elsewhere("the request names another host"));
        } else if !secure && name != "localhost" && !name.ends_with(".localhost") {
            return Err(elsewhere("by this name it is answered over https alone"));
        }
        Ok(Way { address, secure, host })
    }

    /// Refuses what a page of another origin made a browser send.
    ///
    /// # Errors
    /// Where the browser does not say that it is of this very origin.
    pub(super) fn same_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let scheme = if self.secure { "https" } else { "http" };
        let (host, port) = (self.host.as_str(), if self.secure { ":443" } else { ":80" });
        let own = format!("{scheme}://{}", host.strip_suffix(port).unwrap_or(host));
        let origin = only(headers, header::ORIGIN.as_str());
        let site = headers.get(FETCH_SITE).map(|it| it.as_bytes() == b"same-origin");
        if origin == Some(own.as_str()) && site.unwrap_or(true) {
            return Ok(());
        }
        Err(Problem::new(
            Code::Forbidden,
            "Nothing was done: the request does not come from a page of the dashboard.",
        )
        .next("do it in the dashboard, or with an API token and without a cookie"))
    }
}

/// Whether a request changes something, or becomes a connection of its own.
pub(super) fn must_be_same_origin(method: &Method, headers: &HeaderMap) -> bool {
    let looks = matches!(*method, Method::GET | Method::HEAD);
    !looks || headers.contains_key(header::UPGRADE)
}

fn is_proxy(dashboard: &Dashboard, address: IpAddr) -> bool {
    dashboard.proxies.contains(&address.to_canonical())
}

/// Who asks by the word of proxies: each puts the address that it saw behind those it was told of.
fn asks(dashboard: &Dashboard, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let named = lines.flat_map(|it| it.to_str().unwrap_or("-").rsplit(','));
    let mut asks = peer.to_canonical();
    for address in named {
        let Ok(address) = address.trim().parse::<IpAddr>() else { break };
        asks = address.to_canonical();
        if !is_proxy(dashboard, asks) {
            break;
        }
    }
    asks
}

/// The one host that a request names.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = only(headers, header::HOST.as_str())?.to_ascii_lowercase();
    let same = uri.authority().is_none_or(|it| it.as_str().eq_ignore_ascii_case(&named));
    let plain = |it: u8| it.is_ascii_alphanumeric() || b".-:[]".contains(&it);
    (same && !named.is_empty() && named.bytes().all(plain)).then_some(named)
}

/// A host without its port.
fn name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|it| it.is_ascii_digit()) => name,
        _ => host,
    }
}

/// A header that is there once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

/// What the last proxy put into a header.
fn last<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim)
}

#[cfg(test)]
#[path = "way_tests.rs"]
mod tests;
