//! How a slot comes to be kept, and what ends that.

use std::time::Duration;

use nix::sys::signal::Signal;
use vial_protocol::{Slot, SlotState, StandbyMode};

use super::stage::{Stage, stopped};
use crate::support::processes;
use crate::support::stub::Stub;

const FROZEN: &str = "{ mode = \"frozen\", rest = \"20s\" }";

#[tokio::test(flavor = "multi_thread")]
async fn the_old_slot_comes_to_rest_and_is_frozen_and_the_plan_says_since_when() {
    let stage = Stage::new(FROZEN).await;
    stage.both().await;
    let (status, standby) = stage.kept().await;
    let slot = status.slot(Slot::Blue).unwrap();
    assert_eq!((slot.state, standby.mode), (SlotState::Frozen, StandbyMode::Frozen));
    let lasts = standby.until.duration_since(standby.since);
    assert_eq!(lasts.as_secs(), 900, "as the app's file says where it says nothing");
    let pid = slot.pid.unwrap();
    assert!(processes::is_stopped(pid), "{pid}");
    let plan = stage.plan().await;
    assert!(plan.hot && plan.expected_ms.is_some(), "{plan:#?}");
    assert_eq!(plan.standby.unwrap(), standby);
    stage.host.vial(&["status", "shop"]).await.ends(0).says(&["frozen since"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_says_nothing_is_stopped_or_kept_warm_and_the_history_says_why() {
    for (otherwise, mode) in [("cold", None), ("warm", Some(StandbyMode::Warm))] {
        let stage = Stage::new(&format!(
            "{{ mode = \"frozen\", rest = \"1s\", otherwise = \"{otherwise}\" }}"
        ))
        .await;
        for version in [1, 2] {
            stage.deploy(&Stub::new(version)).await;
        }
        let kept = match mode {
            Some(_) => Some(stage.kept().await.1.mode),
            None => {
                stage.gone().await;
                None
            }
        };
        assert_eq!(kept, mode);
        let said = stage.said_of(2).await;
        assert!(said.contains("instead of frozen"), "{said}");
        assert!(said.contains("no word came within 1 s"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_at_work_is_never_frozen() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"3s\" }").await;
    stage.both().await;
    std::fs::write(stage.restless(), "").unwrap();
    stage.host.vial(&["standby", "shop", "cold"]).await.ends(0);
    let asked = stage.host.vial(&["standby", "shop", "frozen"]).await;
    asked.ends(1).says(&["did not come to rest within 3 s", "a job is in hand"]);
    stage.gone().await;
    let said = stage.said_of(2).await;
    assert!(said.contains("did not come to rest within 3 s: a job is in hand"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_with_an_open_request_is_not_frozen_under_it() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"20s\" }").await;
    stage.deploy(&stage.with_library(1)).await;
    // Longer than the drain waits.
    let slow = stage.host.get("shop", "/slow?ms=6000");
    let deploy = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.deploy(&stage.with_library(2)).await;
        let resting =
            stage.host.until("shop", |it| it.slot(Slot::Blue).unwrap().state == SlotState::Resting);
        resting.await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        stage.host.status("shop").await.slot(Slot::Blue).unwrap().state
    };
    let (slow, meanwhile) = tokio::join!(slow, deploy);
    assert_eq!((slow.status, slow.version.as_str()), (200, "1.0.0"), "it was not cut off");
    assert_eq!(meanwhile, SlotState::Resting);
    assert_eq!(stage.kept().await.1.mode, StandbyMode::Frozen);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_its_time_is_over_it_is_stopped() {
    let stage = Stage::new("{ mode = \"frozen\", for = \"2s\", rest = \"20s\" }").await;
    stage.both().await;
    let (_, standby) = stage.kept().await;
    let gone = stage.gone().await;
    let ended = jiff::Timestamp::now();
    assert!(ended >= standby.until, "{ended} is before {}", standby.until);
    assert_eq!(gone.slot(Slot::Blue).unwrap().last_exit.as_deref(), Some("was killed by SIGTERM"));
    assert!(!stage.plan().await.hot);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_dies_is_no_promise_any_more() {
    let stage = Stage::new(FROZEN).await;
    stage.both().await;
    stage.kept().await;
    processes::signal(stage.blue_pid().await, Signal::SIGKILL);
    stage.gone().await;
    let plan = stage.plan().await;
    assert!(!plan.hot && plan.standby.is_none(), "{plan:#?}");
    let said = stage.said_of(2).await;
    assert!(said.contains("The standby in blue is gone"), "{said}");
    stage.roll_back().await;
    assert_eq!(stage.host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_frozen_still_when_the_daemon_comes_back_from_a_crash() {
    let mut stage = Stage::new(FROZEN).await;
    stage.both().await;
    let (_, standby) = stage.kept().await;
    let pid = stage.blue_pid().await;
    stage.host.kill_daemon();
    stopped(pid, true).await;
    stage.host.start_daemon().await;
    let (status, again) = stage.kept().await;
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Frozen);
    assert_eq!((again.since, again.until), (standby.since, standby.until));
    assert_eq!(stage.blue_pid().await, pid);
    stage.roll_back().await;
    assert_eq!(stage.host.pid("shop", Slot::Blue).await, Some(pid));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_has_it_kept_as_they_want() {
    let stage = Stage::new("{ mode = \"cold\", rest = \"20s\" }").await;
    let vial = |args: &[&str]| {
        let all: Vec<String> =
            ["standby", "shop"].iter().chain(args).map(|it| (*it).into()).collect();
        let host = &stage.host;
        async move { host.vial(&all.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    vial(&["frozen"]).await.ends(3).says(&["has no live release"]);
    stage.deploy(&stage.with_library(1)).await;
    vial(&["frozen"]).await.ends(3).says(&["there is no release to keep for a rollback"]);
    stage.deploy(&stage.with_library(2)).await;
    stage.gone().await;

    vial(&["frozen", "--for", "1h"]).await.ends(0).says(&["blue is frozen since"]);
    let (status, standby) = stage.kept().await;
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Frozen);
    assert_eq!(standby.until.duration_since(standby.since).as_secs(), 3600);
    let pid = stage.blue_pid().await;

    vial(&["warm"]).await.ends(0).says(&["blue is warm since"]);
    stopped(pid, false).await;
    let (status, standby) = stage.kept().await;
    let slot = status.slot(Slot::Blue).unwrap();
    assert_eq!((slot.state, standby.mode), (SlotState::Running, StandbyMode::Warm));
    assert_eq!(slot.pid, Some(pid), "it was not started anew");

    vial(&["frozen"]).await.ends(0);
    stopped(pid, true).await;
    vial(&["cold"]).await.ends(0);
    stage.gone().await;
    vial(&["lukewarm"]).await.ends(2);
    assert_eq!(stage.host.serving().await, "2.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_changes_ends_what_has_the_old_one() {
    let stage = Stage::new(FROZEN).await;
    stage.both().await;
    stage.kept().await;
    let set = async |name, how| {
        let file = stage.host.path("value");
        std::fs::write(&file, "new").unwrap();
        let input = std::fs::File::open(&file).unwrap();
        stage.host.vial_with_input(&["env", "shop", "set", name, how], input).await.ends(0);
    };
    set("POOL", "--not-secret").await;
    let kept = stage.host.status("shop").await;
    assert_eq!(kept.slot(Slot::Blue).unwrap().state, SlotState::Frozen, "that was no secret");
    set("TOKEN", "--secret").await;
    stage.gone().await;
    let said = stage.said_of(2).await;
    assert!(said.contains("a secret changed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_deploy_takes_its_slot_and_a_rollback_leaves_nothing_behind() {
    let stage = Stage::new(FROZEN).await;
    stage.both().await;
    stage.kept().await;
    stage.deploy(&stage.with_library(3)).await;
    assert_eq!(stage.host.serving().await, "3.0.0");
    // Green is the old one now.
    let frozen =
        stage.host.until("shop", |it| it.slot(Slot::Green).unwrap().state == SlotState::Frozen);
    frozen.await;
    stage.roll_back().await;
    assert_eq!(stage.host.serving().await, "2.0.0");
    let left = stage.host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert_eq!(left.slot(Slot::Blue).unwrap().standby, None, "what was bad is not kept");
}
