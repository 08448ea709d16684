//! `kill -9` of each slot, at each step: what the table "A slot" of the sidecar's README says.

use std::time::Duration;

use nix::sys::signal::Signal;
use vial_protocol::{Code, Deployment, Kind, Slot, SlotState, Status};

use super::QUICK;
use crate::support::{Host, processes};

/// There is time to meet each step before the switch.
fn lines(bake: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SHOP_START_DELAY_MS=500\n").unwrap();
    let lines = format!(
        "bake = \"{bake}\"\ndrain = {{ timeout = \"20s\" }}\nstop = {{ timeout = \"5s\" }}\n\
         verify = [\"/slow?ms=400\"]\nenv_file = {:?}",
        file.path()
    );
    (file, lines)
}

async fn kill(host: &Host, slot: Slot) {
    let pid = host.pid("shop", slot).await.unwrap();
    processes::signal(pid, Signal::SIGKILL);
}

/// A request to the active slot that lasts; given up when it is dropped.
async fn slow_request(host: &Host) -> tokio::net::TcpStream {
    let mut slow = tokio::net::TcpStream::connect(("127.0.0.1", host.web)).await.unwrap();
    let request = b"GET /slow?ms=30000 HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut slow, request).await.unwrap();
    slow
}

fn failed(deployment: &Deployment, code: Code, words: &[&str]) {
    let error = deployment.error.as_ref().unwrap();
    assert_eq!((deployment.status, error.code), (Status::Failed, code), "{deployment:#?}");
    for word in words {
        assert!(error.message.contains(word), "{word:?} is missing: {error}");
    }
}

/// Waits until what followed took a deploy back, by itself.
async fn is_taken_back(host: &Host, number: u64, serves: &str) {
    let rollback = host.until_ended(number + 1).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"));
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    let left = host.deployment(number).await;
    assert_eq!(left.rolled_back_by, Some(number + 1), "{left:#?}");
    assert_eq!(host.serving().await, serves);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_slot_that_dies_before_the_switch_fails_its_deploy_and_nothing_else() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let (_file, lines) = lines("10m");
    host.reconfigure(&lines).await;

    let number = host.deploy_detached(2).await;
    host.until_slot_has_a_process(Slot::Green).await;
    kill(&host, Slot::Green).await;
    failed(
        &host.until_ended(number).await,
        Code::Exited,
        &["v1.0.0 still serves", "killed by SIGKILL", "while it was starting"],
    );

    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    kill(&host, Slot::Green).await;
    // Whichever is seen first: that it ended, or that it does not answer.
    let verified = host.until_ended(number).await;
    assert_eq!(verified.status, Status::Failed, "{verified:#?}");
    assert!(verified.error.unwrap().message.contains("v1.0.0 still serves"));

    // In the middle of the switch, and Caddy does not come to make it.
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    processes::signal(host.caddy_pid(), Signal::SIGSTOP);
    host.until_deployment(number, |it| it == Status::Switching).await;
    kill(&host, Slot::Green).await;
    let switched = host.until_ended(number).await;
    processes::signal(host.caddy_pid(), Signal::SIGCONT);
    failed(&switched, Code::SwitchFailed, &["v1.0.0 still serves"]);
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(host.status("shop").await.slot(Slot::Blue).unwrap().restarts, 0);

    // And where Caddy makes it: Vial takes it back.
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    processes::signal(host.caddy_pid(), Signal::SIGSTOP);
    host.until_deployment(number, |it| it == Status::Switching).await;
    kill(&host, Slot::Green).await;
    host.until_slot(Slot::Green, SlotState::Stopped).await;
    processes::signal(host.caddy_pid(), Signal::SIGCONT);
    is_taken_back(&host, number, "1.0.0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_slot_that_dies_after_the_switch_is_taken_back_and_that_of_a_rollback_starts_again() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure("bake = \"10m\"\ndrain = { timeout = \"20s\" }\nstop = { timeout = \"1s\" }")
        .await;

    let slow = slow_request(&host).await;
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Draining).await;
    kill(&host, Slot::Green).await;
    is_taken_back(&host, number, "1.0.0").await;
    drop(slow);

    let number = host.deploy_until_live(2).await.number;
    host.until_deployment(number, |it| it == Status::Baking).await;
    kill(&host, Slot::Green).await;
    is_taken_back(&host, number, "1.0.0").await;

    let number = host.deploy_until_live(2).await.number;
    host.until_deployment(number, |it| it == Status::Baking).await;
    let slow = slow_request(&host).await;
    let rollback = host.roll_back_detached(None).await;
    host.until_deployment(rollback, |it| it == Status::Draining).await;
    let before = host.pid("shop", Slot::Blue).await.unwrap();
    processes::signal(before, Signal::SIGKILL);
    let again = |it: &vial_protocol::AppStatus| {
        let blue = it.slot(Slot::Blue).unwrap();
        blue.state == SlotState::Running && blue.pid.is_some_and(|pid| pid != before)
    };
    host.until("shop", again).await;
    drop(slow);
    let rollback = host.until_ended(rollback).await;
    assert_eq!((rollback.kind, rollback.status), (Kind::Rollback, Status::Succeeded));
    assert_eq!(host.serving().await, "1.0.0", "started again in its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_slot_that_dies_stops_no_deploy_and_without_one_it_is_started_again() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;

    // Nothing is in progress: started again.
    let before = host.pid("shop", Slot::Blue).await.unwrap();
    processes::signal(before, Signal::SIGKILL);
    let again = |it: &vial_protocol::AppStatus| {
        let blue = it.slot(Slot::Blue).unwrap();
        blue.state == SlotState::Running && blue.pid.is_some_and(|pid| pid != before)
    };
    let status = host.until("shop", again).await;
    assert_eq!(status.slot(Slot::Blue).unwrap().restarts, 1);

    let (_file, lines) = lines("2s");
    host.reconfigure(&lines).await;
    let number = host.deploy_detached(2).await;
    host.until_slot_has_a_process(Slot::Green).await;
    kill(&host, Slot::Blue).await;
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert_eq!(host.serving().await, "2.0.0");
    host.until_slot(Slot::Blue, SlotState::Stopped).await;

    let _slow = slow_request(&host).await;
    let number = host.deploy_detached(1).await;
    host.until_deployment(number, |it| it == Status::Draining).await;
    kill(&host, Slot::Green).await;
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert_eq!(host.serving().await, "1.0.0");

    // While it bakes: what was to go back to is gone, so the new one is started again in its place,
    // and the bake ends well where it is healthy by then, ill where it is not.
    for ends_well in [true, false] {
        let (bake, delay, version) = if ends_well { ("12s", 0, 2) } else { ("2s", 4000, 1) };
        host.reconfigure(&lines.replace("bake = \"2s\"", &format!("bake = {bake:?}"))).await;
        let number = host.deploy_until_live(version).await.number;
        host.until_deployment(number, |it| it == Status::Baking).await;
        let new = host.status("shop").await.active.unwrap();
        kill(&host, new.other()).await;
        host.until_slot(new.other(), SlotState::Stopped).await;
        std::fs::write(_file.path(), format!("SHOP_START_DELAY_MS={delay}\n")).unwrap();
        kill(&host, new).await;
        let deployed = host.until_ended(number).await;
        if ends_well {
            assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
        } else {
            failed(&deployed, Code::BakeFailed, &["not healthy when its bake ended"]);
        }
        host.until_slot(new, SlotState::Running).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(host.serving().await, format!("{version}.0.0"), "it keeps the traffic");
    }
}
