//! Releases that are bad in each way: what becomes of them, what is said, and that the release
//! before them is not touched.

use nix::sys::signal::Signal;
use vial_protocol::{Code, Deployment, Kind, Slot, SlotState, Status};

use super::{QUICK, V4_SOON};
use crate::figure;
use crate::support::look::{millis_to_live, no_start_was_waited_for};
use crate::support::processes::{family, is_alive};
use crate::support::releases::text;
use crate::support::{Host, Setup, archive, processes};

/// A host on which v1 serves from blue.
async fn with_v1(lines: &str) -> (Host, u32) {
    let host = Host::shop(lines).await;
    host.deploy(1).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    (host, pid)
}

/// v1 serves from blue by the same process as before, and green is empty.
async fn untouched(host: &Host, pid: u32) {
    let status = host.until_slot(Slot::Green, SlotState::Stopped).await;
    assert_eq!(status.active, Some(Slot::Blue), "{status:#?}");
    assert_eq!(status.slot(Slot::Blue).unwrap().pid, Some(pid), "{status:#?}");
    let page = host.get("shop", "/").await;
    assert_eq!((page.status, page.version.as_str()), (200, "1.0.0"));
    assert!(host.get_slot("shop", Slot::Green, "/").await.is_none(), "green is empty");
}

