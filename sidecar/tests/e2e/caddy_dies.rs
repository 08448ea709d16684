//! `kill -9` of Caddy, at each step of a deploy and of a rollback, and a Caddy that comes back with
//! another file: what the table "Caddy" of the sidecar's README says.

use nix::sys::signal::Signal;
use vial_protocol::{Code, Deployment, Slot, SlotState, Status};

use super::QUICK;
use crate::support::setup::Site;
use crate::support::{Host, is_soak, processes};

/// There is time to meet each step, and a bake lasts until something ends it.
fn lines(bake: &str) -> (tempfile::NamedTempFile, String) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SHOP_START_DELAY_MS=300\n").unwrap();
    let lines = format!(
        "bake = \"{bake}\"\ndrain = {{ timeout = \"20s\" }}\nstop = {{ timeout = \"5s\" }}\n\
         verify = [\"/slow?ms=300\"]\nenv_file = {:?}",
        file.path()
    );
    (file, lines)
}

/// Stops Caddy while a deployment is verified, and returns once that has come to its switch.
async fn caught_switching(host: &Host, number: u64) {
    host.until_deployment(number, |it| it == Status::Verifying).await;
    processes::signal(host.caddy_pid(), Signal::SIGSTOP);
    host.until_deployment(number, |it| it == Status::Switching).await;
}

fn is_a_failed_switch(deployment: &Deployment, serves: &str) {
    let error = deployment.error.as_ref().unwrap();
    assert_eq!(
        (deployment.status, error.code),
        (Status::Failed, Code::SwitchFailed),
        "{deployment:#?}"
    );
    assert!(error.message.starts_with(serves), "{error}");
    assert!(error.message.contains("still serves"), "{error}");
    assert!(error.next.is_some(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_killed_costs_a_deploy_nothing_but_its_switch() {
    let (_file, lines) = lines("0s");
    let mut host = Host::shop(&lines).await;
    host.deploy(1).await;

    for step in [Status::Starting, Status::Verifying] {
        let version = if host.serving().await == "1.0.0" { 2 } else { 1 };
        let number = host.deploy_detached(version).await;
        host.until_deployment(number, |it| it == step).await;
        host.stop_caddy();
        host.start_caddy().await;
        let deployed = host.until_ended(number).await;
        assert_eq!(deployed.status, Status::Succeeded, "killed while {step}: {deployed:#?}");
        assert_eq!(host.serving().await, format!("{version}.0.0"));
    }
    assert_eq!(host.serving().await, "1.0.0");

    // Killed while it is switched, and away for longer than a switch waits.
    let number = host.deploy_detached(2).await;
    caught_switching(&host, number).await;
    host.stop_caddy();
    is_a_failed_switch(&host.until_ended(number).await, "Not deployed: v1.0.0");
    host.start_caddy().await;
    assert_eq!(host.serving().await, "1.0.0", "the old slot stays");

    // The same, and back at once.
    let number = host.deploy_detached(2).await;
    caught_switching(&host, number).await;
    host.stop_caddy();
    host.start_caddy().await;
    assert_eq!(host.until_ended(number).await.status, Status::Succeeded);
    assert_eq!(host.serving().await, "2.0.0");

    // Killed while the old slot drains: nobody counts its requests any more.
    let number = host.deploy_detached(1).await;
    let address = ("127.0.0.1", host.web);
    host.until_deployment(number, |it| it == Status::Verifying).await;
    let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = b"GET /slow?ms=30000 HTTP/1.1\r\nhost: shop.localhost\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut slow, request).await.unwrap();
    host.until_deployment(number, |it| it == Status::Draining).await;
    host.stop_caddy();
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    host.start_caddy().await;
    assert_eq!(host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_that_is_killed_ends_no_bake_and_a_rollback_waits_for_no_other_day() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let (_file, lines) = lines("10m");
    host.reconfigure(&lines).await;
    let number = host.deploy_until_live(2).await.number;
    host.until_deployment(number, |it| it == Status::Baking).await;
    host.stop_caddy();
    let status = host.status("shop").await;
    assert_eq!(status.deployment.unwrap().status, Status::Baking);

    // Without Caddy a rollback cannot be seen to be made: what served serves on.
    let rollback = host.roll_back_detached(None).await;
    is_a_failed_switch(&host.until_ended(rollback).await, "Not rolled back: v2.0.0");
    host.start_caddy().await;
    assert_eq!(host.serving().await, "2.0.0");
    host.until_slot(Slot::Blue, SlotState::Stopped).await;

    // A cold one: killed at its start, while it is verified, and away for a moment of its switch.
    let rollback = host.roll_back_detached(None).await;
    host.until_deployment(rollback, |it| it == Status::Starting).await;
    host.stop_caddy();
    host.start_caddy().await;
    caught_switching(&host, rollback).await;
    host.stop_caddy();
    host.start_caddy().await;
    let rollback = host.until_ended(rollback).await;
    assert_eq!(rollback.status, Status::Succeeded, "{rollback:#?}");
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(host.deployment(number).await.rolled_back_by, Some(rollback.number));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_with_another_file_or_none_at_all_is_named_and_the_route_is_found_again() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.deploy(2).await;
    let problem = async |host: &Host, words: &str| {
        let words = words.to_owned();
        let said = move |it: &vial_protocol::AppStatus| {
            let problem = it.route.as_ref().and_then(|it| it.problem.as_ref());
            problem.is_some_and(|it| it.message.contains(&words))
        };
        host.until("shop", said).await;
    };
    host.restart_caddy_with(Site::NotImported).await;
    if !is_soak() {
        // It looks each 15 s, and at once where its configuration has changed.
        host.reconfigure(&format!("{QUICK}\nkeep_releases = 4")).await;
    }
    problem(&host, "import").await;
    host.vial(&["status", "shop"]).await.ends(0).says(&["import"]);
    host.vial(&["doctor"]).await.ends(1).says(&["route of shop", "import"]);

    host.stop_caddy();
    problem(&host, "Caddy is not running").await;
    host.vial(&["status", "shop"]).await.ends(0).says(&["Caddy is not running"]);
    host.vial(&["doctor"]).await.ends(1).says(&["Caddy is not running"]);

    host.restart_caddy_with(Site::Imported).await;
    assert_eq!(host.serving().await, "2.0.0", "the flag is a file");
    let healed = host.until("shop", |it| it.route.as_ref().unwrap().problem.is_none()).await;
    assert!(healed.warnings.is_empty(), "{healed:#?}");
    host.vial(&["doctor"]).await.never_says(&["Caddy is not running", "import"]);
}
