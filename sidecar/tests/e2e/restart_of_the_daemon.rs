//! The daemon comes and goes; the slots run on, and what it was doing is finished or undone.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::io::AsyncWriteExt;
use vial_load::Load;
use vial_protocol::{Code, Kind, Slot, SlotState, Status};

use super::under_load::target;
use super::{BAKING, QUICK};
use crate::figure;
use crate::support::host::AppPorts;
use crate::support::processes::{self, is_alive};
use crate::support::releases::text;
use crate::support::{Host, Setup, archive, is_root, ports};

/// Starts slowly, so that there is time to interrupt it.
fn slow_start() -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SHOP_START_DELAY_MS=1500\n").unwrap();
    let lines = format!("{QUICK}\nenv_file = {:?}", file.path());
    (file, lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_serve_on_while_the_daemon_is_away_and_are_found_again() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.deploy(2).await;
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    let (history, pid) = (host.history().await, host.pid("shop", Slot::Green).await.unwrap());
    let load = Load::new(target(&host))
        .keep_alive(40, 4)
        .fresh(10)
        .slow(2, 300)
        .websockets(5, Duration::from_millis(200))
        .start();

    let ended = host.end_daemon(Signal::SIGTERM).await;
    assert!(ended.success(), "{ended}");
    assert!(is_alive(pid), "the slot runs on");
    assert!(!host.socket().exists(), "nobody is there, and that is seen at once");
    host.vial(&["status"]).await.ends(4).says(&["The daemon is not running"]);
    assert_eq!(host.serving().await, "2.0.0");
    host.start_daemon().await;
    found_again(&host, pid, &history).await;

    host.kill_daemon();
    assert!(is_alive(pid), "the slot runs on");
    host.vial(&["status"]).await.ends(4).says(&["nothing listens on"]);
    assert_eq!(host.serving().await, "2.0.0");
    host.start_daemon().await;
    found_again(&host, pid, &history).await;

    host.vial(&["rollback", "shop"]).await.ends(0).says(&["v1.0.0 serves"]);
    let status = host.until_slot(Slot::Green, SlotState::Stopped).await;
    assert!(!is_alive(pid), "a slot that was found again is stopped as any other: {status:#?}");
    let report = load.stop().await;
    figure!(
        "{} requests while the daemon ended, was killed and came back: {} failed",
        report.sent(),
        report.failed()
    );
    assert_eq!(report.failed(), 0, "{report}");
}

async fn found_again(host: &Host, pid: u32, history: &[String]) {
    let status = host.until_slot(Slot::Green, SlotState::Running).await;
    let green = status.slot(Slot::Green).unwrap();
    assert_eq!((status.active, green.pid), (Some(Slot::Green), Some(pid)), "{status:#?}");
    assert_eq!(host.history().await, history);
    assert!(host.daemon_log().contains("slot found again"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_was_interrupted_is_undone() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let bytes = std::fs::read(archive(2)).unwrap();
    let mut command = crate::support::daemon::command(&host.binary, &host.config());
    command.args(["deploy", "shop", "-"]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut deploy = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut input = deploy.stdin.take().unwrap();
    input.write_all(&bytes[..bytes.len() / 2]).await.unwrap();
    input.flush().await.unwrap();
    host.until_deployment(2, |it| it == Status::Unpacking).await;
    host.kill_daemon();
    host.start_daemon().await;
    drop(input);
    deploy.kill().await.unwrap();
    let undone = host.until_ended(2).await;
    let error = undone.error.clone().unwrap();
    assert_eq!((undone.status, error.code), (Status::Failed, Code::Interrupted), "{undone:#?}");
    assert!(error.message.contains("v1.0.0 still serves"), "{error}");
    assert!(host.listing(&host.state.join("apps/shop/incoming")).is_empty());
    assert_eq!(host.listing(&host.state.join("apps/shop/releases")), ["1"]);
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(host.deploy(2).await.status, Status::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_was_interrupted_is_finished_by_the_next_daemon() {
    let (_file, lines) = slow_start();
    let mut host = Host::shop(&lines).await;
    host.deploy(1).await;
    let number = host.deploy_detached(2).await;
    let status = host
        .until("shop", |it| {
            let green = it.slot(Slot::Green).unwrap();
            green.state == SlotState::Starting && green.pid.is_some()
        })
        .await;
    let pid = status.slot(Slot::Green).unwrap().pid;
    host.kill_daemon();
    host.start_daemon().await;
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert_eq!(host.pid("shop", Slot::Green).await, pid, "the same process");
    assert_eq!(host.serving().await, "2.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bake_that_was_interrupted_goes_on_and_a_release_that_died_meanwhile_is_taken_back() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure(BAKING).await;
    let number = host.deploy_until_live(2).await.number;
    host.until_deployment(number, |it| it == Status::Baking).await;
    let (blue, green) =
        (host.pid("shop", Slot::Blue).await, host.pid("shop", Slot::Green).await.unwrap());
    host.kill_daemon();
    host.start_daemon().await;
    let status = host.status("shop").await;
    let going = status.deployment.clone().unwrap();
    assert_eq!((going.number, going.status), (number, Status::Baking), "{status:#?}");
    assert_eq!(status.slot(Slot::Blue).unwrap().pid, blue, "the old slot is kept");

    host.kill_daemon();
    processes::signal(green, Signal::SIGKILL);
    host.start_daemon().await;
    let rollback = host.until_ended(number + 1).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"));
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    assert_eq!(host.pid("shop", Slot::Blue).await, blue);
    assert_eq!(host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_died_while_the_daemon_was_away_is_started_again() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    host.kill_daemon();
    processes::signal(pid, Signal::SIGKILL);
    // A BEAM takes its time to die, and one that still does is found again.
    while processes::is_alive(pid) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    host.start_daemon().await;
    let status = host.until_slot(Slot::Blue, SlotState::Running).await;
    assert_eq!(status.active, Some(Slot::Blue));
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(host.history().await, ["deploy v1.0.0 succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_daemon_on_the_same_folder_is_refused() {
    let host = Host::shop(QUICK).await;
    host.vial(&["serve"]).await.ends(1).says(&[
        "another vial daemon uses",
        "state/lock",
        "Stop that one, or give this one a `state_dir` of its own",
    ]);
    host.vial(&["status"]).await.ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_adds_an_app_and_keeps_one_whose_file_broke() {
    let mut host = Setup::new().app("shop", QUICK).start().await;
    host.deploy(1).await;
    let store =
        AppPorts { name: "store".into(), blue: ports::free(), green: ports::free(), routed: true };
    host.write_app(store, QUICK);
    processes::signal(host.daemon_pid(), Signal::SIGHUP);
    let deadline = tokio::time::Instant::now() + crate::support::SOON;
    while host.client.app("store").await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "SIGHUP did not add the app");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    host.change_site(crate::support::setup::Site::Imported);
    host.vial(&["deploy", "store", text(&archive(2))]).await.ends(0);
    assert_eq!(host.get("store", "/").await.version, "2.0.0");

    let file = host.path("apps/shop.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{before}\nbakee = \"1s\"\n")).unwrap();
    host.vial(&["reload"]).await.ends(1).says(&["shop.toml", "bakee", "bake"]);
    let status = host.status("shop").await;
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Running);
    assert_eq!(host.serving().await, "1.0.0");
    host.vial(&["deploy", "shop", text(&archive(2))]).await.ends(0);
    std::fs::write(&file, before).unwrap();
    host.vial(&["reload"]).await.ends(0);
    if is_root() {
        assert_eq!(host.vial(&["apps", "--json"]).await.code, Some(0));
    }
}
