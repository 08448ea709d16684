use axum::http::HeaderValue;

use super::*;

fn dashboard(hosts: &[&str]) -> Dashboard {
    let hosts = hosts.iter().map(|it| (*it).to_owned()).collect();
    Dashboard { hosts, ..Dashboard::at(([127, 0, 0, 1], 4181).into()) }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn way(hosts: &[&str], peer: &str, all: &[(&'static str, &str)]) -> Result<Way, Problem> {
    Way::of(&dashboard(hosts), ip(peer), &Uri::from_static("/"), &headers(all))
}

#[test]
fn without_named_hosts_only_this_hosts_own_are_answered() {
    for host in ["localhost:4181", "127.0.0.1:4181", "[::1]:4181", "LOCALHOST:4181"] {
        assert!(way(&[], "127.0.0.1", &[("host", host)]).is_ok(), "{host}");
    }
    for host in
        ["evil.example", "localhost", "localhost:80", "127.0.0.1.evil.example:4181", "", "a b"]
    {
        let refused = way(&[], "127.0.0.1", &[("host", host)]).unwrap_err();
        assert_eq!(refused.code, Code::Misdirected, "{host}");
    }
    way(&[], "127.0.0.1", &[]).unwrap_err();
    let everywhere = Dashboard::at(([0, 0, 0, 0], 4181).into());
    let own = headers(&[("host", "localhost:4181")]);
    Way::of(&everywhere, ip("192.0.2.1"), &Uri::from_static("/"), &own).unwrap_err();
    way(&[], "127.0.0.1", &[("host", "localhost:4181"), ("host", "localhost:4181")]).unwrap_err();
}

#[test]
fn named_hosts_are_answered_over_https_with_any_port_and_no_other_is() {
    let https = ("x-forwarded-proto", "https");
    let hosts = &["vial.example.com"];
    for host in ["vial.example.com", "vial.example.com:8443", "Vial.Example.Com"] {
        assert!(way(hosts, "127.0.0.1", &[("host", host), https]).unwrap().secure, "{host}");
        way(hosts, "127.0.0.1", &[("host", host)]).unwrap_err();
        way(hosts, "192.0.2.1", &[("host", host), https]).unwrap_err();
    }
    for host in [
        "127.0.0.1:4181",
        "localhost:4181",
        "www.vial.example.com",
        "vial.example.com.",
        "vial.example.com:x",
    ] {
        way(hosts, "127.0.0.1", &[("host", host), https]).unwrap_err();
    }
}

#[test]
fn a_request_line_that_names_another_host_than_its_header_is_refused() {
    let read = |uri: &'static str| {
        Way::of(
            &dashboard(&[]),
            ip("127.0.0.1"),
            &Uri::from_static(uri),
            &headers(&[("host", "localhost:4181")]),
        )
    };
    assert!(read("http://localhost:4181/").is_ok());
    assert!(read("http://evil.example/").is_err());
}

#[test]
fn named_proxies_are_believed_and_nobody_else() {
    let host = ("host", "localhost:4181");
    let address = |peer: &str, named: &[&str]| {
        let mut all = vec![host];
        all.extend(named.iter().map(|it| ("x-forwarded-for", *it)));
        way(&[], peer, &all).unwrap().address
    };
    assert_eq!(address("127.0.0.1", &["192.0.2.7"]), ip("192.0.2.7"));
    assert_eq!(address("::ffff:127.0.0.1", &["192.0.2.7"]), ip("192.0.2.7"));
    assert_eq!(address("127.0.0.1", &["10.0.0.1, 192.0.2.7"]), ip("192.0.2.7"));
    assert_eq!(address("127.0.0.1", &["10.0.0.1, 192.0.2.7, ::1"]), ip("192.0.2.7"));
    assert_eq!(address("127.0.0.1", &["10.0.0.1", "192.0.2.7"]), ip("192.0.2.7"));
    assert_eq!(address("127.0.0.1", &["192.0.2.7, nonsense"]), ip("127.0.0.1"));
    assert_eq!(address("198.51.100.9", &["192.0.2.7"]), ip("198.51.100.9"));
}

#[test]
fn what_changes_must_come_from_this_very_origin() {
    let plain = way(&[], "127.0.0.1", &[("host", "localhost:4181")]).unwrap();
    let from = |way: &Way, all: &[(&'static str, &str)]| way.same_origin(&headers(all)).is_ok();
    assert!(from(&plain, &[("origin", "http://localhost:4181")]));
    let own = ("origin", "http://localhost:4181");
    assert!(from(&plain, &[own, ("sec-fetch-site", "same-origin")]));
    for site in ["same-site", "cross-site", "none", ""] {
        assert!(!from(&plain, &[own, ("sec-fetch-site", site)]), "{site}");
    }
    for origin in
        ["null", "http://localhost", "https://localhost:4181", "http://localhost:4182", ""]
    {
        assert!(!from(&plain, &[("origin", origin)]), "{origin}");
    }
    assert!(!from(&plain, &[]) && !from(&plain, &[own, own]));
    let https = [("host", "vial.example.com:443"), ("x-forwarded-proto", "https")];
    let https = way(&["vial.example.com"], "127.0.0.1", &https).unwrap();
    assert!(from(&https, &[("origin", "https://vial.example.com")]));
    assert!(!from(&https, &[("origin", "http://vial.example.com")]));
}

#[test]
fn a_websocket_is_asked_where_it_comes_from_and_a_look_is_not() {
    assert!(!must_be_same_origin(&Method::GET, &headers(&[])));
    assert!(must_be_same_origin(&Method::GET, &headers(&[("upgrade", "websocket")])));
    assert!(must_be_same_origin(&Method::DELETE, &headers(&[])));
}
