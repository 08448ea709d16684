//! Rollbacks to a slot that is kept.

use std::time::Duration;

use nix::sys::signal::Signal;
use vial_load::{Load, Target};
use vial_protocol::{Slot, SlotState, Status};

use super::stage::{Stage, stopped};
use crate::figure;
use crate::support::held::Held;
use crate::support::look::millis_to_live;
use crate::support::processes;

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_frozen_slot_starts_nothing_and_loses_nothing() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"20s\" }").await;
    stage.both().await;
    stage.kept().await;
    let pid = stage.blue_pid().await;
    let web = stage.host.web;
    let target =
        Target { address: ([127, 0, 0, 1], web).into(), host: format!("shop.localhost:{web}") };
    let load = Load::new(target).keep_alive(100, 8).fresh(50).post(10).start();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let rollback = stage.roll_back().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = load.stop().await;
    assert_eq!(report.failed(), 0, "{report}");
    figure!("a rollback to a frozen stub was live after {} ms", millis_to_live(&rollback));
    assert_eq!(stage.host.serving().await, "1.0.0");
    assert_eq!(stage.host.pid("shop", Slot::Blue).await, Some(pid), "it was not started anew");
    stopped(pid, false).await;
    let steps: Vec<Status> = rollback.steps.iter().map(|it| it.status).collect();
    assert!(!steps.contains(&Status::Starting), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_to_a_warm_slot_is_one_check_and_one_switch() {
    let stage = Stage::new("{ mode = \"warm\" }").await;
    stage.both().await;
    let (status, _) = stage.kept().await;
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Running);
    let pid = stage.blue_pid().await;
    let rollback = stage.roll_back().await;
    figure!("a rollback to a warm stub was live after {} ms", millis_to_live(&rollback));
    assert_eq!(stage.host.pid("shop", Slot::Blue).await, Some(pid));
    assert!(rollback.steps.iter().all(|it| it.status != Status::Starting), "{rollback:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_wake_is_started_anew_in_the_same_rollback() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"20s\" }").await;
    stage.both().await;
    stage.kept().await;
    let pid = stage.blue_pid().await;
    // Whoever lets it go on, it does not.
    let Some(held) = Held::process(pid) else {
        println!("SKIPPED: threads may not be traced here");
        return;
    };
    let rollback = stage.roll_back().await;
    held.let_go();
    assert_eq!(stage.host.serving().await, "1.0.0");
    assert_ne!(stage.host.pid("shop", Slot::Blue).await, Some(pid));
    let said = rollback.steps.iter().filter_map(|it| it.outcome.as_deref());
    assert!(said.clone().any(|it| it.contains("It is started anew.")), "{rollback:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_died_unseen_a_moment_before_is_started_anew_too() {
    let stage = Stage::new("{ mode = \"warm\" }").await;
    stage.both().await;
    stage.kept().await;
    let pid = stage.blue_pid().await;
    let number = stage.host.roll_back_detached(None).await;
    processes::signal(pid, Signal::SIGKILL);
    // Whether it died before its check or after its switch, the release serves in the end.
    stage.host.until_ended(number).await;
    let serves = stage.host.until("shop", |it| {
        it.active == Some(Slot::Blue) && it.slot(Slot::Blue).unwrap().state == SlotState::Running
    });
    serves.await;
    assert_eq!(stage.host.serving().await, "1.0.0");
}
