//! Into a running release: an expression, a fresh instance, a console on a real terminal.

use std::time::{Duration, Instant};

use super::QUICK;
use crate::support::Host;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_evaluated_in_the_running_release_or_in_a_fresh_one() {
    let host = Host::shop(QUICK).await;
    host.vial(&["rpc", "shop", "1"]).await.ends(3).says(&["shop"]);
    host.deploy(1).await;
    host.vial(&["rpc", "shop", "IO.inspect({1 + 41, node(), Shop.version()})"])
        .await
        .ends(0)
        .says(&["{42, :\"shop_blue@127.0.0.1\", \"1.0.0\"}"]);
    host.vial(&["eval", "shop", "IO.inspect({1 + 41, node()})"])
        .await
        .ends(0)
        .says(&["{42, :nonode@nohost}"]);
    let said = host.vial(&["rpc", "shop", "raise \"no such order\""]).await;
    assert_ne!(said.code, Some(0), "{said}");
    said.says(&["no such order"]);
    let said = host.vial(&["eval", "shop", "System.halt(7)"]).await;
    said.ends(7);
    assert_eq!(host.serving().await, "1.0.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_a_real_terminal_in_the_running_node() {
    let host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let mut terminal = Terminal::open(&host, &["console", "shop"]);
    terminal.until_it_shows("iex(shop_blue@127.0.0.1)1>");
    terminal.types(b"1 + 41\r");
    terminal.until_it_shows("42");
    terminal.types(b":io.columns()\r");
    terminal.until_it_shows("{:ok, 80}");
    terminal.resize(40, 120);
    // The new size is on its way to the release's own terminal.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        terminal.types(b":io.columns()\r");
        terminal.until_it_shows("{:ok, ");
        terminal.until_it_shows("}");
        if terminal.screen.contains("{:ok, 120}") {
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", terminal.screen);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    terminal.types(b"\x1d");
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = terminal.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "Ctrl-] does not leave");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(status.code(), Some(0));
    assert_eq!(host.serving().await, "1.0.0", "the release goes on");
}
