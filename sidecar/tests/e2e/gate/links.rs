//! First-login links.

use serde_json::{Value, json};
use vial_protocol::access::Role;

use super::{Answer, Browser, PASSWORD, Stage};
use crate::support::Setup;

async fn first(browser: &mut Browser, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    let answer = browser.post("/v1/session/link", body).await;
    browser.keep(&answer);
    answer
}

impl Stage {
    async fn link(&self, args: &[&str]) -> String {
        let said = self.host.vial(&[&["login-link"], args].concat()).await.ends(0);
        let url = said.out.trim().to_owned();
        let start = format!("http://127.0.0.1:{}/first#", self.port);
        url.strip_prefix(&start).unwrap_or_else(|| panic!("{url}")).to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_login_link_makes_an_admin_and_serves_once() {
    let stage = Stage::new().await;
    let token = stage.link(&["anna"]).await;
    let mut browser = stage.browser();
    first(&mut browser, &token, "short").await.refused(400, "bad_request");
    let whoami = first(&mut browser, &token, "a password of my own").await.is(200).json();
    assert_eq!((&whoami["name"], &whoami["role"]), (&json!("anna"), &json!("admin")));
    browser.get("/v1/users").await.is(200);
    for _ in 0..2 {
        let again = first(&mut stage.browser(), &token, PASSWORD).await;
        again.refused(401, "login_needed");
    }
    stage.browser().log_in("anna", "a password of my own").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_link_at_once_one_comes_in() {
    let stage = Stage::new().await;
    let token = stage.link(&["anna", "--role", "viewer"]).await;
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (mut browser, token) = (stage.browser(), token.clone());
        tries.spawn(async move { first(&mut browser, &token, PASSWORD).await.status });
    }
    let mut statuses = Vec::new();
    while let Some(status) = tries.join_next().await {
        statuses.push(status.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401, 401, 401, 401, 401]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_who_is_there_gives_a_password_and_ends_their_sessions_but_no_role() {
    let stage = Stage::new().await;
    let before = stage.logged_in(Role::Viewer).await;
    let old = stage.link(&["viewer"]).await;
    let token = stage.link(&["viewer"]).await;
    let mut browser = stage.browser();
    first(&mut browser, &old, PASSWORD).await.refused(401, "login_needed");
    let whoami: Value = first(&mut browser, &token, "another password").await.is(200).json();
    assert_eq!(whoami["role"], "viewer");
    before.get("/v1/session").await.refused(401, "login_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_expires_in_an_hour_and_only_the_host_makes_one() {
    let stage = Stage::new().await;
    let token = stage.link(&["anna"]).await;
    stage.sql("update links set expires_at = expires_at - 3601000");
    first(&mut stage.browser(), &token, PASSWORD).await.refused(401, "login_needed");
    let admin = stage.fresh(Role::Admin).await;
    let body = json!({"name": "eve", "role": "admin"});
    admin.post("/v1/links", body).await.refused(403, "forbidden");
    stage.host.vial(&["login-link", "an na"]).await.ends(3).says(&["letters, digits"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_dashboard_there_is_no_link() {
    let mut host = Setup::new().app("shop", "").write();
    host.start_daemon().await;
    host.vial(&["login-link", "anna"]).await.ends(3).says(&["no dashboard", "[dashboard]"]);
    // Users can be made before.
    host.vial(&["user", "add", "anna", "--role", "admin", "--generate"]).await.ends(0);
}
