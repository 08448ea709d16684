//! Taking a release back: where to, when, and what is refused in which words.

use vial::client::{ClientError, Upload};
use vial_protocol::request::{Accepted, Deploy, Rollback};
use vial_protocol::{Code, Deployment, Kind, Plan, Problem, Slot, SlotState, Status};

use super::{BAKING, QUICK, V4_SOON};
use crate::figure;
use crate::support::look::{millis_to_live, no_start_was_waited_for};
use crate::support::releases::text;
use crate::support::{Host, Setup, archive};

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_puts_the_previous_release_back_and_a_second_one_names_the_way_forward() {
    let host = Host::shop(QUICK).await;
    host.vial(&["rollback", "shop"]).await.ends(3).says(&["shop has no live release"]);
    host.deploy(1).await;
    host.vial(&["rollback", "shop"])
        .await
        .ends(3)
        .says(&["Nothing to roll back to: shop has one release", "Deploy once more"]);
    host.deploy(2).await;
    let plan: Plan = host.vial(&["rollback", "shop", "--plan", "--json"]).await.ends(0).json();
    assert_eq!((plan.from.label(), plan.to.label()), ("v2.0.0".into(), "v1.0.0".into()));
    assert_eq!((plan.hot, plan.migrations.len()), (false, 1), "{plan:#?}");
    assert_eq!(host.serving().await, "2.0.0", "a plan changes nothing");
    host.vial(&["rollback", "shop", "--reason", "v2 is wrong"])
        .await
        .ends(0)
        .says(&["Rolled back: v1.0.0 serves since", "Migrations unchanged: 1 that v1.0.0"]);
    assert_eq!(host.serving().await, "1.0.0");
    let rollback = host.deployment(3).await;
    assert_eq!((rollback.kind, rollback.status), (Kind::Rollback, Status::Succeeded));
    assert_eq!(rollback.reason.as_deref(), Some("v2 is wrong"));
    figure!("a cold rollback was live after {} ms", millis_to_live(&rollback));
    let left = host.deployment(2).await;
    assert_eq!((left.status, left.rolled_back_by), (Status::RolledBack, Some(3)));
    host.until_slot(Slot::Green, SlotState::Stopped).await;

    host.vial(&["rollback", "shop"]).await.ends(3).says(&[
        "Not rolled back: v1.0.0 serves because #3 rolled back to it already",
        "`vial rollback shop --to 2` to go forward to v2.0.0",
    ]);
    host.vial(&["rollback", "shop", "--to", "2"]).await.ends(0).says(&["v2.0.0 serves"]);
    assert_eq!(host.serving().await, "2.0.0");
    host.vial(&["rollback", "shop", "--to", "2"])
        .await
        .ends(3)
        .says(&["the release of #2 is the one that serves"]);
    host.vial(&["rollback", "shop", "--to", "99"]).await.ends(3).says(&["no deployment #99"]);
    assert_eq!(
        host.history().await,
        [
            "deploy v1.0.0 superseded",
            "deploy v2.0.0 rolled_back",
            "rollback v1.0.0 rolled_back",
            "rollback v2.0.0 succeeded"
        ]
    );
    host.vial(&["history", "shop"]).await.ends(0).says(&["rollback", "Rolled Back"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_failed_is_never_what_a_rollback_goes_to() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.deploy(2).await;
    host.reconfigure(&format!("{QUICK}\n{V4_SOON}")).await;
    host.vial(&["deploy", "shop", text(&archive(4))])
        .await
        .ends(1)
        .says(&["Not deployed: v2.0.0 still serves", "v4.0.0 was not healthy within"]);
    assert_eq!(host.serving().await, "2.0.0");
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["Rolled back: v1.0.0 serves"]);
    assert_eq!(host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_bake_a_rollback_is_one_switch() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure(BAKING).await;
    host.deploy_until_live(2).await;
    let baking = host.until("shop", |it| {
        it.deployment.as_ref().is_some_and(|it| it.number == 2 && it.status == Status::Baking)
    });
    let status = baking.await;
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Running, "{status:#?}");
    let before = status.slot(Slot::Blue).unwrap().pid;
    let plan: Plan = host.vial(&["rollback", "shop", "--plan", "--json"]).await.ends(0).json();
    assert!(plan.hot, "{plan:#?}");
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["Rolled back: v1.0.0 serves"]);
    assert_eq!(host.pid("shop", Slot::Blue).await, before, "the old slot was never stopped");
    let rollback = host.deployment(3).await;
    let millis = millis_to_live(&rollback);
    figure!("a rollback within the bake was live after {millis} ms");
    no_start_was_waited_for(&host, 2, &rollback).await;
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(
        host.history().await,
        ["deploy v1.0.0 superseded", "deploy v2.0.0 rolled_back", "rollback v1.0.0 succeeded"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_old_slot_drains_a_rollback_is_one_switch_too() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure("bake = \"10m\"\ndrain = { timeout = \"1m\" }\nstop = { timeout = \"5s\" }")
        .await;
    // A request in flight on the old slot keeps it draining.
    let slow = host.get("shop", "/slow?ms=6000");
    let deploy = async {
        let number = host.deploy_detached(2).await;
        host.until_deployment(number, |it| it == Status::Draining).await;
        let rollback = host.roll_back_detached(None).await;
        host.until_deployment(rollback, |it| it.is_live() || it == Status::Succeeded).await
    };
    let (slow, rollback) = tokio::join!(slow, deploy);
    let millis = millis_to_live(&rollback);
    figure!("a rollback during the drain was live after {millis} ms");
    no_start_was_waited_for(&host, 2, &rollback).await;
    assert_eq!((slow.status, slow.version.as_str()), (200, "1.0.0"), "nothing was cut off");
    assert_eq!(host.serving().await, "1.0.0");
    let left = host.deployment(2).await;
    assert_eq!(left.rolled_back_by, Some(3), "{left:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_in_progress_is_cancelled_alone_or_with_a_rollback() {
    let host = Host::shop(&format!("{QUICK}\nhealth = {{ deadline = \"1m\" }}")).await;
    host.vial(&["cancel", "shop"]).await.ends(3).says(&["Nothing to cancel"]);
    host.deploy(1).await;
    host.deploy(2).await;
    let starting = |number| host.until_deployment(number, |it| it == Status::Starting);

    let number = host.deploy_detached(4).await;
    starting(number).await;
    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(3).says(&[
        "Not deployed: deploy #3 (v4.0.0, starting) is in progress. v2.0.0 still serves.",
        "`vial cancel shop`",
    ]);
    host.vial(&["rollback", "shop"]).await.ends(3).says(&[
        "Not rolled back: deploy #3 (v4.0.0, starting) is in progress and not live yet",
        "`vial rollback shop --cancel`",
    ]);
    host.vial(&["stop", "shop"]).await.ends(3).says(&["Not stopped"]);
    host.vial(&["cancel", "shop"]).await.ends(0).says(&["#3 is cancelled. v2.0.0 serves."]);
    let cancelled = host.until_ended(number).await;
    assert_eq!(cancelled.status, Status::Cancelled);
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert_eq!(host.serving().await, "2.0.0");

    let number = host.deploy_detached(4).await;
    starting(number).await;
    host.vial(&["rollback", "shop", "--cancel"]).await.ends(0).says(&["v1.0.0 serves"]);
    assert_eq!(host.serving().await, "1.0.0");
    assert_eq!(
        host.history().await,
        [
            "deploy v1.0.0 superseded",
            "deploy v2.0.0 rolled_back",
            "deploy v4.0.0 cancelled",
            "deploy v4.0.0 cancelled",
            "rollback v1.0.0 succeeded"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_waits_for_the_bake_before_it_and_a_rollback_does_not() {
    let host = Host::shop("bake = \"4s\"\nstop = { timeout = \"5s\" }").await;
    host.deploy_until_live(1).await;
    let second = tokio::spawn(upload(&host, 2));
    let waits = host.until("shop", |it| it.queued.is_some()).await;
    let queued = waits.queued.unwrap();
    assert_eq!((queued.number, queued.status), (2, Status::Queued));
    host.vial(&["deploy", "shop", text(&archive(1))])
        .await
        .ends(3)
        .says(&["Not deployed: #2 waits already", "v1.0.0 still serves"]);
    let second = second.await.unwrap().unwrap().deployment.unwrap();
    host.until_deployment(second, |it| it == Status::Baking).await;
    assert_eq!(host.serving().await, "2.0.0");
    // What waits is cancelled by a rollback, and says so.
    let third = tokio::spawn(upload(&host, 1));
    host.until("shop", |it| it.queued.is_some()).await;
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["v1.0.0 serves"]);
    let Err(ClientError::Refused(problem)) = third.await.unwrap() else { panic!("not cancelled") };
    assert_eq!(problem.code, Code::Cancelled, "{problem:#?}");
    assert!(problem.message.contains("a rollback was asked for"), "{problem:#?}");
    assert_eq!(host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_has_changed_is_refused_and_a_repeated_request_is_one_rollback() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure(BAKING).await;
    host.deploy_until_live(2).await;
    let ask = |digest: Option<String>| Rollback { digest, ..Rollback::default() };
    let Err(ClientError::Refused(stale)) =
        host.client.rollback("shop", &ask(Some("0123456789abcdef".into()))).await
    else {
        panic!("not refused")
    };
    assert_eq!(stale.code, Code::StalePlan);
    let plan = stale.plan.expect("the plan as it is now");
    assert_eq!(plan.to.label(), "v1.0.0");

    let body = serde_json::to_string(&ask(Some(plan.digest))).unwrap();
    let (first, again) =
        (raw(&host, "double-tap", &body).await, raw(&host, "double-tap", &body).await);
    assert_eq!((first.0, again.0), (202, 202), "{} {}", first.1, again.1);
    let number = |text: &str| serde_json::from_str::<Accepted>(text).unwrap().deployment;
    assert_eq!(number(&first.1), number(&again.1), "one rollback");
    let other = raw(&host, "double-tap", r#"{"to":1}"#).await;
    let problem: Problem = serde_json::from_str(&other.1).unwrap();
    assert_eq!((other.0, problem.code), (409, Code::KeyReused), "{problem}");
    host.until_ended(3).await;
    let all: Vec<Deployment> = host.vial(&["history", "shop", "--json"]).await.ends(0).json();
    assert_eq!(all.iter().filter(|it| it.kind == Kind::Rollback).count(), 1);
}

/// A deploy that may wait behind another.
fn upload(
    host: &Host,
    version: u32,
) -> impl Future<Output = Result<Accepted, ClientError>> + use<> {
    let (client, path) = (host.client.clone(), archive(version));
    async move {
        let upload =
            Upload::new(move |to| std::io::copy(&mut std::fs::File::open(path)?, to).map(drop));
        client.deploy("shop", &Deploy::default(), upload).await
    }
}

/// A request with a key of our own.
pub(super) async fn raw(host: &Host, key: &str, body: &str) -> (u16, String) {
    crate::support::web::unix(
        &host.socket(),
        &format!(
            "POST /v1/apps/shop/rollback HTTP/1.1\r\nhost: vial\r\nconnection: close\r\n\
             idempotency-key: {key}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n\
             {body}",
            body.len()
        ),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_a_deployment_with_todays_environment_and_no_step_back() {
    let setup = Setup::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SHOP_START_DELAY_MS=0\nNOTE=old\n").unwrap();
    let lines = format!("{QUICK}\nenv_file = {:?}", file.path());
    let host = setup.app("shop", &lines).start().await;
    host.deploy(1).await;
    host.deploy(2).await;
    let before = host.pid("shop", Slot::Green).await;
    std::fs::write(file.path(), "NOTE=new\n").unwrap();
    host.vial(&["restart", "shop", "--reason", "a new note"])
        .await
        .ends(0)
        .says(&["Restarted: v2.0.0 serves"]);
    let page = host.get("shop", "/").await;
    assert_eq!((page.version.as_str(), page.slot.as_str()), ("2.0.0", "blue"));
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    assert_ne!(Some(pid), before);
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environ = String::from_utf8_lossy(&environ).into_owned();
    assert!(environ.contains("\0NOTE=new\0"), "today's environment");
    assert_eq!(host.deployment(3).await.kind, Kind::Restart);

    host.vial(&["restart", "shop", "--in-place"]).await.ends(0).says(&["stops and starts again"]);
    let again = host.until("shop", |it| {
        let slot = it.slot(Slot::Blue).unwrap();
        slot.state == SlotState::Running && slot.pid.is_some_and(|it| it != pid)
    });
    assert_eq!(again.await.last.unwrap().number, 3, "no deployment comes of it");
    // v1, v2, v2 restarted: a rollback goes to v1.
    host.vial(&["rollback", "shop"]).await.ends(0).says(&["v1.0.0 serves"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_is_stopped_stays_so_until_it_is_started_or_deployed() {
    let host = Host::shop(QUICK).await;
    host.vial(&["stop", "shop"]).await.ends(3).says(&["shop has no live release"]);
    host.deploy(1).await;
    host.vial(&["start", "shop"]).await.ends(3).says(&["shop runs. v1.0.0 serves."]);
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    host.vial(&["stop", "shop"]).await.ends(0).says(&["`vial start shop`"]);
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert!(!crate::support::processes::is_alive(pid));
    host.vial(&["stop", "shop"]).await.ends(3).says(&["shop is stopped"]);
    host.vial(&["restart", "shop"]).await.ends(3).says(&["shop is stopped", "`vial start shop`"]);
    assert_eq!(host.get("shop", "/").await.status, 502);
    host.vial(&["start", "shop"]).await.ends(0);
    host.until_slot(Slot::Blue, SlotState::Running).await;
    assert_eq!(host.serving().await, "1.0.0");
    host.vial(&["stop", "shop"]).await.ends(0);
    host.vial(&["deploy", "shop", text(&archive(2))]).await.ends(0).says(&["v2.0.0 serves"]);
    assert_eq!(host.serving().await, "2.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_a_deploy_that_is_taken_back_is_told_so_with_the_status_of_a_failure() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure(BAKING).await;
    let release = archive(2);
    let args = ["deploy", "shop", text(&release)];
    let take_back = async {
        host.until_deployment(2, |it| it == Status::Baking).await;
        host.vial(&["rollback", "shop"]).await.ends(0);
    };
    let (said, ()) = tokio::join!(host.vial(&args), take_back);
    said.ends(1).says(&["Taken back: v2.0.0 was live until deployment #3 took it back"]);
}
