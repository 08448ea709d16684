//! Killed at each named point, for each kind of deployment.

use std::collections::BTreeSet;

use vial_protocol::request::IDEMPOTENCY_KEY;
use vial_protocol::{Code, Status};

use super::kinds::{Come, Kind};
use super::stage::{Beam, Stage};
use super::truth;
use crate::figure;
use crate::support::{is_soak, web};

/// How often it is tried to come to a point. Some are passed only where two things happen in the order
/// in which they did when the points were learned.
const TRIES: usize = 3;

/// Passes through once to learn the points, and then dies at each of them that `wanted` takes. How
/// often it died, and how many requests there were.
async fn die(kind: Kind, beam: Beam, mut wanted: impl FnMut(&str) -> bool) -> (usize, u64) {
    let mut stage = Stage::new(beam, kind.usual(beam), kind.lines(beam)).await;
    kind.prepare(&stage).await;
    stage.passed();
    kind.ask(&stage).await;
    let status = stage.rest().await;
    truth::holds(&stage, &status, "undisturbed").await;
    let points = stage.passed();
    assert!(points.len() > 5, "{points:?}");
    let mut deaths = 0;
    let mut missed = Vec::new();
    for index in (0..points.len()).filter(|it| wanted(&points[*it])) {
        let mut died = false;
        for _ in 0..TRIES {
            kind.prepare(&stage).await;
            if kind.loses_nothing() && !stage.is_sending() {
                stage.send(kind.fails(beam));
            }
            died = die_at(&mut stage, kind, &points[index]).await;
            if died {
                break;
            }
        }
        match died {
            true => deaths += 1,
            false => missed.push(&points[index]),
        }
    }
    assert!(missed.len() <= 2, "{kind:?} died {deaths} times, but never at {missed:#?}");
    let sent = if stage.is_sending() { stage.sent().await } else { 0 };
    (deaths, sent)
}

/// Dies at one of the points that a kind passes, comes back, and comes to rest.
/// Whether it did.
async fn die_at(stage: &mut Stage, kind: Kind, point: &str) -> bool {
    let before = stage.history().await.len();
    stage.passed();
    stage.arm(point);
    kind.ask(stage).await;
    let died = stage.died().await;
    stage.disarm();
    // Not those that come before it in the list: what is asked for may come too late, where the
    // daemon passes the point for another reason.
    let passed = stage.passed();
    if died {
        stage.host.start_daemon().await;
    }
    kind.mend(stage).await;
    let status = stage.rest().await;
    let at = format!("{kind:?}, died at {point:?}");
    truth::holds(stage, &status, &at).await;
    let came =
        |to: &str| passed.iter().any(|it| it.starts_with("journal: after") && it.contains(to));
    let come = Come { begun: came("Began"), starting: came("Entered starting") };
    let mut since = stage.history().await;
    since.truncate(since.len() - before);
    since.reverse();
    let words: Vec<String> = since.iter().map(|it| format!("{} {}", it.kind, it.status)).collect();
    assert!(kind.allows(&words, come), "{at}: {words:?}, {come:?}\n{since:#?}");
    for it in since.iter().filter(|it| kind == Kind::Build && it.status == Status::Failed) {
        let code = it.error.as_ref().map(|it| it.code);
        assert_eq!(code, Some(Code::Interrupted), "{at}: {it:#?}");
    }
    if stage.beam == Beam::Stub {
        let applied = stage.applied();
        assert!(kind.fits(&words, &applied), "{at}: {words:?}, applied {applied:?}");
    }
    died
}

macro_rules! kinds {
    ($($name:ident: $kind:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (deaths, sent) = die(Kind::$kind, Beam::Stub, |_| true).await;
                figure!("{:?}: killed at {deaths} points, {sent} requests, 0 failed", Kind::$kind);
            }
        )*
    };
}

kinds! {
    a_deploy_is_finished_or_undone: Deploy,
    a_deploy_that_is_not_healthy_fails_once: DeployUnhealthy,
    a_deploy_that_dies_while_it_bakes_is_taken_back: DeployDying,
    a_rollback_is_finished: RollBack,
    a_rollback_within_the_bake_is_finished: RollBackWithinTheBake,
    a_rollback_that_reverts_is_finished: RollBackReverting,
    a_rollback_that_failed_after_it_reverted_restores: RollBackRestoring,
    a_restart_is_finished: Restart,
    a_cancelled_deploy_ends: Cancel,
    an_app_that_is_stopped_and_started_is_one_or_the_other: StopAndStart,
    a_release_that_died_is_started_again: Crash,
    a_release_that_is_started_to_be_frozen_is_that_or_stopped: Freeze,
    a_rollback_to_a_frozen_slot_is_finished: RollBackFrozen,
}

