//! The first deploys, in each way that a release comes in.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;

use vial_protocol::{Deployment, Kind, Slot, SlotState, Status};

use super::QUICK;
use crate::support::releases::text;
use crate::support::{Host, Setup, archive, folder, is_root, setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_release_comes_as_a_folder_an_archive_or_standard_input() {
    let host = Host::shop(QUICK).await;
    host.vial(&["deploy", "shop", text(&folder(1)), "--reason", "the first"])
        .await
        .ends(0)
        .says(&["Deployed: v1.0.0 serves"]);
    assert_eq!(host.serving().await, "1.0.0");
    host.vial(&["deploy", "shop", text(&archive(2))]).await.ends(0).says(&["v2.0.0 serves"]);
    assert_eq!(host.serving().await, "2.0.0");
    let piped = File::open(archive(1)).unwrap();
    host.vial_with_input(&["deploy", "shop", "-"], piped).await.ends(0).says(&["v1.0.0"]);
    let page = host.get("shop", "/").await;
    assert_eq!((page.version.as_str(), page.slot.as_str()), ("1.0.0", "blue"));
    assert_eq!(
        host.history().await,
        ["deploy v1.0.0 superseded", "deploy v2.0.0 superseded", "deploy v1.0.0 succeeded"]
    );
    let first: Deployment = host.vial(&["show", "shop", "1", "--json"]).await.ends(0).json();
    assert_eq!(first.reason.as_deref(), Some("the first"));
    assert_eq!((first.kind, first.slot), (Kind::Deploy, Some(Slot::Blue)));
    let steps: Vec<Status> = first.steps.iter().map(|step| step.status).collect();
    let expected = [Status::Unpacking, Status::Starting, Status::Verifying, Status::Switching];
    assert_eq!(steps, expected, "{first:#?}");
    assert!(first.steps.iter().all(|step| step.ended_at.is_some()), "{first:#?}");
    let release = first.release.unwrap();
    let found = (release.erts.is_some(), release.elixir.is_some(), release.sha256.len());
    assert_eq!(found, (true, true, 64));
    assert!(release.size > 1_000_000, "{release:#?}");
    assert_eq!(release.migrations.len(), 1, "{release:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_runs_as_its_own_user_with_its_own_secrets_and_files() {
    let host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let uid: u32 = status
        .lines()
        .find_map(|line| line.strip_prefix("Uid:"))
        .and_then(|ids| ids.split_whitespace().next()?.parse().ok())
        .unwrap();
    let wanted = match is_root() {
        true => nix::unistd::User::from_name(setup::user(0)).unwrap().unwrap().uid,
        false => nix::unistd::geteuid(),
    };
    assert_eq!(uid, wanted.as_raw());
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let session: u32 =
        stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap().parse().unwrap();
    assert_eq!(session, pid, "the release leads a session of its own");
    let mode = |below: &str| {
        std::fs::metadata(host.state.join(below)).unwrap().permissions().mode() & 0o7777
    };
    for (below, wanted) in [
        ("", 0o711),
        ("vial.db", 0o600),
        ("apps/shop/cookie", 0o600),
        ("apps/shop/slots/blue/erl_crash.dump", 0o600),
        ("route/shop", 0o755),
    ] {
        assert_eq!(mode(below), wanted, "{below}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_without_hosts_is_deployed_and_rolled_back_without_a_route() {
    let lines = format!("{QUICK}\nhealth = {{ alive = \"500ms\" }}");
    let host = Setup::new().worker("shop", &lines).start().await;
    host.deploy(1).await;
    let second = host.deploy(2).await;
    assert_eq!(second.slot, Some(Slot::Green));
    let status = host.status("shop").await;
    assert!(status.route.is_none() && status.warnings.is_empty(), "{status:#?}");
    assert_eq!(status.slot(Slot::Green).unwrap().port, None);
    host.vial(&["rollback", "shop", "--yes"]).await.ends(0).says(&["v1.0.0 serves"]);
    host.until_slot(Slot::Green, SlotState::Stopped).await;
    host.vial(&["caddy", "snippet", "shop"]).await.ends(3).says(&["shop is a worker"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_do_not_wait_for_one_another() {
    let host = Setup::new().app("shop", QUICK).app("store", QUICK).start().await;
    let (one, two) = (archive(1), archive(2));
    let (shop, store) = (["deploy", "shop", text(&one)], ["deploy", "store", text(&two)]);
    let (shop, store) = tokio::join!(host.vial(&shop), host.vial(&store));
    shop.ends(0);
    store.ends(0);
    assert_eq!(host.get("shop", "/").await.version, "1.0.0");
    assert_eq!(host.get("store", "/").await.version, "2.0.0");
    host.vial(&["apps"]).await.ends(0).says(&["shop", "store"]);
}
