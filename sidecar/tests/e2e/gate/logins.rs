//! Passwords: right, wrong, tried too often, and where they are kept.

use std::time::{Duration, Instant};

use serde_json::json;
use vial_protocol::access::Role;

use super::{PASSWORD, Stage};

#[tokio::test(flavor = "multi_thread")]
async fn the_right_password_opens_a_session_and_nothing_else_does() {
    let stage = Stage::new().await;
    let mut browser = stage.browser();
    browser.get("/v1/session").await.refused(401, "login_needed");
    let wrong = browser.log_in("viewer", "correct horse battery stable").await;
    let nobody = stage.browser().log_in("nobody", PASSWORD).await;
    let (wrong, nobody) = (wrong.refused(401, "login_needed"), nobody.refused(401, "login_needed"));
    assert_eq!(wrong.body, nobody.body, "whether there is such a user is not told");
    assert!(browser.cookie.is_none());
    for body in ["", "{}", "[]", r#"{"name": "viewer"}"#, r#"{"name": 1, "password": "s3cret"}"#] {
        let answer = browser.ask("POST", "/v1/session", body).await.refused(400, "bad_request");
        assert!(!answer.body.contains("s3cret"), "{answer:?}");
    }
    let whoami = browser.log_in("viewer", PASSWORD).await.is(200).json();
    assert_eq!((&whoami["name"], &whoami["role"]), (&json!("viewer"), &json!("viewer")));
    assert_eq!(whoami["by"], "session");
    assert!(whoami.get("fresh_until").is_none(), "a login is not fresh by itself");
    assert_eq!(browser.get("/v1/session").await.is(200).json()["name"], "viewer");
    browser.get("/v1/status").await.is(200);
    // One letter of it is another.
    let mut other = browser.clone();
    let cookie = browser.cookie.clone().unwrap();
    let last = if cookie.ends_with('0') { "1" } else { "0" };
    other.cookie = Some(format!("{}{last}", &cookie[..cookie.len() - 1]));
    other.get("/v1/session").await.refused(401, "login_needed");

    let answer = browser.ask("DELETE", "/v1/session", "").await.is(204);
    assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
    browser.get("/v1/session").await.refused(401, "login_needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_cookie_token_or_link_stands_in_the_history_or_in_the_log() {
    let stage = Stage::new().await;
    let browser = stage.fresh(Role::Admin).await;
    let token = stage.token("ci", Role::Admin).await.secret;
    stage.browser().with_token(&token).get("/v1/status").await.is(200);
    let link = stage.host.vial(&["login-link", "new"]).await.ends(0).out;
    let link = link.trim().rsplit('#').next().unwrap().to_owned();
    let made = stage.host.vial(&["user", "add", "ben", "--role", "viewer", "--generate"]).await;
    let made = made.ends(0).out.trim().to_owned();
    assert!(made.len() > 20, "{made}");
    let cookie = browser.cookie.unwrap();
    let secret = |text: &str| text.rsplit('_').next().unwrap().to_owned();
    let secrets = [PASSWORD.to_owned(), made, secret(&cookie), secret(&token), secret(&link)];
    let mut texts = vec![stage.host.daemon_log().into_bytes()];
    for name in ["vial.db", "vial.db-wal"] {
        texts.push(std::fs::read(stage.host.state.join(name)).unwrap());
    }
    for secret in &secrets {
        for text in &texts {
            let there = text.windows(secret.len()).any(|it| it == secret.as_bytes());
            assert!(!there, "{secret} is kept in plain");
        }
    }
    let kept = String::from_utf8_lossy(&texts.concat()).into_owned();
    assert!(kept.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_tries_too_many_passwords_is_told_to_wait_and_others_are_not() {
    let stage = Stage::new().await;
    let from = |address: &str| stage.browser().with("x-forwarded-for", address);
    let mut tried = 0;
    let refused = loop {
        let answer = from("192.0.2.1").log_in(&format!("nobody{tried}"), "wrong").await;
        tried += 1;
        if answer.status == 429 {
            break answer;
        }
        answer.refused(401, "login_needed");
        assert!(tried < 60, "nobody is slowed down");
    };
    assert!(tried > 20, "{tried}");
    assert_eq!(refused.json()["code"], "too_many_requests");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=4).contains(&wait), "{wait}");
    from("192.0.2.1").log_in("admin", PASSWORD).await.is(429);
    from("192.0.2.2").log_in("admin", PASSWORD).await.is(200);
    // The right password is taken once the wait is over.
    let deadline = Instant::now() + Duration::from_secs(wait + 15);
    while from("192.0.2.1").log_in("admin", PASSWORD).await.status != 200 {
        assert!(Instant::now() < deadline, "the wait does not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_a_name_from_everywhere_does_not_lock_its_owner_out() {
    let stage = Stage::new().await;
    let from = |address: String| stage.browser().with("x-forwarded-for", &address);
    from("192.0.2.1".into()).log_in("admin", PASSWORD).await.is(200);
    let mut tried = 0;
    while from(format!("198.51.100.{tried}")).log_in("admin", "wrong").await.status != 429 {
        tried += 1;
        assert!(tried < 100, "nobody is slowed down");
    }
    assert!(tried >= 28, "{tried}");
    // Where they came in before, they do so again, and others are let in by their own names.
    from("192.0.2.1".into()).log_in("admin", PASSWORD).await.is(200);
    from("198.51.100.200".into()).log_in("viewer", PASSWORD).await.is(200);
    // Elsewhere too, as soon as the limit has room again.
    let deadline = Instant::now() + Duration::from_secs(20);
    while from("203.0.113.1".into()).log_in("admin", PASSWORD).await.status != 200 {
        assert!(Instant::now() < deadline, "the owner is locked out");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_logins_at_once_wait_for_one_another_and_hold_nobody_else_up() {
    let stage = Stage::new().await;
    let known = stage.logged_in(Role::Viewer).await;
    let mut logins = tokio::task::JoinSet::new();
    for at in 0..24 {
        let mut browser = stage.browser().with("x-forwarded-for", &format!("192.0.2.{at}"));
        logins.spawn(async move { browser.log_in("viewer", "wrong").await.status });
    }
    let began = Instant::now();
    known.get("/v1/status").await.is(200);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
    while let Some(status) = logins.join_next().await {
        assert_eq!(status.unwrap(), 401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_changed_by_who_gave_the_old_one_and_ends_the_other_sessions() {
    let stage = Stage::new().await;
    let (mine, other) = (stage.logged_in(Role::Viewer).await, stage.logged_in(Role::Viewer).await);
    let change = |password: &str| json!({"password": password});
    let new = "another horse battery staple";
    mine.post("/v1/password", change(new)).await.refused(403, "password_needed");
    mine.confirm("wrong").await.refused(403, "password_needed");
    mine.post("/v1/password", change(new)).await.refused(403, "password_needed");
    mine.confirm(PASSWORD).await.is(200);
    mine.post("/v1/password", change("short")).await.refused(400, "bad_request");
    mine.post("/v1/password", change(new)).await.is(204);
    mine.get("/v1/session").await.is(200);
    other.get("/v1/session").await.refused(401, "login_needed");
    stage.browser().log_in("viewer", PASSWORD).await.refused(401, "login_needed");
    stage.browser().log_in("viewer", new).await.is(200);
}
