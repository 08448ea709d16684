//! API tokens: a role and an end, and no more than that.

use std::time::Duration;

use serde_json::json;
use vial_protocol::access::Role;

use super::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_its_role_may_and_needs_no_origin() {
    let stage = Stage::new().await;
    let viewer = stage.program(Role::Viewer).await;
    let deployer = stage.program(Role::Deployer).await;
    let whoami = viewer.get("/v1/session").await.is(200).json();
    assert_eq!((&whoami["by"], &whoami["role"]), (&json!("token"), &json!("viewer")));
    viewer.get("/v1/status").await.is(200);
    viewer.post("/v1/apps/shop/cancel", json!({})).await.refused(403, "forbidden");
    deployer.post("/v1/apps/shop/cancel", json!({})).await.refused(409, "nothing_in_progress");
    // With a cookie it may be a browser that sends it, and has to say where the page is from.
    let mut both = deployer;
    both.cookie = Some("vial=x".into());
    both.post("/v1/apps/shop/cancel", json!({})).await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_opens_a_console_or_shows_a_value_or_makes_users() {
    let stage = Stage::new().await;
    let admin = stage.program(Role::Admin).await;
    admin.get("/v1/users").await.is(200);
    for (method, path) in [
        ("GET", "/v1/apps/shop/env/values"),
        ("POST", "/v1/apps/shop/rpc"),
        ("POST", "/v1/apps/shop/eval"),
        ("GET", "/v1/apps/shop/console"),
        ("POST", "/v1/users"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/password"),
    ] {
        admin.ask(method, path, "{}").await.refused(403, "password_needed");
    }
    admin.get("/v1/apps/shop/env?reveal=true").await.refused(403, "forbidden");
    admin.confirm(super::PASSWORD).await.refused(403, "forbidden");
    admin.ask("DELETE", "/v1/session", "").await.refused(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_by_its_time_or_by_hand_with_what_it_opened() {
    let stage = Stage::new().await;
    let made = stage.token("ci", Role::Viewer).await;
    let program = stage.browser().with_token(&made.secret);
    let mut stream = program.open("GET", "/v1/events", "").await;
    stream.begins().await;
    stage.host.vial(&["token", "list"]).await.ends(0).says(&["ci", &made.token.id]);
    stage.host.vial(&["token", "remove", &made.token.id]).await.ends(0);
    assert!(stream.ends_within(Duration::from_secs(1)).await);
    program.get("/v1/status").await.refused(401, "login_needed");

    let late = stage.program(Role::Viewer).await;
    late.get("/v1/status").await.is(200);
    stage.sql("update tokens set expires_at = expires_at - 86400000");
    late.get("/v1/status").await.refused(401, "login_needed");
    for token in ["", "vial_", "x", &made.secret, "vial_0123456789abcdef_00"] {
        let asked = stage.browser().with_token(token).get("/v1/status").await;
        asked.refused(401, "login_needed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_printed_once_and_alone() {
    let stage = Stage::new().await;
    let said = stage.host.vial(&["token", "add", "deploys of CI", "--role", "deployer"]).await;
    let said = said.ends(0);
    let token = said.out.trim();
    assert!(token.starts_with("vial_") && !token.contains(char::is_whitespace), "{said}");
    stage.browser().with_token(token).get("/v1/status").await.is(200);
    let listed = stage.host.vial(&["token", "list", "--json"]).await.ends(0);
    assert!(!listed.out.contains(token.rsplit('_').next().unwrap()), "{listed}");
    for days in ["0", "3651"] {
        let args = ["token", "add", "x", "--role", "viewer", "--days", days];
        stage.host.vial(&args).await.ends(2);
    }
    let nameless = ["token", "add", "", "--role", "viewer"];
    stage.host.vial(&nameless).await.ends(3).says(&["1 to 64 printable characters"]);
}
