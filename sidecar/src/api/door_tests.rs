use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use axum::routing::get;
use axum::{Router, middleware};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;
use vial_protocol::access::NewUser;

use super::super::audit::Trail;
use super::super::stream::Streams;
use super::*;
use crate::app::registry::Registry;
use crate::config::{Dashboard, HostConfig};
use crate::console::Consoles;
use crate::gate::{Gate, LoginFrom};
use crate::metrics::Metrics;
use crate::store::Store;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn shared(folder: &Path) -> Shared {
    let store = Store::open(&folder.join("vial.db")).unwrap();
    let (_, apps) = watch::channel(Arc::new(Registry::default()));
    let (_, stop) = watch::channel(false);
    let mut host = HostConfig::usual(&folder.join("vial.toml"));
    host.dashboard = Some(Dashboard::at(([127, 0, 0, 1], 4181).into()));
    Shared {
        apps: apps.clone(),
        host: Arc::new(host),
        orders: mpsc::channel(1).0,
        consoles: Consoles::new(stop.clone()),
        streams: Streams::new(stop),
        gate: Gate::new(store.clone()),
        audit: Trail::new(store.clone()),
        metrics: Metrics::start(apps),
        store,
        started_at: Timestamp::now(),
    }
}

/// A router with a route that stands in no row, one that does, and what answers the rest.
fn router(shared: &Shared) -> Router {
    let reached = || async { "reached" };
    Router::new()
        .route("/v1/undeclared", get(reached).post(reached))
        .route("/v1/status", get(reached).post(reached))
        .fallback(|| async { "a page" })
        .layer(middleware::from_fn_with_state(shared.clone(), door))
}

async fn ask(router: &Router, line: Line, method: &str, path: &str, cookie: &str) -> (u16, String) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:4181")
        .header("origin", "http://localhost:4181")
        .header("cookie", cookie)
        .body(Body::empty())
        .unwrap();
    request.extensions_mut().insert(line);
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn a_route_without_a_row_is_reached_by_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path());
    let password = "correct horse battery staple".to_owned();
    let role = Role::Admin;
    let user = NewUser { name: "anna".into(), role, password: password.clone() };
    shared.gate.add_user(user, "root").await.unwrap();
    let from = LoginFrom { address: HERE, agent: String::new() };
    let logged_in = shared.gate.log_in("anna", password, from).await.unwrap();
    let cookie = format!("vial={}", logged_in.cookie);
    let router = router(&shared);

    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
    let peer = Peer::of(&ours, "vial").unwrap();
    drop(theirs);
    for line in [Line::Tcp(HERE), Line::Socket(peer.clone())] {
        for method in ["GET", "POST"] {
            let (status, body) =
                ask(&router, line.clone(), method, "/v1/undeclared", &cookie).await;
            assert_eq!(status, 404, "{body}");
            assert!(body.contains("There is nothing at"), "{body}");
        }
        let (status, body) = ask(&router, line.clone(), "GET", "/v1/status", &cookie).await;
        assert_eq!((status, body.as_str()), (200, "reached"));
        // A method that has a handler and no row.
        let (status, body) = ask(&router, line, "POST", "/v1/status", &cookie).await;
        assert!(status == 400 && !body.contains("reached"), "{body}");
    }
}

#[tokio::test]
async fn a_page_is_for_everybody_by_the_right_name_and_what_is_behind_the_login_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let router = router(&shared(folder.path()));
    let tcp = || Line::Tcp(HERE);
    assert_eq!(ask(&router, tcp(), "GET", "/", "").await, (200, "a page".to_owned()));
    assert_eq!(ask(&router, tcp(), "GET", "/v1/status", "").await.0, 401);
    assert_eq!(ask(&router, tcp(), "GET", "/v1/status", "vial=x").await.0, 401);
    let mut request = Request::new(Body::empty());
    request.headers_mut().insert("host", HeaderValue::from_static("evil.example"));
    request.extensions_mut().insert(tcp());
    assert_eq!(router.clone().oneshot(request).await.unwrap().status(), 421);
    // A connection that nobody said anything of.
    let unknown = router.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!(unknown.status(), 500);
}
