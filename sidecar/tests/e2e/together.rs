//! `vial down` and `vial up`: all apps at once.

use vial_protocol::{Desired, Slot, SlotState, Status};

use super::WORKER;
use crate::support::processes::is_alive;
use crate::support::releases::text;
use crate::support::setup::Site;
use crate::support::terminal::Terminal;
use crate::support::{Setup, archive, is_root};

#[tokio::test(flavor = "multi_thread")]
async fn what_down_stopped_stays_so_until_up_and_what_was_stopped_alone_longer() {
    let setup = Setup::new().worker("shop", WORKER).worker("store", WORKER).site(Site::NoCaddy);
    let mut host = setup.start().await;
    host.vial(&["down"]).await.ends(0).says(&["no app runs"]);
    for app in ["shop", "store"] {
        host.vial(&["deploy", app, text(&archive(1))]).await.ends(0);
    }
    host.vial(&["stop", "store"]).await.ends(0);
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    if is_root() {
        host.vial_as("nobody", &["down"]).await.ends(3).says(&["nobody may not do this"]);
        assert!(is_alive(pid));
    }
    let mut somebody = Terminal::open(&host, &["down"]);
    somebody.until_it_shows("Stop shop? Nobody is served then. [y/N]");
    somebody.types(b"n\n");
    somebody.until_it_shows("Nothing was changed.");
    assert!(is_alive(pid));
    host.vial(&["down", "--yes"]).await.ends(0).says(&[
        "Stopping shop; `vial up` starts what stops now.",
        "No slot runs any more",
        "until `vial up`",
    ]);
    assert!(!is_alive(pid), "it has ended when the command does");
    host.vial(&["down"]).await.ends(0).says(&["no app runs"]);

    host.kill_daemon();
    host.start_daemon().await;
    let status = host.status("shop").await;
    assert_eq!(status.desired, Desired::Stopped, "{status:#?}");
    assert_eq!(status.slot(Slot::Blue).unwrap().state, SlotState::Stopped);

    host.vial(&["up"]).await.ends(0).says(&["Starting shop."]);
    host.until_slot(Slot::Blue, SlotState::Running).await;
    assert_eq!(host.status("store").await.desired, Desired::Stopped, "somebody wanted it so");
    host.vial(&["up"]).await.ends(3).says(&["Nothing was started", "vial start APP"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_is_not_live_yet_is_not_ended_by_down() {
    let host = Setup::new().worker("shop", WORKER).site(Site::NoCaddy).start().await;
    host.deploy(1).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Starting).await;
    host.vial(&["down", "--yes"]).await.ends(3).says(&[
        &format!("Nothing was stopped: deploy #{number} of shop"),
        "is in progress and not live yet",
        "`vial cancel shop`; then `vial down`",
    ]);
    assert!(is_alive(pid));
    assert_eq!(host.until_ended(number).await.status, Status::Succeeded);
}
