//! Waiting for the requests in flight to a slot, through a real Caddy.

use std::time::Duration;

use crate::support::Stage;
use crate::support::client::{Socket, get};
use vial::route::{CountedBy, InFlight, Settings};
use vial_protocol::Slot::{Blue, Green};

const LONG: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_without_requests_is_drained_at_once() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    route.switch(Green).await.unwrap();
    let drained = route.drained(Blue, LONG).await;
    assert_eq!((drained.remaining, drained.counted_by), (0, CountedBy::Caddy));
    assert!(drained.took >= Duration::from_millis(80), "five polls, 20 ms apart: {drained:?}");
    assert!(drained.took < Duration::from_secs(5), "{drained:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_waits_for_a_slow_request_and_no_longer() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    let site = stage.site;
    let slow = tokio::spawn(async move { get(site, "/slow/1500").await.unwrap() });
    while route.in_flight().await != Some(InFlight { blue: 1, green: 0 }) {
        tokio::task::yield_now().await;
    }
    route.switch(Green).await.unwrap();
    let drained = route.drained(Blue, LONG).await;
    assert_eq!((drained.remaining, drained.counted_by), (0, CountedBy::Caddy));
    assert!(slow.is_finished(), "the drain ended before the request");
    assert_eq!(slow.await.unwrap(), "blue");
    assert!(drained.took < Duration::from_secs(10), "{drained:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_with_an_open_websocket_ends_at_its_deadline_and_counts_it() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    let mut socket = Socket::open(stage.site).await;
    route.switch(Green).await.unwrap();
    let drained = route.drained(Blue, Duration::from_millis(400)).await;
    assert_eq!((drained.remaining, drained.counted_by), (1, CountedBy::Caddy));
    assert!(drained.took >= Duration::from_millis(400), "{drained:?}");
    assert!(socket.echoes().await);
    // However short, it says what is in flight.
    assert_eq!(route.drained(Blue, Duration::ZERO).await.remaining, 1);
    assert_eq!(route.drained(Green, LONG).await.remaining, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_by_hand_during_a_drain_does_not_lose_the_count() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.settings()).await;
    let site = stage.site;
    let slow = tokio::spawn(async move { get(site, "/slow/1500").await.unwrap() });
    while route.in_flight().await != Some(InFlight { blue: 1, green: 0 }) {
        tokio::task::yield_now().await;
    }
    route.switch(Green).await.unwrap();
    let (folder, admin) = (stage.folder.path().to_owned(), format!("127.0.0.1:{}", stage.admin));
    let reload = tokio::task::spawn_blocking(move || {
        let reload = ["reload", "--force", "--config", "Caddyfile", "--address", &admin];
        crate::support::Caddy::run(&folder, &reload);
    });
    let drained = route.drained(Blue, LONG).await;
    assert_eq!((drained.remaining, drained.counted_by), (0, CountedBy::Caddy));
    assert!(slow.is_finished(), "the drain ended before the request");
    reload.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_admin_endpoint_connections_are_counted() {
    let stage = Stage::new().await;
    let probe = format!("http://127.0.0.1:{}", stage.site).parse().unwrap();
    let route = stage.prepared(Settings { admin: None, probe: Some(probe), ..stage.settings() });
    let _caddy = stage.caddy_with("admin off", &stage.plain_site(&route)).await;
    let socket = Socket::open(stage.site).await;
    route.switch(Green).await.unwrap();
    let drained = route.drained(Blue, Duration::from_millis(300)).await;
    assert_eq!(drained.counted_by, CountedBy::Connections);
    assert!(drained.remaining >= 1, "the WebSocket, and what Caddy keeps idle: {drained:?}");
    assert!(drained.took >= Duration::from_millis(300), "{drained:?}");
    let drained = route.drained(Green, LONG).await;
    assert_eq!((drained.remaining, drained.counted_by), (0, CountedBy::Connections));
    drop(socket);
}
