//! `vial env`: what a release starts with, what a rollback takes back, and what it does not.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use vial_protocol::{Environment, Plan};

use super::{BAKING, QUICK};
use crate::support::setup::{Site, user};
use crate::support::terminal::Terminal;
use crate::support::{Host, Setup, env, is_root};

fn get<'a>(environment: &'a BTreeMap<String, String>, name: &str) -> Option<&'a str> {
    environment.get(name).map(String::as_str)
}

async fn plan(host: &Host, more: &[&str]) -> Plan {
    let args = [&["rollback", "shop", "--plan", "--json"][..], more].concat();
    host.vial(&args).await.ends(0).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_takes_its_own_values_back_but_not_what_is_secret() {
    let mut host = Host::shop(QUICK).await;
    host.set("POOL", "10\n", &[]).await.ends(0).says(&["POOL is set (version 1)", "first deploy"]);
    host.set("PASSWORD", "first password", &["--secret"]).await.ends(0);
    host.deploy(1).await;
    let ran = host.serving_environment().await;
    assert_eq!((get(&ran, "POOL"), get(&ran, "PASSWORD")), (Some("10"), Some("first password")));

    // A change waits for the next start.
    let said = host.set("POOL", "twenty", &[]).await.ends(0);
    said.says(&["with the next deploy", "`vial restart shop`, which needs no build"]);
    host.set("PASSWORD", "second password", &[]).await.ends(0).says(&["secret"]);
    assert_eq!(get(&host.serving_environment().await, "POOL"), Some("10"));
    let listed = host.vial(&["env", "shop", "list"]).await.ends(0);
    listed
        .says(&["POOL", "PASSWORD", "secret", "Not in what serves yet: PASSWORD, POOL"])
        .never_says(&["second password", "twenty"]);
    host.deploy(2).await;
    let ran = host.serving_environment().await;
    assert_eq!(
        (get(&ran, "POOL"), get(&ran, "PASSWORD")),
        (Some("twenty"), Some("second password"))
    );
    let listed: Environment = host.vial(&["env", "shop", "list", "--json"]).await.ends(0).json();
    assert_eq!((listed.version, listed.serving, listed.pending.len()), (4, Some(4), 0));
    assert!(listed.variables.iter().all(|it| it.value.is_none()));

    let own = plan(&host, &[]).await;
    assert_eq!((own.environment.version, own.environment.today), (2, 4));
    assert_eq!(
        (own.environment.differs, own.environment.renewed),
        (vec!["POOL".to_owned()], vec!["PASSWORD".to_owned()])
    );
    let current = plan(&host, &["--env", "current"]).await;
    assert_eq!((current.environment.version, current.environment.differs.len()), (4, 0));
    assert_ne!(own.digest, current.digest);
    host.vial(&["rollback", "shop", "--yes"])
        .await
        .ends(0)
        .says(&[
            "its own (version 2), not today's, of: POOL",
            "today's of what is secret: PASSWORD",
        ])
        .never_says(&["first password", "second password"]);
    let ran = host.serving_environment().await;
    assert_eq!((get(&ran, "POOL"), get(&ran, "PASSWORD")), (Some("10"), Some("second password")));
    assert_eq!((host.serving().await, host.deployment(3).await.environment), ("1.0.0".into(), 2));

    // What is started again because it exited has what it had; the daemon may have died meanwhile.
    let before = host.status("shop").await;
    let slot = before.active.unwrap();
    let pid = before.slot(slot).unwrap().pid;
    host.kill_daemon();
    host.start_daemon().await;
    host.vial(&["rpc", "shop", "spawn(fn -> System.halt(1) end)"]).await;
    host.until("shop", move |status| {
        let place = status.slot(slot).unwrap();
        place.pid.is_some()
            && place.pid != pid
            && place.health.as_ref().is_some_and(|it| it.healthy)
    })
    .await;
    assert_eq!(get(&host.serving_environment().await, "POOL"), Some("10"));

    // A restart takes today's, in either way.
    host.vial(&["restart", "shop"]).await.ends(0);
    assert_eq!(get(&host.serving_environment().await, "POOL"), Some("twenty"));
    host.vial(&["env", "shop", "unset", "POOL"]).await.ends(0).says(&["POOL is unset (version 5)"]);
    let slot = host.status("shop").await.active.unwrap();
    let pid = host.pid("shop", slot).await;
    host.vial(&["restart", "shop", "--in-place"]).await.ends(0);
    host.until("shop", move |status| {
        let place = status.slot(slot).unwrap();
        place.pid.is_some() && place.pid != pid
    })
    .await;
    assert_eq!(get(&host.serving_environment().await, "POOL"), None);
    assert_eq!(host.deployment(4).await.environment, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_still_has_what_was_revoked_is_started_again_before_it_serves() {
    let mut host = Host::shop(QUICK).await;
    host.set("PASSWORD", "first password", &["--secret"]).await.ends(0);
    host.set("POOL", "10", &[]).await.ends(0);
    host.deploy(1).await;
    host.reconfigure(BAKING).await;
    host.deploy_until_live(2).await;
    let old = host.status("shop").await.active.unwrap().other();
    let pid = host.pid("shop", old).await;
    assert!(plan(&host, &[]).await.hot);
    // What is not secret is no reason to start it again: it has its own.
    host.set("POOL", "20", &[]).await.ends(0);
    assert!(plan(&host, &[]).await.hot);
    assert!(!plan(&host, &["--env", "current"]).await.hot, "it does not run with today's");
    host.set("PASSWORD", "second password", &[]).await.ends(0);
    assert!(!plan(&host, &[]).await.hot);
    host.vial(&["rollback", "shop", "--yes"]).await.ends(0).says(&["v1.0.0 serves"]);
    let ran = host.serving_environment().await;
    assert_ne!(host.pid("shop", old).await, pid);
    assert_eq!((get(&ran, "POOL"), get(&ran, "PASSWORD")), (Some("10"), Some("second password")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_comes_from_anywhere_but_the_command_line() {
    let host = Setup::new().app("shop", QUICK).start().await;
    let refused = host.vial(&["env", "shop", "set", "API_KEY=hunter22"]).await.ends(2);
    refused.says(&["Not set", "`vial env shop set API_KEY`"]).never_says(&["hunter22"]);
    let refused = host.vial(&["env", "shop", "set", "API_KEY", "hunter22"]).await.ends(2);
    refused.says(&["Not set", "import FILE"]).never_says(&["hunter22"]);
    host.set("EMPTY", "", &[]).await.ends(2).says(&["nothing came as the value of EMPTY"]);
    for (name, why) in [
        ("VIAL_SOCKET", "where it runs"),
        ("RELEASE_ROOT", "scripts"),
        ("RELEASE_COOKIE", "Vial sets it for each slot"),
        ("PORT", "`ports` in the app's file"),
        ("1KEY", "is no name of a variable"),
    ] {
        host.set(name, "hunter22", &[]).await.ends(3).says(&["Nothing was set", why]);
    }
    let heart = host.set("ERL_FLAGS", "-heart", &[]).await.ends(3);
    heart.says(&["Nothing was set: ERL_FLAGS has -heart"]);

    let key = "-----BEGIN KEY-----\nabc\n-----END KEY-----";
    let path = host.file("key.pem", &format!("{key}\n"));
    host.vial(&["env", "shop", "set", "TLS_KEY", "--secret", "--from", &path]).await.ends(0);
    let path = host.file("prod.env", "# all of it\nA='1 2'\nexport B=\"x\\ny\"\nEMPTY=\n");
    let said = host.vial(&["env", "shop", "import", &path]).await.ends(0);
    said.says(&["A, B and EMPTY are set (version 2)"]);
    host.vial(&["env", "shop", "import", &path]).await.ends(0).says(&["is so already"]);
    let path = host.file("bad.env", "A=1\nB='hunter22\n");
    let bad = host.vial(&["env", "shop", "import", &path]).await.ends(3);
    bad.says(&["Nothing was set: line 2", "never closed"]).never_says(&["hunter22"]);
    host.vial(&["env", "shop", "unset", "NONE"]).await.ends(3).says(&["NONE is not set"]);

    // What is revealed can be imported again, and is then as it was.
    let revealed = host.vial(&["env", "shop", "list", "--reveal"]).await.ends(0);
    revealed.says(&["# secret", "A='1 2'", "EMPTY=''"]);
    let revealed = host.vial(&["env", "shop", "list", "--reveal"]).await.out;
    let again = ["env", "shop", "import", "-"];
    let again = host.vial_with_input(&again, env::input(&revealed)).await.ends(0);
    again.says(&["is so already"]);

    host.deploy(1).await;
    let ran = host.serving_environment().await;
    assert_eq!((get(&ran, "TLS_KEY"), get(&ran, "B")), (Some(key), Some("x\ny")));
    assert_eq!(get(&ran, "EMPTY"), Some(""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_as_a_value_is_not_shown_and_can_be_left() {
    let host = Setup::new().app("shop", QUICK).site(Site::NoCaddy).start().await;
    let mut terminal = Terminal::open(&host, &["env", "shop", "set", "API_KEY", "--secret"]);
    terminal.until_it_shows("The value of API_KEY (it is not shown):");
    terminal.types(b"hunter2x\x7f2\r");
    terminal.until_it_shows("API_KEY is set (version 1)");
    assert!(!terminal.screen.contains("hunter"), "{:?}", terminal.screen);
    let revealed = host.vial(&["env", "shop", "list", "--reveal"]).await.ends(0);
    revealed.says(&["API_KEY='hunter22'"]);

    let mut terminal = Terminal::open(&host, &["env", "shop", "set", "API_KEY"]);
    terminal.until_it_shows("(it is not shown):");
    terminal.types(b"other\x03");
    terminal.until_it_shows("Nothing was changed.");
    assert_eq!(terminal.child.wait().unwrap().code(), Some(3));
    host.set("API_KEY", "hunter22", &[]).await.ends(0).says(&["is so already"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_vial_keeps_is_stronger_than_the_file_and_weaker_than_the_slots_own() {
    let mut host = Setup::new().app("shop", QUICK).write();
    let file = host.file("shop.env", "FROM_FILE=file\nBOTH=file\nALL=file\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let slot = "slot_env = { blue = { ALL = \"slot\" }, green = { ALL = \"slot\" } }";
    host.write_app(host.apps[0].clone(), &format!("{QUICK}\nenv_file = {file:?}\n{slot}"));
    host.start_daemon().await;
    host.start_caddy().await;
    for name in ["BOTH", "ALL", "KEPT"] {
        host.set(name, "kept", &[]).await.ends(0);
    }
    host.deploy(1).await;
    let ran = host.serving_environment().await;
    let seen = ["FROM_FILE", "BOTH", "ALL", "KEPT"].map(|name| get(&ran, name).unwrap());
    assert_eq!(seen, ["file", "kept", "slot", "kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apps_user_sets_values_and_sees_none() {
    if !is_root() {
        println!("SKIPPED: to be somebody else takes root");
        return;
    }
    let host = Setup::new().app("shop", QUICK).app("store", QUICK).start().await;
    host.set("API_KEY", "hunter22", &[]).await.ends(0);
    let own = user(0);
    let listed = host.vial_as(own, &["env", "shop", "list"]).await.ends(0);
    listed.says(&["API_KEY"]).never_says(&["hunter22"]);
    for json in [&[][..], &["--json"]] {
        let args = [&["env", "shop", "list", "--reveal"][..], json].concat();
        let refused = host.vial_as(own, &args).await.ends(3);
        refused.says(&[&format!("{own} may not see the values of shop")]).never_says(&["hunter22"]);
    }
    host.vial_as(own, &["env", "shop", "unset", "API_KEY"]).await.ends(0);
    for action in [&["list"][..], &["unset", "A"]] {
        let args = [&["env", "store"][..], action].concat();
        host.vial_as(own, &args).await.ends(3).says(&["another user's app"]);
    }
    host.vial_as("nobody", &["env", "shop", "list"]).await.ends(3).says(&["nobody may not"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_key_nothing_starts_that_would_miss_a_value() {
    let mut host = Host::shop(QUICK).await;
    host.set("API_KEY", "hunter22", &[]).await.ends(0);
    host.deploy(1).await;
    let key = host.state.join("environment.key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read(&key).unwrap();
    host.kill_daemon();
    std::fs::remove_file(&key).unwrap();
    host.start_daemon().await;
    assert!(!key.exists(), "another key would open nothing");
    assert_eq!(host.serving().await, "1.0.0", "what runs, runs on");
    let failed = host
        .vial(&["deploy", "shop", crate::support::releases::text(&crate::support::archive(2))])
        .await;
    failed.ends(1).says(&[
        "API_KEY cannot be opened",
        "environment.key is missing",
        "v1.0.0 still serves",
    ]);
    host.set("API_KEY", "hunter23", &[]).await.ends(3).says(&["put it back from a backup"]);
    host.vial(&["env", "shop", "list", "--reveal"])
        .await
        .ends(0)
        .says(&["API_KEY cannot be opened"]);

    host.vial(&["doctor"]).await.ends(1).says(&["environment.key is gone", "Put it back"]);

    host.kill_daemon();
    std::fs::write(&key, kept).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    host.vial(&["doctor"]).await.ends(1).says(&["Others than its owner may use", "chmod 0600"]);
    host.start_daemon().await;
    host.deploy(2).await;
    assert_eq!(get(&host.serving_environment().await, "API_KEY"), Some("hunter22"));

    // Where it is lost for good, what it sealed is unset, and a new one is made.
    host.kill_daemon();
    std::fs::remove_file(&key).unwrap();
    host.start_daemon().await;
    host.vial(&["env", "shop", "unset", "API_KEY"]).await.ends(0);
    host.kill_daemon();
    host.start_daemon().await;
    host.set("API_KEY", "hunter24", &[]).await.ends(0);
    host.vial(&["restart", "shop"]).await.ends(0);
    assert_eq!(get(&host.serving_environment().await, "API_KEY"), Some("hunter24"));
}
