//! Sessions: listed, ended, and what ends with them.

use std::time::Duration;

use vial_protocol::access::{ChangeUser, Role};

use super::{PASSWORD, Stage};

/// What a session opened ends with it, within this.
const AT_ONCE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_ended_closes_its_streams_within_a_second() {
    let stage = Stage::new().await;
    let browser = stage.logged_in(Role::Viewer).await;
    let other = stage.logged_in(Role::Viewer).await;
    let mut streams = Vec::new();
    for path in ["/v1/events", "/v1/apps/shop/logs?follow=true"] {
        let mut stream = browser.open("GET", path, "").await;
        assert_eq!(stream.response.status(), 200, "{path}");
        stream.begins().await;
        streams.push(stream);
    }
    let mut stays = other.open("GET", "/v1/events", "").await;
    stays.begins().await;
    let id = browser.get("/v1/session").await.json()["session"].as_str().unwrap().to_owned();
    stage.host.vial(&["session", "end", &id]).await.ends(0);
    for stream in &mut streams {
        assert!(stream.ends_within(AT_ONCE).await, "a stream outlives its session");
    }
    browser.get("/v1/session").await.refused(401, "login_needed");
    assert!(!stays.ends_within(Duration::from_millis(300)).await, "another session ended");
    stage.host.vial(&["session", "end", &id]).await.ends(3).says(&["no such session"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_changed_or_removed_or_logs_out_loses_what_their_sessions_opened() {
    let stage = Stage::new().await;
    let client = &stage.host.client;
    for how in ["role", "password", "removed", "logged out"] {
        stage.user("anna", Role::Admin).await;
        let mut browser = stage.browser();
        browser.log_in("anna", PASSWORD).await.is(200);
        let mut stream = browser.open("GET", "/v1/events", "").await;
        stream.begins().await;
        let changed = match how {
            "role" => ChangeUser { role: Some(Role::Viewer), password: None },
            _ => ChangeUser { role: None, password: Some("another password".into()) },
        };
        match how {
            "removed" => client.remove_user("anna").await.unwrap(),
            "logged out" => drop(browser.ask("DELETE", "/v1/session", "").await.is(204)),
            _ => client.change_user("anna", &changed).await.unwrap(),
        }
        assert!(stream.ends_within(AT_ONCE).await, "{how}");
        browser.get("/v1/session").await.refused(401, "login_needed");
        if how != "removed" {
            client.remove_user("anna").await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_sees_and_ends_their_own_sessions_and_an_admin_all() {
    let stage = Stage::new().await;
    let (mine, other) = (stage.logged_in(Role::Viewer).await, stage.logged_in(Role::Viewer).await);
    let deployer = stage.logged_in(Role::Deployer).await;
    let id = |whoami: serde_json::Value| whoami["session"].as_str().unwrap().to_owned();
    let other_id = id(other.get("/v1/session").await.json());
    let deployer_id = id(deployer.get("/v1/session").await.json());
    let listed = mine.get("/v1/sessions").await.is(200).json();
    let users: Vec<&str> =
        listed.as_array().unwrap().iter().map(|it| it["user"].as_str().unwrap()).collect();
    assert_eq!(users, ["viewer", "viewer"]);
    let current: Vec<bool> =
        listed.as_array().unwrap().iter().map(|it| it["current"].as_bool().unwrap()).collect();
    assert_eq!(current.iter().filter(|it| **it).count(), 1);
    let end = |id: &str| format!("/v1/sessions/{id}");
    mine.ask("DELETE", &end(&deployer_id), "").await.refused(404, "not_found");
    deployer.get("/v1/session").await.is(200);
    mine.ask("DELETE", &end(&other_id), "").await.is(204);
    other.get("/v1/session").await.refused(401, "login_needed");
    let admin = stage.logged_in(Role::Admin).await;
    assert_eq!(admin.get("/v1/sessions").await.json().as_array().unwrap().len(), 3);
    admin.ask("DELETE", &end(&deployer_id), "").await.is(204);
    deployer.get("/v1/session").await.refused(401, "login_needed");
    // A token that is called as a user is not that user.
    let program = stage.program(Role::Viewer).await;
    assert_eq!(program.get("/v1/sessions").await.is(200).body, "[]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_it_is_not_used_and_in_a_week_at_the_latest() {
    let stage = Stage::new().await;
    let hours = |hours: i64| hours * 3_600_000;
    for (column, lasts, ends) in
        [("seen_at", hours(11), hours(13)), ("made_at", hours(6 * 24), hours(8 * 24))]
    {
        let browser = stage.logged_in(Role::Viewer).await;
        let age = |by: i64| format!("update sessions set {column} = {column} - {by}");
        stage.sql(&age(lasts));
        browser.get("/v1/session").await.is(200);
        stage.sql(&age(ends));
        browser.get("/v1/session").await.refused(401, "login_needed");
        stage.sql("delete from sessions");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_outlive_the_daemon() {
    let mut stage = Stage::new().await;
    let browser = stage.logged_in(Role::Viewer).await;
    stage.host.kill_daemon();
    stage.host.start_daemon().await;
    stage.until_it_listens().await;
    browser.get("/v1/session").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_counts_as_fresh_for_ten_minutes_in_the_session_that_gave_it_alone() {
    let stage = Stage::new().await;
    let (mine, other) = (stage.fresh(Role::Admin).await, stage.logged_in(Role::Admin).await);
    let values = "/v1/apps/shop/env/values";
    mine.get(values).await.is(200);
    other.get(values).await.refused(403, "password_needed");
    stage.sql("update sessions set fresh_until = fresh_until - 599000");
    mine.get("/v1/session").await.is(200);
    stage.sql("update sessions set fresh_until = fresh_until - 2000");
    mine.get(values).await.refused(403, "password_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_ends_their_own_session_is_told_that_it_was_done() {
    let stage = Stage::new().await;
    let admin = stage.fresh(Role::Admin).await;
    let answer = admin.ask("PATCH", "/v1/users/admin", r#"{"role": "viewer"}"#).await.is(200);
    assert_eq!(answer.json()["role"], "viewer");
    admin.get("/v1/session").await.refused(401, "login_needed");
}
