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
    Duration::from_secs(if is_soak() { 30 } else { 9 })
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

/// What a start waits for.
fn environment(start_delay: Duration) -> String {
    format!("SHOP_START_DELAY_MS={}\n", start_delay.as_millis())
}

fn took(deployment: &Deployment, status: Status) -> i64 {
    let step = deployment.steps.iter().find(|it| it.status == status).unwrap();
    step.millis(step.ended_at.unwrap())
}

/// Patience that is shorter than the stop.
fn lines(env_file: &std::path::Path) -> String {
    format!(
        "bake = \"3s\"\ndrain = {{ timeout = \"5s\" }}\nstop = {{ timeout = \"5s\" }}\n\
         health = {{ deadline = \"8s\" }}\nverify = [\"/slow?ms=700\"]\nenv_file = {env_file:?}"
    )
}

/// A deploy of v2 over v1, under load, of which one step is interrupted.
async fn deploy_stopped(at: Status) {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    host.reconfigure(&lines(file.path())).await;
    let load = load(&host);
    if at == Status::Starting {
        // With the emulator's own start it listens only after the stop, and its deadline is shorter.
        std::fs::write(file.path(), environment(pause())).unwrap();
    }
    match at {
        Status::Verifying => host.stop_daemon_at("effect: before Verify"),
        Status::Switching => host.stop_daemon_at("effect: before Switch"),
        _ => {}
    }
    let number = host.deploy_detached(2).await;
    match at {
        Status::Starting => drop(host.until_slot_has_a_process(Slot::Green).await),
        Status::Verifying | Status::Switching => host.until_daemon_is_stopped().await,
        _ => drop(host.until_deployment(number, |it| it == at).await),
    }
    stop_for_a_while(&host).await;
    let back = Instant::now();
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "stopped while {at}: {deployed:#?}");
    let stop = i64::try_from(pause().as_millis()).unwrap();
    assert!(took(&deployed, at) >= stop, "it was stopped while {at}: {deployed:#?}");
    if at == Status::Baking {
        // Nobody had looked at the release for longer than the bake lasts.
        let rest = back.elapsed();
        assert!(rest > Duration::from_millis(800), "the bake went on for {rest:?} only");
    }
    assert_eq!(host.serving().await, "2.0.0");
    nothing_was_lost(load, &format!("while {at}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_stopped_before_the_switch_fails_no_release_for_that() {
    tokio::join!(
        deploy_stopped(Status::Starting),
        deploy_stopped(Status::Verifying),
        deploy_stopped(Status::Switching)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_stopped_after_the_switch_drains_bakes_and_idles_on() {
    tokio::join!(
        drain_stopped(),
        deploy_stopped(Status::Baking),
        idle_stopped(),
        fell_sick_while_stopped()
    );
}

async fn drain_stopped() {
    let host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    let slow = format!("/slow?ms={}", (pause() + Duration::from_secs(4)).as_millis());
    let slow = host.get("shop", &slow);
    let deployed = async {
        let number = host.deploy_detached(2).await;
        host.until_deployment(number, |it| it == Status::Draining).await;
        stop_for_a_while(&host).await;
        host.until_ended(number).await
    };
    let (slow, deployed) = tokio::join!(slow, deployed);
    assert_eq!((slow.status, slow.version.as_str()), (200, "1.0.0"), "nothing was cut off");
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
}

async fn idle_stopped() {
    let host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    let load = load(&host);
    let (history, before) = (host.history().await, host.status("shop").await);
    stop_for_a_while(&host).await;
    let after = host.status("shop").await;
    assert_eq!(host.history().await, history);
    let blue = |status: &vial_protocol::AppStatus| {
        let slot = status.slot(Slot::Blue).unwrap().clone();
        (slot.pid, slot.restarts, slot.state)
    };
    assert_eq!((after.active, blue(&after)), (Some(Slot::Blue), blue(&before)));
    nothing_was_lost(load, "while nothing was in progress").await;
}

/// v7 falls sick 3 s after its start: nobody sees it while the bake should have lasted.
async fn fell_sick_while_stopped() {
    let mut host = Host::shop(super::QUICK).await;
    host.deploy(1).await;
    host.reconfigure("bake = \"4s\"\nstop = { timeout = \"5s\" }").await;
    let number = host.deploy_detached(7).await;
    host.until_deployment(number, |it| it == Status::Baking).await;
    stop_for_a_while(&host).await;
    let rollback = host.until_ended(number + 1).await;
    assert_eq!((rollback.kind, rollback.actor.as_str()), (Kind::Rollback, "vial"));
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    assert_eq!(host.serving().await, "1.0.0");
}
