//! `vial standby`, and what is said of a standby elsewhere: when it is ready, until when, and why it
//! became something else.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::tz::TimeZone;
use tokio::sync::broadcast;
use vial::cli::exit::Exit;
use vial::cli::look::Look;
use vial::cli::{view_plan, view_standby};
use vial_protocol::standby::KeepStandby;
use vial_protocol::{
    AppStatus, Code, Deployment, Event, Kind, Problem, Slot, SlotState, Standby, StandbyMode,
    Status,
};

use crate::deploy::plan;
use crate::fake::{Fake, accepted, app_event, at, deployment, events, now, refused, shop, vial};

fn standby(mode: StandbyMode, ready: bool) -> Standby {
    let expected_ms = (mode == StandbyMode::Frozen).then_some(32);
    Standby { mode, ready, since: at("03:02:11"), until: at("03:17:11"), expected_ms }
}

/// The app shop, whose blue slot is idle in this state.
fn idle(state: SlotState, standby: Option<Standby>) -> AppStatus {
    let mut shop = shop();
    let blue = &mut shop.slots[0];
    blue.state = state;
    blue.standby = standby;
    if state != SlotState::Stopped {
        blue.pid = Some(40_100);
        blue.since = Some(at("02:15:00"));
    }
    shop
}

fn look() -> Look {
    Look { width: Some(80), zone: TimeZone::UTC, now: now(), colour: false }
}

/// A daemon that takes the order, which must be `wanted`, and then shows these snapshots, one a moment.
/// What the history has to say of it, it says from then on.
fn daemon(wanted: KeepStandby, snapshots: Vec<AppStatus>, remark: &'static str) -> Fake {
    let (changes, _) = broadcast::channel(16);
    let taken = Arc::new(AtomicBool::new(false));
    let took = taken.clone();
    Fake::new(
        Router::new()
            .route(
                "/v1/apps/shop/standby",
                post(move |headers: HeaderMap, Json(asked): Json<KeepStandby>| async move {
                    assert_eq!(asked, wanted);
                    assert!(headers.contains_key("idempotency-key"));
                    took.store(true, Ordering::SeqCst);
                    accepted(None, "blue comes to rest, and is frozen then.")
                }),
            )
            .route(
                "/v1/events",
                get(move || async move {
                    let later = changes.subscribe();
                    let mut snapshots = snapshots.into_iter().map(app_event);
                    let first: Vec<Event> = snapshots.next().into_iter().collect();
                    tokio::spawn(async move {
                        for event in snapshots {
                            tokio::time::sleep(Duration::from_millis(10)).await;
                            drop(changes.send(event));
                        }
                        // A stream that ends is connected again.
                        std::future::pending::<()>().await;
                    });
                    events(first, Some(later))
                }),
            )
            .route("/v1/apps/shop/deployments", get(|| async { Json(vec![served()]) }))
            .route(
                "/v1/apps/shop/deployments/{n}",
                get(move |Path(number): Path<u64>| async move {
                    let mut history = served();
                    assert_eq!(number, history.number);
                    let said = if taken.load(Ordering::SeqCst) { remark } else { "" };
                    let outcome = format!("Nothing happened. {said}");
                    history.steps.last_mut().unwrap().outcome = Some(outcome);
                    Json(history)
                }),
            ),
    )
}

fn asked(mode: StandbyMode, for_ms: Option<u64>) -> KeepStandby {
    KeepStandby { mode, for_ms }
}

fn served() -> Deployment {
    deployment(Kind::Deploy, Status::Succeeded)
}

#[tokio::test]
async fn a_slot_is_waited_for_until_it_is_frozen_and_how_long_a_rollback_takes_is_said() {
    let fake = daemon(
        asked(StandbyMode::Frozen, Some(7_200_000)),
        vec![
            // Still as it was, for whoever asks at once.
            idle(SlotState::Running, Some(standby(StandbyMode::Warm, true))),
            idle(SlotState::Resting, Some(standby(StandbyMode::Frozen, false))),
            idle(SlotState::Frozen, Some(standby(StandbyMode::Frozen, true))),
        ],
        "",
    );
    let ran = vial(&fake.path(), "standby shop frozen --for 2h").run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
    assert_eq!(
        ran.out,
        "blue comes to rest, and is frozen then.\n\
         blue is frozen since 03:02:11, until 03:17:11: a rollback takes about 32 ms.\n"
    );
}

#[tokio::test]
async fn a_slot_that_became_something_else_is_a_failure_whose_reason_is_said() {
    let reason = "blue was stopped instead of frozen: it did not come to rest within 10 s: \
                  Shop.Repo has a transaction open";
    let fake = daemon(
        asked(StandbyMode::Frozen, None),
        vec![
            idle(SlotState::Resting, Some(standby(StandbyMode::Frozen, false))),
            idle(SlotState::Stopping, None),
            idle(SlotState::Stopped, None),
        ],
        reason,
    );
    let ran = vial(&fake.path(), "standby shop frozen").run().await;
    assert_eq!(ran.exit, Exit::Failed);
    assert_eq!(ran.err, format!("Not frozen: blue is stopped.\n{reason}\n"));
}

