//! Twenty deploys and rollbacks in turn, under a load that counts everything it loses.

use std::time::{Duration, Instant};

use serde_json::Value;
use vial_load::{Load, Report, Target};
use vial_protocol::{Kind, Status};

use crate::figure;
use crate::support::look::millis_to_live;
use crate::support::{Host, Setup};

/// The app under load: a short bake, so that half of the rollbacks come while it lasts.
const LINES: &str = "bake = \"1s\"\ndrain = { timeout = \"2s\" }\nstop = { timeout = \"20s\" }";

pub fn target(host: &Host) -> Target {
    Target {
        address: ([127, 0, 0, 1], host.web).into(),
        host: format!("shop.localhost:{}", host.web),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_deploys_and_rollbacks_under_load_lose_no_request_and_no_websocket() {
    let setup = Setup::new().app("shop", LINES).host("[log]\nlevel = \"debug\"\n").alone();
    let host = setup.start().await;
    host.deploy(1).await;
    let load = Load::new(target(&host))
        .keep_alive(300, 20)
        .fresh(150)
        .slow(20, 300)
        .post(30)
        .websockets(50, Duration::from_secs(1))
        .reopen_websockets()
        .start();
    let open = load.wait_until(Duration::from_secs(10), |it| it.websockets.alive == 50).await;
    assert_eq!(open.websockets.alive, 50, "{open}");
    let began = Instant::now();
    let (mut hot, mut cold) = (Vec::new(), Vec::new());
    for turn in 0..10 {
        let deploy = host.deploy_detached(2).await;
        let at_once = turn % 2 == 0;
        host.until_deployment(deploy, |it| it == Status::Succeeded || at_once && it.is_live())
            .await;
        let rollback = host.roll_back_detached(None).await;
        let rollback = host.until_ended(rollback).await;
        assert_eq!((rollback.kind, rollback.status), (Kind::Rollback, Status::Succeeded));
        if at_once { &mut hot } else { &mut cold }.push(millis_to_live(&rollback));
    }
    let took = began.elapsed();
    let report = load.stop().await;
    println!("{report}");
    figure!(
        "20 deploys and rollbacks in {:.1} s: {} requests ({:.0} a second), {} failed; \
         {} WebSockets opened, {} closed by their slot's stop, {} handshakes failed",
        took.as_secs_f64(),
        report.sent(),
        report.sent() as f64 * 1000.0 / report.sending_ms as f64,
        report.failed(),
        report.websockets.opened,
        report.websockets.drops,
        report.websockets.failed
    );
    figure!("rollbacks while it bakes were live after {hot:?} ms, later ones after {cold:?} ms");
    assert_eq!(report.failed(), 0, "{report}");
    assert_eq!(report.websockets.failed, 0, "{report}");
    assert!(report.sent() as f64 * 1000.0 / report.sending_ms as f64 > 490.0, "{report}");
    let switches = report.changes.len();
    assert!(switches >= 20, "the clients saw {switches} switches: {:?}", report.changes);
    no_websocket_ended_before_its_slot(&host, &report);
}

/// Each WebSocket that was ended, was ended after its slot was told to stop.
fn no_websocket_ended_before_its_slot(host: &Host, report: &Report) {
    let stops = stops(&host.daemon_log());
    assert!(stops.len() >= 15, "{stops:?}");
    let mut slowest = 0;
    for drop in &report.websockets.dropped {
        let slot = drop.slot.as_deref().unwrap_or_default();
        let at = i64::try_from(report.started_unix_ms + drop.at_ms).unwrap();
        // Both clocks are the host's; a millisecond is lost in rounding.
        let after = stops
            .iter()
            .filter(|(stopped, when)| stopped == slot && *when <= at + 1)
            .map(|(_, when)| at - when)
            .min();
        let Some(after) = after.filter(|after| *after < 20_000) else {
            panic!("{drop:?} ended while its slot was not being stopped: {stops:?}")
        };
        slowest = slowest.max(after);
    }
    figure!(
        "{} WebSockets were closed, each after its slot began to stop, at most {slowest} ms later",
        report.websockets.dropped.len()
    );
}

/// When which slot was told to stop, from the daemon's own log.
fn stops(log: &str) -> Vec<(String, i64)> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines
        .filter(|line| line["message"] == "effect")
        .filter_map(|line| {
            let stop = line["effect"].as_str()?.strip_prefix("Stop { slot: ")?;
            let slot = stop.split(',').next()?.to_lowercase();
            let when: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
            Some((slot, when.as_millisecond()))
        })
        .collect()
}
