//! Whatever changes something is written down: who, from where, what, with which outcome.

use serde_json::json;
use vial_protocol::access::{Known, Role};
use vial_protocol::audit::Audit;

use super::{PASSWORD, Stage};
use crate::support::env::input;

impl Stage {
    /// The newest row of an action.
    async fn row(&self, action: &str) -> Audit {
        let rows = self.host.client.audit(None, None, Some(500)).await.unwrap();
        let found = rows.iter().find(|it| it.action == action);
        found.unwrap_or_else(|| panic!("no row of {action}: {rows:#?}")).clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_the_dashboard_names_who_did_it_from_where_and_its_outcome() {
    let stage = Stage::new().await;
    let mut browser = stage.browser().with("x-forwarded-for", "192.0.2.7");
    browser.log_in("deployer", PASSWORD).await.is(200);
    let row = stage.row("login").await;
    assert_eq!((row.actor.as_str(), row.outcome.as_str()), ("deployer", "ok"));

    browser.post("/v1/apps/shop/auto-deploy", json!({"on": true})).await.is(409);
    let row = stage.row("auto_deploy").await;
    assert_eq!((row.actor.as_str(), row.by), ("deployer", Some(Known::Session)));
    assert_eq!((row.from.as_deref(), row.app.as_deref()), (Some("192.0.2.7"), Some("shop")));
    assert_eq!(row.outcome, "configuration");

    let set = json!({"variables": [{"name": "POOL", "value": "s3cret"}]});
    browser.ask("PUT", "/v1/apps/shop/env", &set.to_string()).await.is(200);
    let row = stage.row("set_environment").await;
    assert_eq!((row.detail.as_deref(), row.outcome.as_str()), (Some("POOL"), "ok"));

    browser.post("/v1/reload", json!({})).await.refused(403, "forbidden");
    assert_eq!(stage.row("reload").await.outcome, "forbidden");
    // Looking is no change.
    browser.get("/v1/apps/shop").await.is(200);
    let rows = stage.host.client.audit(None, None, None).await.unwrap();
    assert!(rows.iter().all(|it| it.action != "app"), "{rows:#?}");
    assert!(!format!("{rows:?}").contains("s3cret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_the_socket_or_by_a_token_is_written_down_too() {
    let stage = Stage::new().await;
    let me = stage.host.vial(&["reload"]).await.ends(0);
    drop(me);
    let row = stage.row("reload").await;
    assert_eq!((row.by, row.outcome.as_str()), (Some(Known::Socket), "ok"));
    let set = ["env", "shop", "set", "POOL"];
    stage.host.vial_with_input(&set, input("s3cret")).await.ends(0);
    let row = stage.row("set_environment").await;
    assert_eq!((row.app.as_deref(), row.detail.as_deref()), (Some("shop"), Some("POOL")));
    stage.host.vial(&["env", "shop", "list"]).await.ends(0);
    stage.host.vial(&["env", "shop", "list", "--reveal"]).await.ends(0);
    let row = stage.row("reveal").await;
    assert_eq!((row.by, row.app.as_deref()), (Some(Known::Socket), Some("shop")));
    let program = stage.program(Role::Deployer).await;
    program.post("/v1/apps/shop/cancel", json!({})).await.is(409);
    let row = stage.row("cancel").await;
    assert_eq!((row.by, row.outcome.as_str()), (Some(Known::Token), "nothing_in_progress"));
    let said = stage.host.vial(&["audit", "shop"]).await.ends(0);
    said.says(&["set_environment", "cancel", "POOL"]).never_says(&["s3cret", "add_user"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_is_written_down_and_one_that_comes_too_often_is_not() {
    let stage = Stage::new().await;
    stage.browser().log_in("eve\u{1b}[2J", "guess").await.is(401);
    let row = stage.row("login").await;
    assert_eq!((row.actor.as_str(), row.by), ("eve[2J", None));
    assert_eq!((row.outcome.as_str(), row.from.as_deref()), ("login_needed", Some("127.0.0.1")));
    for _ in 0..40 {
        stage.browser().log_in("eve", "guess").await;
    }
    let rows = stage.host.client.audit(None, None, Some(500)).await.unwrap();
    let tried = rows.iter().filter(|it| it.action == "login").count();
    assert!((20..35).contains(&tried), "{tried}");
    assert!(!format!("{rows:?}").contains("guess"));
    // A wrong password where one is logged in counts likewise.
    stage.sql("delete from audit");
    let admin = stage.host.client.audit(None, None, None).await.unwrap();
    assert!(admin.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_reads_the_log_page_by_page_and_nobody_below() {
    let stage = Stage::new().await;
    for role in [Role::Viewer, Role::Deployer] {
        stage.logged_in(role).await.get("/v1/audit").await.refused(403, "forbidden");
    }
    let admin = stage.logged_in(Role::Admin).await;
    let all: Vec<Audit> = serde_json::from_str(&admin.get("/v1/audit").await.body).unwrap();
    assert!(all.windows(2).all(|it| it[0].number > it[1].number) && all.len() >= 6, "{all:#?}");
    let before = all[1].number;
    let page = admin.get(&format!("/v1/audit?before={before}&limit=2")).await;
    let page: Vec<Audit> = serde_json::from_str(&page.body).unwrap();
    assert_eq!(page, all[2..4]);
    let shop = admin.get("/v1/audit?app=shop").await.is(200);
    assert_eq!(shop.body, "[]");
    admin.get("/v1/audit?x=1").await.refused(400, "bad_request");
}
