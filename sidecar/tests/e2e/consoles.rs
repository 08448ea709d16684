//! Consoles in the browser: they outlive their page for a minute, and nothing else.

use std::time::{Duration, Instant};

use hyper::Method;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::QUICK;
use crate::figure;
use crate::support::browser::Browser;
use crate::support::{Host, SOON, Setup, ports, processes};

/// A host with a dashboard, the shop's first release, and an admin whose password is fresh.
async fn stage() -> (Host, u16, Browser) {
    let port = ports::free();
    let host = Setup::new().app("shop", QUICK).plain_dashboard(port).start().await;
    host.deploy(1).await;
    let admin = Browser::log_in(&host, port, "ada", "admin").await;
    admin.confirm().await;
    (host, port, admin)
}

/// The rows of the audit log that are about consoles, oldest first: action, actor and detail.
async fn rows(browser: &Browser) -> Vec<(String, String, String)> {
    let mut all = browser.ask(Method::GET, "/v1/audit?app=shop", None).await.done();
    let rows = all.as_array_mut().unwrap();
    rows.reverse();
    let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let rows =
        rows.iter().map(|row| (text(row, "action"), text(row, "actor"), text(row, "detail")));
    rows.filter(|(action, ..)| action.contains("console")).collect()
}

/// How many programs of consoles run: each is a node, which is called so.
fn running(host: &Host) -> usize {
    let pids = processes::in_folder(host.folder.path());
    let is_one = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        processes::is_alive(*pid) && line.split('\0').any(|word| word.starts_with("rem-"))
    };
    pids.iter().filter(|pid| is_one(pid)).count()
}

