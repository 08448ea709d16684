//! The session's cookie.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::gate;

/// Its name over https: a browser takes such a one from this very host over https alone, so that
/// neither a neighbouring host nor a network can plant it.
const SECURE: &str = "__Host-vial";
/// Its name over http, which is this host's own loopback: browsers take no `__Host-` there.
const PLAIN: &str = "vial";

/// What a request's cookie holds.
pub(super) fn read(headers: &HeaderMap, secure: bool) -> Option<&str> {
    let name = if secure { SECURE } else { PLAIN };
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|it| it.to_str().ok());
    let mut cookies = lines.flat_map(|it| it.split(';')).filter_map(|it| it.trim().split_once('='));
    cookies.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// The header that keeps a session in the browser: for as long as any session lasts.
pub(super) fn set(value: &str, secure: bool) -> Option<HeaderValue> {
    written(value, &format!("; Max-Age={}", gate::MOST.as_secs()), secure)
}

/// The header that takes it away.
pub(super) fn clear(secure: bool) -> Option<HeaderValue> {
    written("", "; Max-Age=0", secure)
}

fn written(value: &str, more: &str, secure: bool) -> Option<HeaderValue> {
    let (name, flag) = if secure { (SECURE, "; Secure") } else { (PLAIN, "") };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{flag}{more}");
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_https_the_cookie_is_the_hosts_own_and_the_plain_one_opens_nothing() {
        let text = set("x", true).unwrap();
        let flags = "; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(text, format!("__Host-vial=x{flags}; Secure; Max-Age=604800"));
        assert_eq!(set("x", false).unwrap(), format!("vial=x{flags}; Max-Age=604800"));
        assert_eq!(clear(false).unwrap(), "vial=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; vial=plain; __Host-vial=s"));
        assert_eq!(read(&headers, true), Some("s"));
        assert_eq!(read(&headers, false), Some("plain"));
        headers.insert(header::COOKIE, HeaderValue::from_static("vial=plain"));
        assert_eq!(read(&headers, true), None);
    }
}