#[tokio::test(flavor = "multi_thread")]
async fn v4_that_never_becomes_healthy_is_stopped_at_its_deadline() {
    let (mut host, pid) = with_v1(QUICK).await;
    host.reconfigure(&format!("{QUICK}\n{V4_SOON}")).await;
    let path = archive(4);
    let args = ["deploy", "shop", text(&path)];
    let talk = async {
        host.until_deployment(2, |it| it == Status::Starting).await;
        // Something for its log, as soon as it listens.
        while host.get_slot("shop", Slot::Green, "/log?lines=3").await.is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let (said, ()) = tokio::join!(host.vial(&args), talk);
    figure!("v4 says:\n{}", said.err);
    said.ends(1).says(&[
        "Not deployed: v1.0.0 still serves. v4.0.0 was not healthy within",
        "503",
        "│ log line 3 of 3",
        "Next: `vial logs shop --slot green`",
    ]);
    let failed = host.deployment(2).await;
    let error = failed.error.clone().unwrap();
    assert_eq!((failed.status, error.code), (Status::Failed, Code::Unhealthy), "{failed:#?}");
    assert!(!error.log.is_empty(), "{error:#?}");
    untouched(&host, pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn v5_that_exits_at_its_start_is_told_with_what_it_printed_last() {
    let (host, pid) = with_v1(QUICK).await;
    let said = host.vial(&["deploy", "shop", text(&archive(5))]).await;
    figure!("v5 says:\n{}", said.err);
    said.ends(1).says(&[
        "Not deployed: v1.0.0 still serves. v5.0.0 exited with status 1.",
        "could not connect to the payment gateway: econnrefused",
        "Next: `vial logs shop --slot green`",
    ]);
    let failed = host.deployment(2).await;
    assert_eq!(failed.error.unwrap().code, Code::Exited);
    let took = failed.ended_at.unwrap().as_millisecond() - failed.queued_at.as_millisecond();
    assert!(took < 10_000, "its exit ends the wait at once, not the deadline: {took} ms");
    untouched(&host, pid).await;
    host.vial(&["logs", "shop", "--slot", "green"]).await.ends(0).says(&["payment gateway"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn v6_that_ignores_sigterm_is_killed_with_its_family_after_its_time() {
    let host = Host::shop("bake = \"0s\"\nstop = { timeout = \"2s\" }").await;
    host.deploy(6).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    let page = host.get("shop", "/port_program?seconds=600").await;
    let program: u32 = page.body.trim().parse().unwrap_or_else(|_| panic!("{page:?}"));
    let members = family(pid);
    assert!(members.len() >= 3 && members.contains(&program), "{members:?} {program}");
    host.deploy(2).await;
    let began = std::time::Instant::now();
    let status = host.until_slot(Slot::Blue, SlotState::Stopped).await;
    let took = began.elapsed().as_millis();
    figure!("v6 was gone {took} ms after the deployment that replaced it (stop.timeout 2000 ms)");
    assert!((1_000..4_000).contains(&took), "{took} ms");
    assert_eq!(
        status.slot(Slot::Blue).unwrap().last_exit.as_deref(),
        Some("was killed by SIGKILL"),
        "{status:#?}"
    );
    let left: Vec<u32> = members.into_iter().filter(|pid| is_alive(*pid)).collect();
    assert!(left.is_empty(), "{left:?} are still there");
    assert_eq!(host.serving().await, "2.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn v7_that_falls_sick_within_its_bake_is_taken_back_without_a_start() {
    let (mut host, pid) = with_v1(QUICK).await;
    host.reconfigure("bake = \"1m\"\ndrain = { timeout = \"2s\" }\nstop = { timeout = \"5s\" }")
        .await;
    let number = host.deploy_detached(7).await;
    host.until_deployment(number, |it| it == Status::Baking).await;
    assert_eq!(host.get("shop", "/log?lines=2").await.version, "7.0.0");
    let rollback = host.until_ended(3).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"), "{rollback:#?}");
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    let reason = rollback.reason.clone().unwrap_or_default();
    assert!(reason.contains("health"), "{reason}");
    let millis = millis_to_live(&rollback);
    figure!("v7 was taken back {millis} ms after the verdict");
    no_start_was_waited_for(&host, number, &rollback).await;
    let left = host.deployment(2).await;
    assert_eq!((left.status, left.rolled_back_by), (Status::RolledBack, Some(3)), "{left:#?}");
    assert_eq!(left.error.unwrap().code, Code::BakeFailed);
    let said = host.vial(&["show", "shop", "2"]).await;
    figure!("v7 says:\n{}", said.out);
    said.ends(0).says(&[
        "v7.0.0 failed after it went live and is taken back: v1.0.0 serves again",
        "Its health check /health said: 503",
        "log line 2 of 2",
        "`vial logs shop --slot green`",
    ]);
    untouched(&host, pid).await;
    host.vial(&["history", "shop"]).await.ends(0).says(&["rollback", "vial", "Rolled Back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_within_the_bake_is_taken_back_at_once() {
    let (mut host, pid) = with_v1(QUICK).await;
    host.reconfigure("bake = \"1m\"\ndrain = { timeout = \"2s\" }\nstop = { timeout = \"5s\" }")
        .await;
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Baking).await;
    let crashing = host.pid("shop", Slot::Green).await.unwrap();
    processes::signal(crashing, Signal::SIGKILL);
    let rollback = host.until_ended(3).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"));
    let millis = millis_to_live(&rollback);
    figure!("a crash within the bake was taken back {millis} ms after the verdict");
    no_start_was_waited_for(&host, number, &rollback).await;
    let reason = rollback.reason.unwrap_or_default();
    assert!(reason.contains("SIGKILL"), "{reason}");
    untouched(&host, pid).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_after_the_bake_is_answered_by_a_start_in_the_same_slot() {
    let (host, pid) = with_v1(QUICK).await;
    processes::signal(pid, Signal::SIGKILL);
    let status = host
        .until("shop", |it| {
            let blue = it.slot(Slot::Blue).unwrap();
            blue.state == SlotState::Running && blue.pid.is_some_and(|it| it != pid)
        })
        .await;
    let blue = status.slot(Slot::Blue).unwrap();
    assert_eq!(blue.restarts, 1, "{blue:#?}");
    assert_eq!(blue.last_exit.as_deref(), Some("was killed by SIGKILL"));
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(host.history().await, ["deploy v1.0.0 succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn v3_is_stopped_before_the_switch_where_its_home_page_is_verified_and_not_elsewhere() {
    let (mut host, pid) = with_v1(&format!("{QUICK}\nverify = [\"/\"]")).await;
    let said = host.vial(&["deploy", "shop", text(&archive(3))]).await;
    figure!("v3 says:\n{}", said.err);
    said.ends(1).says(&["Not deployed: v1.0.0 still serves. v3.0.0 in green", "/", "500"]);
    let failed = host.deployment(2).await;
    assert_eq!(failed.error.as_ref().unwrap().code, Code::VerifyFailed);
    let steps: Vec<Status> = failed.steps.iter().map(|it| it.status).collect();
    assert!(!steps.contains(&Status::Switching), "{steps:?}");
    untouched(&host, pid).await;

    host.reconfigure(QUICK).await;
    let live: Deployment = host.deploy(3).await;
    assert_eq!(live.status, Status::Succeeded);
    assert_eq!(host.get("shop", "/").await.status, 500, "no health check sees it");
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["v1.0.0 serves"]);
    assert_eq!(host.get("shop", "/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_release_that_is_bad_leaves_nothing_serving_and_says_so() {
    let host = Setup::new().app("shop", QUICK).start().await;
    host.vial(&["deploy", "shop", text(&archive(5))])
        .await
        .ends(1)
        .says(&["Not deployed: No release serves yet. v5.0.0 exited with status 1"]);
    let status = host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert!(status.active.is_none() && status.serving.is_none(), "{status:#?}");
    let lines: Vec<String> = host.history().await;
    assert_eq!(lines, ["deploy v5.0.0 failed"]);
    host.deploy(1).await;
    assert_eq!(host.serving().await, "1.0.0");
}