/// Waits until none runs any more.
async fn until_no_console_runs(host: &Host) {
    let deadline = Instant::now() + SOON;
    while running(host) > 0 {
        assert!(Instant::now() < deadline, "a console outlives its end");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_goes_on_without_its_page_and_shows_it_what_was_printed_meanwhile() {
    let (host, _, admin) = stage().await;
    let opened = admin.ask(Method::POST, "/v1/apps/shop/consoles", Some(&json!({}))).await.done();
    assert_eq!(opened["node"], "shop_blue@127.0.0.1");
    assert_eq!((&opened["label"], &opened["user"]), (&json!("v1.0.0"), &json!("ada")));
    let id = opened["id"].as_str().unwrap();
    let mut page = admin.console(id, None).await;
    page.until_it_shows("iex(shop_blue@127.0.0.1)1>").await;
    assert!(running(&host) > 0);
    page.types("1 + 41\r").await;
    page.until_it_shows("42").await;
    page.types("spawn(fn -> Process.sleep(1500); IO.puts(\"was \" <> \"printed\") end); 7\r").await;
    page.until_it_shows("iex(shop_blue@127.0.0.1)3>").await;
    let (cursor, seen) = (page.cursor(), page.shown.clone());
    drop(page);
    sleep(Duration::from_millis(2500)).await;

    let mut again = admin.console(id, Some(cursor)).await;
    assert_eq!(again.at, cursor, "it goes on where the page was");
    again.until_it_shows("was printed").await;
    let mut fresh = admin.console(id, None).await;
    assert_eq!(fresh.at, 0);
    fresh.until_it_shows("was printed").await;
    assert!(fresh.shown.starts_with(&seen), "{seen:?}, {:?}", fresh.shown);
    assert_eq!(again.until_it_ends().await, Err(4001), "taken over");

    // The shell is told of another size, on its way to the release's own terminal.
    fresh.resize(40, 120).await;
    let deadline = Instant::now() + SOON;
    loop {
        fresh.types(":io.columns()\r").await;
        fresh.until_it_shows("{:ok, ").await;
        fresh.until_it_shows("}").await;
        if fresh.answer().contains("{:ok, 120}") {
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", fresh.answer());
        sleep(Duration::from_millis(50)).await;
    }

    let path = format!("/v1/consoles/{id}");
    admin.ask(Method::DELETE, &path, None).await.done();
    assert_eq!(fresh.until_it_ends().await, Ok("It was ended by its user.".into()));
    admin.ask(Method::DELETE, &path, None).await.refused(404, "not_found");
    until_no_console_runs(&host).await;
    assert_eq!(admin.ask(Method::GET, "/v1/consoles", None).await.done(), json!([]));
    let rows = rows(&admin).await;
    // Its end is written before who asked for it is answered; what was refused after that, too.
    let [opened, ended, ..] = &rows[..] else { panic!("{rows:#?}") };
    assert_eq!((opened.0.as_str(), opened.1.as_str()), ("open_console", "ada"));
    assert!(opened.2.contains("v1.0.0 in the blue slot"), "{opened:?}");
    assert_eq!((ended.0.as_str(), ended.1.as_str()), ("console_ended", "ada"));
    assert!(ended.2.ends_with("It was ended by its user."), "{ended:?}");
    assert_eq!(host.serving().await, "1.0.0", "the release goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_ends_with_its_node_and_says_so() {
    let (host, _, admin) = stage().await;
    let id = admin.open_console(&json!({ "slot": "blue" })).await;
    let mut page = admin.console(&id, None).await;
    page.until_it_shows("iex(shop_blue@127.0.0.1)1>").await;
    // A deploy to the other slot stops this one.
    host.deploy(2).await;
    let why = page.until_it_ends().await.unwrap();
    assert!(why.contains("in the blue slot, has stopped"), "{why}");
    assert_eq!(host.serving().await, "2.0.0");
    until_no_console_runs(&host).await;
    let deadline = Instant::now() + SOON;
    let detail = loop {
        let (action, _, detail) = rows(&admin).await.pop().unwrap();
        if action == "console_ended" {
            break detail;
        }
        assert!(Instant::now() < deadline, "its end has no row");
        sleep(Duration::from_millis(20)).await;
    };
    assert!(detail.ends_with(&why), "{detail}");
    admin
        .ask(Method::POST, "/v1/apps/shop/consoles", Some(&json!({ "slot": "blue" })))
        .await
        .refused(409, "not_running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_ends_with_the_session_that_opened_it_and_with_the_daemon() {
    let (mut host, port, admin) = stage().await;
    let other = Browser::log_in_again(port, "ada").await;
    let id = admin.open_console(&json!({})).await;
    let mut page = other.console(&id, None).await;
    page.until_it_shows("iex(").await;
    let began = Instant::now();
    admin.ask(Method::DELETE, "/v1/session", None).await.done();
    let why = page.until_it_ends().await.unwrap();
    figure!("a console ends {} ms after its session", began.elapsed().as_millis());
    assert!(why.contains("session in which it was opened has ended"), "{why}");
    until_no_console_runs(&host).await;

    other.confirm().await;
    let id = other.open_console(&json!({})).await;
    let mut page = other.console(&id, None).await;
    page.until_it_shows("iex(").await;
    assert!(running(&host) > 0);
    host.end_daemon(Signal::SIGTERM).await;
    let why = page.until_it_ends().await.unwrap();
    assert!(why.contains("The daemon stops"), "{why}");
    until_no_console_runs(&host).await;
    host.start_daemon().await;
    assert_eq!(other.ask(Method::GET, "/v1/consoles", None).await.done(), json!([]));
    assert_eq!(host.serving().await, "1.0.0", "the release goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_console_is_on_a_release_and_nobody_but_its_user_has_it() {
    let (host, port, admin) = stage().await;
    let asked = json!({ "release": 1, "rows": 30, "cols": 100 });
    let opened = admin.ask(Method::POST, "/v1/apps/shop/consoles", Some(&asked)).await.done();
    assert_eq!((&opened["node"], &opened["slot"]), (&Value::Null, &Value::Null));
    let id = opened["id"].as_str().unwrap();
    let mut page = admin.console(id, None).await;
    page.until_it_shows("iex(1)>").await;
    page.types("Application.started_applications() |> Enum.any?(&(elem(&1, 0) == :shop))\r").await;
    page.until_it_shows("false").await;

    let other = Browser::log_in(&host, port, "bob", "admin").await;
    other.confirm().await;
    assert_eq!(other.ask(Method::GET, "/v1/consoles", None).await.done(), json!([]));
    let path = format!("/v1/consoles/{id}");
    other.ask(Method::DELETE, &path, None).await.refused(404, "not_found");
    let mine = admin.ask(Method::GET, "/v1/consoles", None).await.done();
    assert_eq!(mine[0]["id"].as_str(), Some(id));

    let both = json!({ "release": 1, "slot": "blue" });
    let open = "/v1/apps/shop/consoles";
    admin.ask(Method::POST, open, Some(&both)).await.refused(400, "bad_request");
    let on_the_socket = Browser::on_the_socket(&host);
    on_the_socket.ask(Method::POST, open, Some(&json!({}))).await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_opens_four_consoles_and_not_one_more() {
    let (_host, _, admin) = stage().await;
    let open = "/v1/apps/shop/consoles";
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(admin.open_console(&json!({})).await);
    }
    let refused = admin.ask(Method::POST, open, Some(&json!({}))).await;
    assert!(refused.body["message"].as_str().unwrap().contains("4 consoles"), "{refused:?}");
    refused.refused(429, "too_many_requests");
    admin.ask(Method::DELETE, &format!("/v1/consoles/{}", ids[0]), None).await.done();
    admin.open_console(&json!({})).await;
}
