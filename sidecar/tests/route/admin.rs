//! The route by Caddy's admin API, through a real Caddy.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::client::get;
use crate::support::{Caddy, Stage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use vial::route::{
    Address, ConfirmedBy, CountedBy, InFlight, Route, RouteProblem, Settings, SwitchError,
};
use vial_protocol::Slot::{Blue, Green};

#[tokio::test(flavor = "multi_thread")]
async fn switching_both_ways_is_seen_in_the_configuration_and_through_caddy() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.admin_settings()).await;
    assert_eq!(route.mode(), "admin");
    for to in [Green, Green, Blue, Green] {
        let switched = route.switch(to).await.unwrap();
        let ConfirmedBy::ConfigurationAndProbe(target) = switched.confirmed_by else { panic!() };
        assert_eq!(target.address, Address::Tcp(([127, 0, 0, 1], stage.site).into()));
        assert_eq!(stage.who().await, to.as_str());
        assert_eq!(route.flagged().unwrap(), to);
        route.check(to).await.unwrap();
    }
    let wrong = route.check(Blue).await.unwrap_err();
    assert!(matches!(wrong, RouteProblem::WrongSlot { .. }), "{wrong}");
    assert_eq!(stage.blue.probed() + stage.green.probed(), 0, "the secret went to the app");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_by_hand_takes_the_slot_of_the_last_switch() {
    let stage = Stage::new().await;
    let (route, mut caddy) = stage.plain(stage.admin_settings()).await;
    route.switch(Green).await.unwrap();
    let address = format!("127.0.0.1:{}", stage.admin);
    let reload = ["reload", "--force", "--config", "Caddyfile", "--address", &address];
    Caddy::run(stage.folder.path(), &reload);
    assert_eq!(stage.who().await, "green");
    caddy.start_again().await;
    assert_eq!(stage.who().await, "green");
    assert!(!route.prepare().unwrap().changed, "preparing keeps the slot");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_came_back_with_the_other_slot_is_noticed_and_switched_again() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.admin_settings());
    stage.write_caddyfile(&format!("admin 127.0.0.1:{}", stage.admin), &stage.plain_site(&route));
    let adapted = Caddy::run(stage.folder.path(), &["adapt", "--config", "Caddyfile"]);
    std::fs::write(stage.path("caddy.json"), adapted.stdout).unwrap();
    let mut caddy = Caddy::start(stage.folder.path(), &["--config", "caddy.json"]).await;
    route.switch(Green).await.unwrap();
    caddy.start_again().await;
    assert_eq!(stage.who().await, "blue");
    let problem = route.check(Green).await.unwrap_err();
    assert!(problem.to_string().contains("blue answers through Caddy instead of green"));
    route.switch(Green).await.unwrap();
    assert_eq!(stage.who().await, "green");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_in_flight_are_counted_after_the_change_too() {
    let stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.admin_settings()).await;
    let site = stage.site;
    let slow = tokio::spawn(async move { get(site, "/slow/1500").await.unwrap() });
    while route.in_flight().await != Some(InFlight { blue: 1, green: 0 }) {
        tokio::task::yield_now().await;
    }
    route.switch(Green).await.unwrap();
    assert_eq!(route.in_flight().await, Some(InFlight { blue: 1, green: 0 }));
    let drained = route.drained(Blue, Duration::from_secs(20)).await;
    assert_eq!((drained.remaining, drained.counted_by), (0, CountedBy::Caddy));
    assert!(slow.is_finished(), "the drain ended before the request");
    assert_eq!(slow.await.unwrap(), "blue");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_site_that_imports_the_snippet_is_switched_and_no_other_proxy() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.admin_settings());
    let (second, direct) = (crate::support::ports::free(), crate::support::ports::free());
    let import = route.settings().import_line();
    let sites = format!(
        "http://localhost:{}, http://localhost:{second} {{\n{import}\n}}\n\
         http://localhost:{direct} {{\nreverse_proxy 127.0.0.1:{}\n}}\n",
        stage.site, stage.blue.port
    );
    let _caddy = stage.caddy(&sites).await;
    for to in [Green, Blue, Green] {
        route.switch(to).await.unwrap();
        for port in [stage.site, second] {
            assert_eq!(get(port, "/").await.unwrap(), to.as_str());
        }
        assert_eq!(get(direct, "/").await.unwrap(), "blue", "a proxy of the user's own");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_caddy_cannot_reach_is_not_switched_to() {
    let mut stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.admin_settings()).await;
    stage.green.stop().await;
    let error = route.switch(Green).await.unwrap_err();
    assert!(matches!(error, SwitchError::PutBack { back: Blue, .. }), "{error}");
    assert!(error.to_string().contains("502"), "{error}");
    assert_eq!(stage.who().await, "blue");
    route.check(Blue).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_died_can_be_left() {
    let mut stage = Stage::new().await;
    let (route, _caddy) = stage.plain(stage.admin_settings()).await;
    stage.blue.stop().await;
    route.switch(Green).await.unwrap();
    assert_eq!(stage.who().await, "green");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_the_snippet_is_not_touched() {
    let stage = Stage::new().await;
    let route = stage.prepared(stage.admin_settings());
    let site = format!(
        "http://localhost:{} {{\nreverse_proxy 127.0.0.1:{}\n}}\n",
        stage.site, stage.blue.port
    );
    let _caddy = stage.caddy(&site).await;
    let begun = Instant::now();
    let error = route.switch(Green).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_millis(1500));
    assert!(matches!(error, SwitchError::NotTried(RouteProblem::NotImported { .. })), "{error}");
    assert_eq!(stage.who().await, "blue");
}

/// Somebody else's change comes between ours being made and being sent: Caddy refuses ours by its
/// tag, and it is made anew without losing theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_somebody_else_in_between_is_kept_and_ours_made_anew() {
    let stage = Stage::new().await;
    let (real, meddler) = (stage.path("admin.sock"), stage.path("meddler.sock"));
    let address = Address::Unix(meddler.clone());
    let route: Route = stage.prepared(Settings { admin: Some(address), ..stage.admin_settings() });
    let sites = stage.plain_site(&route);
    let _caddy = stage.caddy_with(&format!("admin unix/{}", real.display()), &sites).await;
    let refused = meddle(&meddler, real.clone());

    route.switch(Green).await.unwrap();
    assert_eq!(refused.load(Ordering::SeqCst), 1, "one change was refused by its tag");
    assert_eq!(stage.who().await, "green");
    let config = raw(&real, "GET", "/config/apps/http/grace_period", "").await;
    assert!(config.contains("7000000000"), "their change was lost: {config}");
}

