//! What is seen of a standby, and what is said to whoever asks something of it.

use std::time::{Duration, Instant};

use vial_protocol::{Slot, SlotState};

use super::stage::Stage;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_of_a_frozen_release_and_what_to_do_is_said_at_once() {
    let stage = Stage::new("{ mode = \"frozen\", rest = \"20s\" }").await;
    stage.both().await;
    stage.kept().await;
    let host = &stage.host;
    let asked = Instant::now();
    host.vial(&["rpc", "shop", "1", "--slot", "blue"]).await.ends(3).says(&[
        "v1.0.0",
        "is frozen",
        "`vial standby shop warm`",
    ]);
    Terminal::open(host, &["console", "shop", "--slot", "blue"]).until_it_shows("is frozen");
    assert!(asked.elapsed() < Duration::from_secs(10), "it waited for an answer");
    let blue = host.status("shop").await.slot(Slot::Blue).unwrap().clone();
    assert_eq!(blue.state, SlotState::Frozen, "nobody thawed it for that");
    host.vial(&["status", "shop"]).await.ends(0).says(&["blue   idle · frozen since", "ready in"]);
    host.vial(&["rollback", "shop", "--plan"]).await.ends(0).says(&[
        "it is thawed and checked there",
        "ready in about",
        "frozen since",
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_did_not_get_what_it_asked_for_says_why_and_fails() {
    let stage = Stage::new("{ mode = \"cold\", rest = \"1s\", otherwise = \"warm\" }").await;
    stage.both().await;
    stage.gone().await;
    std::fs::write(stage.restless(), "").unwrap();
    let said = stage.host.vial(&["standby", "shop", "frozen"]).await.ends(1);
    said.says(&["Not frozen: blue is warm since", "blue is warm instead of frozen", "within 1 s"]);
    let said = stage.host.vial(&["standby", "shop", "cold"]).await.ends(0);
    assert_eq!(said.out, "blue is stopped: a rollback starts its release anew.\n", "said once");
}
