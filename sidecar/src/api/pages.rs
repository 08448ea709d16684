//! The dashboard's pages, and what every answer on its address says to a browser.
//!
//! The socket has none: they are the fallback of the TCP address alone.

use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::way::Way;
use crate::web;

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The console's page alone: its terminal writes its own styles.
const CONSOLE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// What a page may ask the browser for: to write to the clipboard, and nothing else.
const PERMISSIONS: &str = "camera=(), geolocation=(), microphone=(), payment=(), usb=(), \
    browsing-topics=(), clipboard-read=(self), clipboard-write=(self)";

/// Where no page is: what stands there is the API's, and a wrong address a problem.
const NOT_PAGES: [&str; 3] = ["/v1", "/openapi.json", "/hooks"];

/// Whether an address is that of a page or of a file of one, for which nobody logs in.
fn is_page(method: &Method, path: &str) -> bool {
    let below = |root: &&str| path.strip_prefix(*root).is_some_and(|rest| !is_name(rest));
    (method == Method::GET || method == Method::HEAD) && !NOT_PAGES.iter().any(below)
}

/// Whether a prefix goes on as a name, so that it is another one: `/v10`.
fn is_name(rest: &str) -> bool {
    !rest.is_empty() && !rest.starts_with('/')
}

/// What is beside the API: pages at the dashboard's address, which the door has found to be its own,
/// and nothing on the socket.
pub(super) async fn elsewhere(
    way: Option<Extension<Way>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match way {
        Some(_) => page(&method, &uri, &headers),
        None => nothing(&uri),
    }
}

/// What is said where nothing is.
fn nothing(uri: &Uri) -> Response {
    let message = format!("There is nothing at {}.", uri.path());
    Failure(Problem::new(Code::NotFound, message)).into_response()
}

/// The page at an address, or the file.
fn page(method: &Method, uri: &Uri, headers: &HeaderMap) -> Response {
    if !is_page(method, uri.path()) {
        return nothing(uri);
    }
    let Some(file) = web::at(uri.path(), takes_gzip(headers)) else { return nothing(uri) };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|it| it.to_str().ok());
    let fresh = known.is_some_and(|tags| tags.split(',').any(|tag| is_same(tag, &file.tag)));
    let body = if fresh { Body::empty() } else { Body::from(file.bytes) };
    let mut response = Response::new(body);
    if fresh {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let answer = response.headers_mut();
    let keep = if file.forever { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    answer.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if let Ok(tag) = HeaderValue::from_str(&file.tag) {
        answer.insert(header::ETAG, tag);
    }
    if file.gzip && !fresh {
        answer.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Puts on every answer what keeps others out of the reader's browser.
pub(super) async fn guarded(request: Request, next: Next) -> Response {
    let console = is_console(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let policy = if console { CONSOLE } else { POLICY };
    let mut put = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    put(header::CONTENT_SECURITY_POLICY, policy);
    put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(header::REFERRER_POLICY, "no-referrer");
    put(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    put(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    put(HeaderName::from_static("permissions-policy"), PERMISSIONS);
    // What the API says is about now, and for one reader.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// `/apps/NAME/console`
fn is_console(path: &str) -> bool {
    let mut parts = path.trim_matches('/').split('/');
    let (root, _, page) = (parts.next(), parts.next(), parts.next());
    root == Some("apps") && page == Some("console") && parts.next().is_none()
}

/// Whether the reader takes gzip, as nearly every one does.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let all = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    all.flat_map(|line| line.split(',')).any(|coding| {
        let (name, rest) = coding.split_once(';').unwrap_or((coding, ""));
        let refused =
            matches!(rest.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        name.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Whether two tags mean the same bytes, or something as good.
fn is_same(one: &str, tag: &str) -> bool {
    let one = one.trim();
    one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_has_no_pages_and_everything_else_has() {
        for path in ["/", "/apps/shop", "/v10", "/login", "/assets/a.js"] {
            assert!(is_page(&Method::GET, path), "{path}");
            assert!(!is_page(&Method::POST, path), "{path}");
        }
        for path in ["/v1", "/v1/", "/v1/nothing", "/openapi.json", "/hooks/shop"] {
            assert!(!is_page(&Method::GET, path), "{path}");
        }
    }

    #[test]
    fn only_the_consoles_own_page_may_write_styles() {
        assert!(is_console("/apps/shop/console") && is_console("/apps/shop/console/"));
        for path in ["/", "/apps/console", "/apps/shop/console/x", "/v1/apps/shop/console"] {
            assert!(!is_console(path), "{path}");
        }
        assert_eq!(POLICY, CONSOLE.replace(" 'unsafe-inline'", ""));
        assert!(!CONSOLE.contains("script-src 'self' 'unsafe-inline'"));
    }

    #[test]
    fn gzip_goes_to_whom_takes_it() {
        let takes = |value: &'static str| {
            let value = HeaderValue::from_static(value);
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, value)]))
        };
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate,gzip"));
        assert!(!takes("br") && !takes("gzip;q=0, br") && !takes("gzip; q=0.0") && !takes(""));
    }

    #[test]
    fn who_has_the_page_already_is_told_so() {
        let first = page(&Method::GET, &Uri::from_static("/apps"), &HeaderMap::new());
        let tag = first.headers()[header::ETAG].clone();
        let again = HeaderMap::from_iter([(header::IF_NONE_MATCH, tag)]);
        let second = page(&Method::GET, &Uri::from_static("/apps"), &again);
        assert_eq!((first.status(), second.status()), (StatusCode::OK, StatusCode::NOT_MODIFIED));
    }
}
