use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use vial_load::{Change, Class, ClassReport, Sighting, WebSocketReport};

use super::*;

/// The bad release was live, and the rollback's switch was seen 20 ms after the command.
fn report() -> Report {
    let answers = |good: u64, bad: u64| ClassReport {
        sent: good + bad,
        ok: good,
        failed: bad,
        by_version: BTreeMap::from([(GOOD.into(), good), (BAD.into(), bad)]),
        ..ClassReport::default()
    };
    let seen = |last_sent_ms| Sighting { last_sent_ms, ..Sighting::default() };
    let change = |at_ms, version: &str| Change { at_ms, version: version.into() };
    Report {
        classes: BTreeMap::from([(Class::KeepAlive, answers(90, 10))]),
        versions: BTreeMap::from([(GOOD.into(), seen(9000)), (BAD.into(), seen(5015))]),
        changes: vec![change(1000, GOOD), change(4000, BAD), change(5020, GOOD)],
        websockets: WebSocketReport {
            opened: 1,
            drops: 1,
            dropped: vec![dropped(Some(SERVICE_RESTART))],
            ..WebSocketReport::default()
        },
        ..Report::default()
    }
}

fn dropped(code: Option<u16>) -> Dropped {
    let slot = Some("blue".into());
    Dropped { at_ms: 3000, code, reason: String::new(), version: None, slot, lost: 0 }
}

fn release(version: &str) -> serde_json::Value {
    json!({
        "number": 1, "name": "shop", "version": version, "sha256": "", "size": 1,
        "migrations": [], "unpacked_at": "2024-01-01T00:00:00Z"
    })
}

fn deployment(number: u64, kind: &str, status: &str, version: &str) -> Deployment {
    let value = json!({
        "number": number, "kind": kind, "status": status, "release": release(version),
        "rolled_back_by": (status == "rolled_back").then_some(number + 1),
        "replaces": number - 1, "actor": "root", "queued_at": "2024-01-01T00:00:00Z",
        "live_at": "2024-01-01T00:00:01Z"
    });
    serde_json::from_value(value).unwrap()
}

fn history() -> Vec<Deployment> {
    vec![
        deployment(2, "deploy", "superseded", GOOD),
        deployment(3, "deploy", "rolled_back", BAD),
        deployment(4, "rollback", "succeeded", GOOD),
    ]
}

fn status(version: &str) -> AppStatus {
    let value = json!({
        "name": "shop", "revision": 1, "desired": "running", "active": "green",
        "serving": release(version), "slots": [], "rollback": {}, "warnings": []
    });
    serde_json::from_value(value).unwrap()
}

fn judge(report: &Report, deployments: Vec<Deployment>, serving: &str) -> Numbers {
    let load_began = Instant::now();
    Evidence {
        report,
        deployments,
        status: &status(serving),
        load_began,
        stops: vec![(load_began + Duration::from_millis(2900), Slot::Blue)],
        rollback_at_ms: 5000,
        hot: true,
    }
    .judge()
}

fn broken(numbers: &Numbers) -> Vec<&'static str> {
    numbers.expectations.iter().filter(|it| !it.held).map(|it| it.expected).collect()
}

#[test]
fn a_rollback_without_a_loss_holds_and_is_timed_from_its_command() {
    let numbers = judge(&report(), history(), GOOD);
    assert_eq!(broken(&numbers), Vec::<&str>::new());
    assert!(numbers.all_held());
    assert_eq!((numbers.rollback_ms, numbers.failed), (Some(20), 0));
    assert_eq!(numbers.bad_release_errors, 10, "the bad release's own answers are not lost");
}

#[test]
fn a_request_that_no_release_answered_is_lost() {
    let mut report = report();
    if let Some(class) = report.classes.get_mut(&Class::KeepAlive) {
        (class.sent, class.failed) = (101, 11);
    }
    let numbers = judge(&report, history(), GOOD);
    assert_eq!((numbers.failed, broken(&numbers)), (1, vec!["no request was lost"]));
}

#[test]
fn a_websocket_may_end_when_its_slot_is_told_to_stop_and_not_otherwise() {
    let early = ["no WebSocket was closed before its slot was told to stop"];
    for (dropped, at_ms) in [(dropped(None), 3000), (dropped(Some(SERVICE_RESTART)), 2000)] {
        let mut report = report();
        report.websockets.dropped = vec![Dropped { at_ms, ..dropped }];
        let numbers = judge(&report, history(), GOOD);
        assert_eq!((numbers.websockets_dropped, broken(&numbers)), (1, early.to_vec()));
    }
}

#[test]
fn a_rollback_that_did_not_happen_is_told_from_one_that_did() {
    let unmarked = vec![deployment(3, "deploy", "succeeded", BAD)];
    assert!(!judge(&report(), unmarked, GOOD).all_held());
    assert!(!judge(&report(), history(), BAD).all_held());
    let mut report = report();
    report.changes.pop();
    let numbers = judge(&report, history(), GOOD);
    assert_eq!((numbers.rollback_ms, numbers.all_held()), (None, false));
}

#[test]
fn a_request_that_the_bad_release_got_after_the_switch_is_seen() {
    let mut report = report();
    if let Some(seen) = report.versions.get_mut(BAD) {
        seen.last_sent_ms = 5021;
    }
    assert!(!judge(&report, history(), GOOD).all_held());
}
