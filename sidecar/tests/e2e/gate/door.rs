//! By which name, from which origin, over what, by whose word.

use serde_json::json;
use vial_protocol::access::Role;

use super::{PASSWORD, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn another_host_than_the_dashboards_is_refused_before_anything_else() {
    let stage = Stage::new().await;
    let known = stage.logged_in(Role::Admin).await;
    let (nobody, port) = (stage.browser(), stage.port);
    for host in ["evil.example", "127.0.0.1", "127.0.0.1:1", "evil.example:80", ""] {
        for browser in [&known, &nobody] {
            let browser = browser.clone().with("host", host);
            for path in ["/v1/status", "/v1/session", "/", "/nothing/here", "/v1/nothing"] {
                browser.get(path).await.refused(421, "misdirected");
            }
            browser.post("/v1/session", json!({})).await.refused(421, "misdirected");
        }
    }
    for host in [format!("localhost:{port}"), format!("[::1]:{port}")] {
        known.clone().with("host", &host).get("/v1/status").await.is(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_host_is_answered_behind_a_proxy_over_https_with_a_cookie_that_is_its_own() {
    let stage = Stage::with("hosts = [\"vial.example.com\"]").await;
    stage.browser().get("/v1/session").await.refused(421, "misdirected");
    let plain = stage.browser().with("host", "vial.example.com");
    plain.get("/v1/session").await.refused(421, "misdirected");
    let mut browser = plain
        .with("origin", "https://vial.example.com")
        .with("x-forwarded-proto", "https")
        .with("x-forwarded-for", "192.0.2.7");
    let answer = browser.log_in("admin", PASSWORD).await.is(200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-vial="), "{cookie}");
    for flag in ["Path=/", "HttpOnly", "SameSite=Strict", "Secure"] {
        assert!(cookie.split("; ").any(|it| it == flag), "{flag}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    browser.get("/v1/session").await.is(200);
    // The same under the name that anybody on the way could plant.
    let planted = browser.cookie.clone().unwrap().replace("__Host-vial", "vial");
    let mut other = browser.clone();
    other.cookie = Some(planted);
    other.get("/v1/session").await.refused(401, "login_needed");
    let sessions = stage.host.client.sessions().await.unwrap();
    assert_eq!(sessions[0].address, "192.0.2.7");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_this_host_alone_the_cookie_is_out_of_reach_of_scripts_and_other_sites() {
    let stage = Stage::new().await;
    let answer = stage.browser().log_in("admin", PASSWORD).await.is(200);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("vial="), "{cookie}");
    for flag in ["Path=/", "HttpOnly", "SameSite=Strict"] {
        assert!(cookie.split("; ").any(|it| it == flag), "{flag}: {cookie}");
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_or_upgrades_must_come_from_a_page_of_this_very_origin() {
    let stage = Stage::new().await;
    let known = stage.fresh(Role::Admin).await;
    let foreign = [
        known.clone().without("origin"),
        known.clone().with("origin", "null"),
        known.clone().with("origin", "https://evil.example"),
        known.clone().with("origin", &format!("https://127.0.0.1:{}", stage.port)),
        known.clone().with("origin", &format!("http://localhost:{}", stage.port)),
        known.clone().with("origin", "http://127.0.0.1"),
        known.clone().with("sec-fetch-site", "cross-site"),
        known.clone().with("sec-fetch-site", "same-site"),
        known.clone().with("sec-fetch-site", "none"),
    ];
    for browser in foreign {
        for (method, path) in [
            ("POST", "/v1/apps/shop/stop"),
            ("PUT", "/v1/apps/shop/env"),
            ("DELETE", "/v1/session"),
            ("PATCH", "/v1/users/viewer"),
            ("POST", "/v1/session"),
        ] {
            browser.ask(method, path, "{}").await.refused(403, "forbidden");
        }
        let socket = browser
            .clone()
            .with("upgrade", "websocket")
            .with("connection", "upgrade")
            .with("sec-websocket-version", "13")
            .with("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA==");
        socket.get("/v1/apps/shop/console").await.refused(403, "forbidden");
        // Looking changes nothing, and no other site can read what it gets.
        browser.get("/v1/status").await.is(200);
    }
    known.get("/v1/session").await.is(200);
    known.post("/v1/apps/shop/cancel", json!({})).await.refused(409, "nothing_in_progress");
    // A browser that is too old to say of which site a request is.
    let old = known.without("sec-fetch-site");
    old.post("/v1/apps/shop/cancel", json!({})).await.refused(409, "nothing_in_progress");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_a_named_proxy_says_for_whom_it_asks() {
    let stage = Stage::with("proxies = [\"192.0.2.1\"]").await;
    let mut browser =
        stage.browser().with("x-forwarded-for", "203.0.113.9").with("x-forwarded-proto", "https");
    let answer = browser.log_in("admin", PASSWORD).await.is(200);
    assert!(answer.header("set-cookie").unwrap().starts_with("vial="));
    let sessions = stage.host.client.sessions().await.unwrap();
    assert_eq!(sessions[0].address, "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_known_sends_is_small_and_a_method_that_is_not_there_reaches_nothing() {
    let stage = Stage::new().await;
    let nobody = stage.browser();
    let large = "x".repeat(100_000);
    nobody.post("/v1/session", json!({"name": "admin", "password": large})).await.is(400);
    for (method, path) in
        [("PUT", "/v1/session"), ("OPTIONS", "/v1/status"), ("TRACE", "/v1/users")]
    {
        assert!(matches!(nobody.ask(method, path, "").await.status, 400 | 401 | 403 | 404));
    }
    let known = stage.fresh(Role::Admin).await;
    known.ask("PUT", "/v1/session", "").await.is(400);
    known.get("/v1/nothing").await.is(404);
    known.get("/v1/apps/shop/../../status").await.is(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_keeps_scripts_and_frames_of_others_out_of_the_readers_browser() {
    let stage = Stage::new().await;
    let known = stage.logged_in(Role::Viewer).await;
    let elsewhere = known.clone().with("host", "evil.example");
    let console = "/apps/shop/console";
    for path in ["/", "/login", "/apps/shop", console, "/v1/status", "/v1/nothing", "/v1/audit"] {
        for browser in [&known, &elsewhere] {
            let answer = browser.get(path).await;
            let policy = answer.header("content-security-policy").unwrap();
            let directive = |name: &str| {
                let mut all = policy.split(';').filter_map(|it| it.trim().split_once(' '));
                all.find(|(known, _)| *known == name).map(|(_, value)| value)
            };
            assert_eq!(directive("default-src"), Some("'none'"), "{path}");
            assert_eq!(directive("script-src"), Some("'self'"), "{path}");
            assert_eq!(directive("frame-ancestors"), Some("'none'"), "{path}");
            let styles = if path == console { "'self' 'unsafe-inline'" } else { "'self'" };
            assert_eq!(directive("style-src"), Some(styles), "{path}");
            assert!(!policy.contains("unsafe-eval"), "{path}: {policy}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(
                answer.header("cross-origin-resource-policy"),
                Some("same-origin"),
                "{path}"
            );
            // No other site may read anything.
            assert!(answer.header("access-control-allow-origin").is_none(), "{path}");
        }
    }
}