#[tokio::test]
async fn a_deployment_that_takes_the_slot_ends_the_wait() {
    let mut taken = idle(SlotState::Starting, None);
    let mut deploy = deployment(Kind::Deploy, Status::Starting);
    deploy.number = 8;
    deploy.slot = Some(Slot::Blue);
    taken.deployment = Some(Box::new(deploy));
    let fake = daemon(
        asked(StandbyMode::Warm, None),
        vec![idle(SlotState::Starting, Some(standby(StandbyMode::Warm, false))), taken],
        "",
    );
    let ran = vial(&fake.path(), "standby shop warm").run().await;
    assert_eq!(ran.exit, Exit::Failed);
    assert!(ran.err.contains("Not warm: blue is starting.\n#8 uses blue now"), "{}", ran.err);
}

#[tokio::test]
async fn a_slot_is_cold_once_it_is_stopped() {
    let fake = daemon(
        asked(StandbyMode::Cold, None),
        vec![
            idle(SlotState::Frozen, Some(standby(StandbyMode::Frozen, true))),
            idle(SlotState::Stopping, None),
            idle(SlotState::Stopped, None),
        ],
        "",
    );
    let ran = vial(&fake.path(), "standby shop cold --quiet").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert_eq!(ran.out, "blue is stopped: a rollback starts its release anew.\n");
}

#[tokio::test]
async fn json_is_the_slot_as_it_became() {
    let there = idle(SlotState::Running, Some(standby(StandbyMode::Warm, true)));
    let fake = daemon(asked(StandbyMode::Warm, None), vec![there.clone()], "");
    let ran = vial(&fake.path(), "standby shop warm --json").run().await;
    assert_eq!(ran.exit, Exit::Done);
    let slot: vial_protocol::SlotStatus = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(slot, there.slots[0]);
}

#[tokio::test]
async fn detached_it_returns_at_once_and_a_refusal_is_one() {
    let fake = daemon(asked(StandbyMode::Warm, None), Vec::new(), "");
    let ran = vial(&fake.path(), "standby shop warm --detach").run().await;
    assert_eq!(ran.exit, Exit::Done);
    assert!(ran.out.ends_with("It goes on by itself: `vial status shop`\n"), "{}", ran.out);

    let problem = Problem::new(Code::InProgress, "Not changed: #8 is in progress.");
    let fake = Fake::new(
        Router::new()
            .route("/v1/apps/shop/standby", post(move || async move { refused(&problem) })),
    );
    let ran = vial(&fake.path(), "standby shop warm").run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Refused, "Not changed: #8 is in progress.\n"));

    let ran = vial(&fake.path(), "standby shop cold --for 2h").run().await;
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("`--for` says nothing of it"), "{}", ran.err);
}

#[tokio::test]
async fn the_status_says_what_the_idle_slot_is_kept_as_and_whose_queues_wait() {
    let mut frozen = idle(SlotState::Frozen, Some(standby(StandbyMode::Frozen, true)));
    frozen.slots[0].last_exit = Some("exited with status 0".into());
    let said = async |status: AppStatus| {
        let routes = Router::new().route("/v1/apps/shop", get(|| async move { Json(status) }));
        vial(&Fake::new(routes).path(), "status shop").run().await.out
    };
    let shown = said(frozen.clone()).await;
    let kept = "    blue   idle · frozen since 03:02, until 03:17: ready in about 32 ms\n";
    assert!(shown.contains(kept), "{shown}");
    assert!(!shown.contains("Queues") && !shown.contains("Blue "), "{shown}");

    frozen.works = None;
    frozen.slots[0].state = SlotState::Resting;
    frozen.slots[0].standby = Some(standby(StandbyMode::Frozen, false));
    let shown = said(frozen).await;
    assert!(shown.contains("idle · comes to rest since 12 m ago, to be frozen\n"), "{shown}");
    let works = "  Queues       v2.0.0's queues and timers wait until v1.4.2, left in blue, has come \
                 to rest\n";
    assert!(shown.contains(works), "{shown}");
}

#[test]
fn a_plan_says_when_its_target_is_ready_and_since_when_it_waits() {
    let takes = |mode, expected_ms| {
        let kept = Standby { expected_ms: None, ..standby(mode, true) };
        let plan = vial_protocol::Plan { standby: Some(kept), expected_ms, ..plan() };
        let shown = view_plan::render(&plan, &look());
        assert!(shown.contains("checked"), "{shown}");
        view_standby::takes(&plan, &look()).unwrap()
    };
    let until = "since 03:02, until 03:17";
    let frozen = takes(StandbyMode::Frozen, Some(32));
    assert_eq!(frozen, format!("ready in about 32 ms: frozen {until}"));
    assert_eq!(takes(StandbyMode::Warm, None), format!("ready at once: warm {until}"));
    let cold = vial_protocol::Plan { expected_ms: Some(1_230), ..plan() };
    assert_eq!(view_standby::takes(&cold, &look()).unwrap(), "starts anew: about 1.2 s");
    let hot = vial_protocol::Plan { hot: true, expected_ms: Some(35), ..plan() };
    assert_eq!(view_standby::takes(&hot, &look()).unwrap(), "about 35 ms");
    assert_eq!(view_standby::takes(&plan(), &look()), None);
}
