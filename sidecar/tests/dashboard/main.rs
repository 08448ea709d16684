//! The dashboard in a real browser: a daemon, a Caddy, releases of the shop, and Debian's Chromium.
//!
//! Each test prepares a host ([`stage`]) and hands it to a script of `web/e2e/` ([`browser`]), which
//! does what a person would, by the names that a person reads. What only the host can do meanwhile
//! (a deploy, the daemon's end) the script asks for over its standard streams. They take a browser
//! and the pages, so they run where they are asked for: `bin/test --only browser`.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod browser;
mod stage;

use support::Setup;

/// An app that loses no time.
const QUICK: &str = "bake = \"1s\"\ndrain = { timeout = \"5s\" }\nstop = { timeout = \"5s\" }";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn a_bad_deploy_is_taken_back_by_mouse_and_by_keyboard_alone() {
    let mut stage = stage::with_database().await;
    for version in [12, 8] {
        stage.deploy(version).await;
    }
    browser::play("story", &mut stage).await;
    // A double click was one rollback, and no key did anything twice.
    let history = stage.host.history().await;
    assert_eq!(history.len(), 5, "{history:#?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn the_idle_slot_is_frozen_and_gone_back_to_by_mouse() {
    let mut stage = stage::with_database().await;
    for _ in 0..2 {
        // The version whose release has the library in it.
        stage.deploy(14).await;
    }
    browser::play("standby", &mut stage).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn a_branch_is_deployed_redeployed_cancelled_and_its_build_read() {
    browser::play("builds", &mut stage::with_source().await).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn a_console_survives_a_reload_and_a_resize() {
    let mut stage = stage::open(Setup::new().app("shop", QUICK)).await;
    stage.deploy(1).await;
    browser::play("console", &mut stage).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn two_thousand_lines_a_second_scroll_without_a_jerk() {
    let mut stage = stage::open(Setup::new().app("shop", QUICK).alone()).await;
    stage.deploy(1).await;
    browser::play("logs", &mut stage).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn every_browser_shows_what_is_so_also_after_the_daemon_was_away() {
    let mut stage = stage::open(Setup::new().app("shop", QUICK).alone()).await;
    stage.deploy(1).await;
    browser::play("live", &mut stage).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a browser: bin/test --only browser"]
async fn every_page_in_every_state_is_whole_at_every_width_and_readable_by_everybody() {
    let mut stage = stage::gallery().await;
    browser::play("gallery", &mut stage).await;
}
