//! A daemon that is stopped for a while, in the middle of whatever it does: SIGSTOP, a frozen
//! cgroup, a host without processor time. Afterwards every deadline has passed at once, and nothing
//! may come of that.

use std::time::Duration;

use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};
use vial_load::{Load, Running};
use vial_protocol::{Deployment, Kind, Slot, SlotState, Status};

use super::under_load::target;
use crate::figure;
use crate::support::{Host, is_soak, processes};

/// How long the daemon is stopped: longer than the deadlines of these apps.
fn pause() -> Duration {
    Duration::from_secs(if is_soak() { 30 } else { 5 })
}

/// Stops the daemon for a while.
async fn stop_for_a_while(host: &Host) {
    processes::signal(host.daemon_pid(), Signal::SIGSTOP);
    sleep(pause()).await;
    processes::signal(host.daemon_pid(), Signal::SIGCONT);
}

fn load(host: &Host) -> Running {
    Load::new(target(host))
        .keep_alive(30, 4)
        .fresh(10)
        .slow(2, 300)
        .websockets(4, Duration::from_millis(500))
        .reopen_websockets()
        .start()
}

async fn nothing_was_lost(load: Running, when: &str) {
    let report = load.stop().await;
    figure!("the daemon stopped {when}: {} requests, {} failed", report.sent(), report.failed());
    assert!(report.sent() > 100, "{report}");
    assert_eq!(report.failed(), 0, "{report}");
}

/// What a start and a `verify` wait for.
fn environment(start_delay: Duration) -> String {
    format!("SHOP_START_DELAY_MS={}\n", start_delay.as_millis())
}

fn took(deployment: &Deployment, status: Status) -> i64 {
    let step = deployment.steps.iter().find(|it| it.status == status).unwrap();
    step.millis(step.ended_at.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_stopped_before_the_switch_fails_no_release_for_the_time_that_it_was_away() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let lines = format!(
        "bake = \"0s\"\ndrain = {{ timeout = \"5s\" }}\nstop = {{ timeout = \"5s\" }}\n\
         health = {{ deadline = \"3s\" }}\nverify = [\"/slow?ms=700\"]\nenv_file = {:?}",
        file.path()
    );
    let host = Host::shop(&lines).await;
    host.deploy(1).await;
    let load = load(&host);

    // Its health deadline is shorter than the stop, and it listens only after that.
    std::fs::write(file.path(), environment(pause() + Duration::from_millis(700))).unwrap();
    let number = host.deploy_detached(2).await;
    host.until_slot_has_a_process(Slot::Green).await;
    stop_for_a_while(&host).await;
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    let stop = i64::try_from(pause().as_millis()).unwrap();
    assert!(took(&deployed, Status::Starting) > stop, "it was stopped meanwhile: {deployed:#?}");

    std::fs::write(file.path(), "").unwrap();
    let number = host.deploy_detached(1).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    stop_for_a_while(&host).await;
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert!(took(&deployed, Status::Verifying) > stop, "{deployed:#?}");

    // Caddy is held up for a moment, so that the switch can be met.
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Verifying).await;
    processes::signal(host.caddy_pid(), Signal::SIGSTOP);
    host.until_deployment(number, |it| it == Status::Switching).await;
    processes::signal(host.daemon_pid(), Signal::SIGSTOP);
    processes::signal(host.caddy_pid(), Signal::SIGCONT);
    sleep(pause()).await;
    processes::signal(host.daemon_pid(), Signal::SIGCONT);
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert!(took(&deployed, Status::Switching) > stop, "{deployed:#?}");
    assert_eq!(host.serving().await, "2.0.0");
    nothing_was_lost(load, "while it started, verified and switched").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_stopped_after_the_switch_drains_bakes_and_idles_on_afterwards() {
    let mut host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    let lines = "bake = \"3s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
    host.reconfigure(lines).await;
    let load = load(&host);
    let long = pause() + Duration::from_secs(1);
    let slow = format!("/slow?ms={}", long.as_millis());
    let slow = host.get("shop", &slow);
    let deployed = async {
        let number = host.deploy_detached(2).await;
        host.until_deployment(number, |it| it == Status::Draining).await;
        stop_for_a_while(&host).await;
        host.until_deployment(number, |it| it == Status::Baking).await;
        // Nobody has looked at the release for longer than the bake lasts.
        stop_for_a_while(&host).await;
        let back = Instant::now();
        let deployed = host.until_ended(number).await;
        (deployed, back.elapsed())
    };
    let (slow, (deployed, rest)) = tokio::join!(slow, deployed);
    assert_eq!((slow.status, slow.version.as_str()), (200, "1.0.0"), "nothing was cut off");
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert!(rest > Duration::from_millis(800), "the bake went on for {rest:?} only");
    host.until_slot(Slot::Blue, SlotState::Stopped).await;

    let (history, before) = (host.history().await, host.status("shop").await);
    stop_for_a_while(&host).await;
    let after = host.status("shop").await;
    assert_eq!(host.history().await, history);
    let pid = |status: &vial_protocol::AppStatus| status.slot(Slot::Green).unwrap().pid;
    assert_eq!((after.active, pid(&after)), (Some(Slot::Green), pid(&before)));
    assert_eq!(after.slot(Slot::Green).unwrap().restarts, 0);
    assert_eq!(host.serving().await, "2.0.0");
    nothing_was_lost(load, "while it drained, baked and idled").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fell_sick_while_the_daemon_was_stopped_is_taken_back_all_the_same() {
    let mut host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    let lines = "bake = \"4s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";
    host.reconfigure(lines).await;
    // v7 falls sick 3 s after its start.
    let number = host.deploy_detached(7).await;
    host.until_deployment(number, |it| it == Status::Baking).await;
    stop_for_a_while(&host).await;
    let rollback = host.until_ended(number + 1).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"));
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    assert_eq!(host.serving().await, "1.0.0");
}
