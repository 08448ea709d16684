//! Users by the command line.

use vial_protocol::access::{Role, User};

use super::{PASSWORD, Stage};
use crate::support::env::input;
use crate::support::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_asked_for_twice_and_not_shown() {
    let stage = Stage::new().await;
    let mut terminal = Terminal::open(&stage.host, &["user", "add", "anna", "--role", "admin"]);
    terminal.until_it_shows("The password of anna");
    terminal.types(b"my own long password\r");
    terminal.until_it_shows("once more");
    let mut seen = terminal.screen.clone();
    terminal.types(b"my own long password\r");
    terminal.until_it_shows("anna may log in, as admin.");
    seen.push_str(&terminal.screen);
    assert!(!seen.contains("own long"), "{seen:?}");
    stage.browser().log_in("anna", "my own long password").await.is(200);

    let mut terminal = Terminal::open(&stage.host, &["user", "password", "anna"]);
    terminal.until_it_shows("The password of anna");
    terminal.types(b"my own long password\r");
    terminal.until_it_shows("once more");
    terminal.types(b"another long password\r");
    terminal.until_it_shows("are not the same");
    stage.browser().log_in("anna", "my own long password").await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_comes_on_standard_input_or_is_made_and_is_never_an_argument() {
    let stage = Stage::new().await;
    let add = ["user", "add", "ben", "--role", "viewer"];
    stage.host.vial_with_input(&add, input("a long password of ben\n")).await.ends(0);
    stage.browser().log_in("ben", "a long password of ben").await.is(200);
    stage.host.vial_with_input(&add, input(PASSWORD)).await.ends(3).says(&["is a user called ben"]);
    let made = stage.host.vial(&["user", "password", "ben", "--generate"]).await.ends(0);
    stage.browser().log_in("ben", made.out.trim()).await.is(200);
    let short = ["user", "add", "carla", "--role", "viewer"];
    let said = stage.host.vial_with_input(&short, input("s3cret")).await.ends(3);
    said.says(&["12 to 1024 characters"]).never_says(&["s3cret"]);
    for argument in ["--password", "s3cret"] {
        let args = ["user", "add", "carla", "--role", "viewer", argument];
        stage.host.vial(&args).await.ends(2);
    }
    stage
        .host
        .vial_with_input(&["user", "add", "a/b", "--role", "viewer"], input(PASSWORD))
        .await
        .ends(3)
        .says(&["letters, digits"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_listed_changed_and_removed() {
    let stage = Stage::new().await;
    let browser = stage.logged_in(Role::Viewer).await;
    let users: Vec<User> = stage.host.vial(&["user", "list", "--json"]).await.ends(0).json();
    let seen: Vec<_> = users.iter().map(|it| (it.name.as_str(), it.sessions)).collect();
    assert_eq!(seen, [("admin", 0), ("deployer", 0), ("viewer", 1)]);
    browser.get("/v1/users").await.refused(403, "forbidden");
    stage.host.vial(&["user", "role", "viewer", "admin"]).await.ends(0).says(&["is admin"]);
    browser.get("/v1/users").await.refused(401, "login_needed");
    let browser = stage.logged_in(Role::Viewer).await;
    browser.get("/v1/users").await.is(200);
    stage.host.vial(&["user", "remove", "viewer"]).await.ends(0);
    browser.get("/v1/users").await.refused(401, "login_needed");
    for args in [&["user", "remove", "viewer"][..], &["user", "role", "viewer", "admin"]] {
        stage.host.vial(args).await.ends(3).says(&["no such user"]);
    }
    stage.host.vial(&["user", "role", "admin", "root"]).await.ends(2);
    stage.host.vial(&["session", "list"]).await.ends(0).says(&["Nobody is logged in."]);
}