/// Up to where it goes on as any deploy does.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_interrupted_leaves_nothing() {
    let mut own = true;
    let wanted = |point: &str| {
        own &= is_soak() || !point.contains("Entered migrating");
        own
    };
    let (deaths, sent) = die(Kind::Build, Beam::Stub, wanted).await;
    figure!("{:?}: killed at {deaths} points, {sent} requests, 0 failed", Kind::Build);
}

/// Takes minutes: asked for by `bin/test --soak`.
#[tokio::test(flavor = "multi_thread")]
async fn every_point_once_on_a_real_beam() {
    if !is_soak() {
        println!("SKIPPED: takes minutes; `bin/test --soak` runs it.");
        return;
    }
    let mut passed = BTreeSet::new();
    let mut sum = (0, 0);
    for kind in Kind::ALL {
        let (deaths, sent) = die(kind, Beam::Shop, |it| passed.insert(it.to_owned())).await;
        figure!("{kind:?} on a real BEAM: killed at {deaths} points, {sent} requests, 0 failed");
        sum = (sum.0 + deaths, sum.1 + sent);
    }
    figure!("on a real BEAM: killed at {} points, {} requests, 0 failed", sum.0, sum.1);
}

/// The daemon that takes up what another left, which died at `first`, dies at each of its own points, too.
async fn die_twice(first: &str) {
    let kind = Kind::Deploy;
    let mut stage = Stage::new(Beam::Stub, kind.usual(Beam::Stub), kind.lines(Beam::Stub)).await;
    let mut seconds: Option<Vec<String>> = None;
    let mut next = 0;
    loop {
        kind.prepare(&stage).await;
        stage.arm(first);
        kind.ask(&stage).await;
        assert!(stage.died().await, "{first}");
        stage.passed();
        let second = match &seconds {
            None => {
                stage.disarm();
                stage.host.start_daemon().await;
                stage.rest().await;
                seconds = Some(stage.passed());
                continue;
            }
            Some(seconds) => match seconds.get(next) {
                Some(second) => second.clone(),
                None => break,
            },
        };
        next += 1;
        stage.arm(&second);
        stage.host.start_daemon_that_may_die().await;
        assert!(stage.died().await, "{first}, then {second}");
        stage.disarm();
        stage.host.start_daemon().await;
        let status = stage.rest().await;
        truth::holds(&stage, &status, &format!("died at {first:?}, then at {second:?}")).await;
        assert_eq!(status.serving.unwrap().version, "3.0.0", "{first}, then {second}");
    }
    stage.disarm();
    stage.host.start_daemon().await;
    stage.rest().await;
    assert!(next > 5, "{first}: {next} points are too few");
    figure!("killed {} times, while it recovered from {first:?} too", next * 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_while_it_recovers_a_start_is_no_worse() {
    die_twice("effect: before Start").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_while_it_recovers_a_switch_is_no_worse() {
    die_twice("effect: before Switch").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_dies_while_it_recovers_a_drain_is_no_worse() {
    die_twice("effect: before Drain").await;
}

/// Whoever got no answer may ask again with the same key.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_is_asked_for_again_after_a_crash_is_one_rollback() {
    let kind = Kind::RollBack;
    let mut stage = Stage::new(Beam::Stub, kind.usual(Beam::Stub), kind.lines(Beam::Stub)).await;
    for (turn, point) in
        ["journal: before Began", "journal: after Began", "effect: before Start"].iter().enumerate()
    {
        kind.prepare(&stage).await;
        let before = stage.history().await.len();
        let request = format!(
            "POST /v1/apps/shop/rollback HTTP/1.1\r\nhost: vial\r\n{IDEMPOTENCY_KEY}: press-{turn}\r\n\
             content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
        );
        stage.passed();
        // The name of the point goes on with the records.
        stage.arm_prefix(point);
        let (status, _) = web::unix(&stage.host.socket(), &request).await;
        assert_eq!(status, 0, "{point}: it died without an answer");
        assert!(stage.died().await);
        stage.disarm();
        stage.host.start_daemon().await;
        let (status, body) = web::unix(&stage.host.socket(), &request).await;
        assert_eq!(status, 202, "{point}: {body}");
        let status = stage.rest().await;
        truth::holds(&stage, &status, point).await;
        assert_eq!(stage.history().await.len(), before + 1, "{point}");
        assert_eq!(status.serving.unwrap().version, "1.0.0", "{point}");
        let (status, body) = web::unix(&stage.host.socket(), &request).await;
        assert_eq!(status, 202, "{point}: {body}");
        assert_eq!(stage.history().await.len(), before + 1, "{point}: asked a third time");
    }
}