/// Passes connections on to Caddy. Before the first PATCH it makes a change of its own. Counts the
/// answers 412.
fn meddle(at: &Path, real: PathBuf) -> Arc<AtomicUsize> {
    let listener = UnixListener::bind(at).unwrap();
    let refused = Arc::<AtomicUsize>::default();
    let counter = refused.clone();
    tokio::spawn(async move {
        let mut meddled = false;
        while let Ok((mut client, _)) = listener.accept().await {
            let mut first = vec![0; 64 << 10];
            let Ok(read) = client.read(&mut first).await else { continue };
            first.truncate(read);
            if first.starts_with(b"PATCH") && !meddled {
                meddled = true;
                let path = "/config/apps/http/grace_period";
                let said = raw(&real, "PUT", path, "7000000000").await;
                assert!(said.starts_with("HTTP/1.1 200"), "{said}");
            }
            let mut caddy = connect(&real).await;
            caddy.write_all(&first).await.unwrap();
            let (real_refused, mut answer) = (counter.clone(), vec![0; 64 << 10]);
            tokio::spawn(async move {
                loop {
                    let (mut rest, mut more) = (vec![0; 4096], 0);
                    let read = tokio::select! {
                        read = caddy.read(&mut answer) => read.unwrap_or(0),
                        sent = client.read(&mut rest) => {
                            more = sent.unwrap_or(0);
                            if more == 0 { return; }
                            0
                        }
                    };
                    if more > 0 {
                        caddy.write_all(&rest[..more]).await.unwrap();
                        continue;
                    }
                    if answer[..read].starts_with(b"HTTP/1.1 412") {
                        real_refused.fetch_add(1, Ordering::SeqCst);
                    }
                    if read == 0 || client.write_all(&answer[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    refused
}

/// Caddy binds its admin socket anew with each configuration.
async fn connect(socket: &Path) -> UnixStream {
    for _ in 0..200 {
        if let Ok(stream) = UnixStream::connect(socket).await {
            return stream;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nobody listens on {}", socket.display());
}

async fn raw(socket: &Path, method: &str, path: &str, body: &str) -> String {
    let mut stream = connect(socket).await;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost:\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
