//! What is sent is counted whole: its schedule, its latency, who answered, and since when.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use vial_load::{Class, Report};

use crate::SOON;
use crate::server::{Server, read_request, response, serve_well};

#[tokio::test]
async fn all_classes_are_answered_counted_and_attributed_to_the_version() {
    let server = Server::start(|stream, _| serve_well(stream, "1.0.0")).await;
    let running = server.load().keep_alive(100, 4).fresh(50).slow(20, 5).post(50).start();
    running
        .wait_until(SOON, |report| {
            report.classes.len() == 4 && report.classes.values().all(|class| class.ok >= 5)
        })
        .await;
    let report = running.stop().await;

    assert!(report.is_clean(), "{report}");
    assert_eq!(report.ok(), report.sent());
    for class in [Class::KeepAlive, Class::Fresh, Class::Slow, Class::Post] {
        let counts = &report.classes[&class];
        assert!(counts.ok >= 5, "{report}");
        assert_eq!(counts.by_version["1.0.0"], counts.ok);
        assert_eq!(counts.reconnects, 0);
        assert!(counts.latency_p50_ms > 0.0 && counts.latency_p50_ms <= counts.latency_max_ms);
    }
    assert_eq!(report.slots["blue"].responses, report.sent());
    assert_eq!(report.changes.len(), 1);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[tokio::test]
async fn kept_connections_are_kept_and_fresh_ones_are_not() {
    let server = Server::start(|stream, _| serve_well(stream, "1")).await;
    let kept = server.load().keep_alive(200, 3).start();
    kept.wait_until(SOON, |report| report.ok() >= 30).await;
    kept.stop().await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 3);

    let fresh = server.load().fresh(200).start();
    fresh.wait_until(SOON, |report| report.ok() >= 30).await;
    let report = fresh.stop().await;
    assert_eq!(u64::from(server.connections.load(Ordering::SeqCst)), 3 + report.sent());
}

#[tokio::test]
async fn a_switch_is_seen_when_the_first_answer_of_the_other_version_comes() {
    let switched = Arc::new(AtomicBool::new(false));
    let now_second = switched.clone();
    let server = Server::start(move |mut stream, _| {
        let now_second = now_second.clone();
        async move {
            while let Some((head, body)) = read_request(&mut stream).await {
                let version = if now_second.load(Ordering::SeqCst) { "2.0.0" } else { "1.0.0" };
                // What is in flight at the switch is answered late, by the old version.
                if head.starts_with("GET /slow") {
                    tokio::time::sleep(Duration::from_millis(150)).await;
                }
                stream.write_all(&response(200, version, &body)).await.unwrap();
            }
        }
    })
    .await;
    let running = server.load().keep_alive(200, 4).slow(20, 150).start();
    running.wait_until(SOON, |report| report.classes.values().any(|class| class.ok >= 40)).await;
    let at = u64::try_from(running.started().elapsed().as_millis()).unwrap();
    switched.store(true, Ordering::SeqCst);
    running
        .wait_until(SOON, |report| {
            report.classes.get(&Class::Slow).is_some_and(|slow| {
                slow.by_version.get("2.0.0").is_some_and(|answers| *answers >= 5)
            })
        })
        .await;
    let report = running.stop().await;

    assert!(report.is_clean(), "{report}");
    let versions: Vec<_> = report.changes.iter().map(|change| change.version.as_str()).collect();
    assert_eq!(versions, ["1.0.0", "2.0.0"], "slow answers are no switch back: {report}");
    assert!(report.changes[1].at_ms >= at);
    assert!(report.first_seen("2.0.0").unwrap() >= at);
    assert!(report.last_seen("1.0.0").unwrap() > report.first_seen("2.0.0").unwrap());
    assert!(report.versions["1.0.0"].last_sent_ms <= at + 1);
    assert_eq!(report.first_seen("3.0.0"), None);
}

#[tokio::test]
async fn a_stall_is_seen_by_every_request_that_was_due_in_it() {
    let stalled = Arc::new(AtomicBool::new(false));
    let server = Server::start(move |mut stream, _| {
        let stalled = stalled.clone();
        async move {
            while let Some((_, body)) = read_request(&mut stream).await {
                if !stalled.swap(true, Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                stream.write_all(&response(200, "1", &body)).await.unwrap();
            }
        }
    })
    .await;
    // One request stalls for half a second, in which 50 were due on its connection.
    let running = server.load().keep_alive(100, 1).start();
    running.wait_until(SOON, |report| report.ok() >= 60).await;
    let report = running.stop().await;
    let counts = &report.classes[&Class::KeepAlive];
    assert!(counts.latency_max_ms >= 500.0, "{report}");
    assert!(counts.latency_p50_ms >= 50.0, "half of 60 waited behind it: {report}");
}

#[tokio::test]
async fn stopping_waits_for_what_is_in_flight_and_counts_it() {
    let arrived = Arc::new(AtomicU32::new(0));
    let seen = arrived.clone();
    let server = Server::start(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            while let Some((_, body)) = read_request(&mut stream).await {
                seen.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(300)).await;
                let _ = stream.write_all(&response(200, "1", &body)).await;
            }
        }
    })
    .await;
    let running = server.load().slow(50, 300).start();
    let report = running.wait_until(SOON, |report| report.sent() >= 10).await;
    assert_eq!(report.ok(), 0);
    let report = running.stop().await;
    assert_eq!(report.ok(), report.sent());
    assert_eq!(u64::from(arrived.load(Ordering::SeqCst)), report.sent());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_is_kept_to() {
    let server = Server::start(|stream, _| serve_well(stream, "1")).await;
    let before = Instant::now();
    let running = server.load().keep_alive(400, 8).fresh(100).start();
    running.wait_until(SOON, |report| report.sent() >= 1_000).await;
    let report = running.stop().await;
    // No faster than asked for, however fast the answers are.
    assert!(before.elapsed() >= Duration::from_millis(1_900), "{report}");
    assert!(report.sent() >= 1_000 && report.is_clean(), "{report}");
}
