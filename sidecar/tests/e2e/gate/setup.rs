//! From an empty folder to the first login, and what `vial doctor` says on the way.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{PASSWORD, Stage};
use crate::support::{Setup, ports};

#[tokio::test(flavor = "multi_thread")]
async fn init_prints_the_first_login_link_where_a_daemon_with_a_dashboard_runs() {
    let port = ports::free();
    let dashboard = format!("[dashboard]\nlisten = \"127.0.0.1:{port}\"");
    let mut host = Setup::new().app("shop", "").host(&dashboard).write();
    let config = host.config();
    let init = ["init", "--config", config.to_str().unwrap()];
    let said = host.vial(&init).await.ends(0);
    said.says(&["login-link NAME", &format!("http://127.0.0.1:{port}")]);
    host.start_daemon().await;
    let stage = Stage { host, port };
    stage.until_it_listens().await;
    let said = stage.host.vial(&init).await.ends(0);
    let start = format!("http://127.0.0.1:{port}/first#");
    let token = said.out.split(&start).nth(1).unwrap_or_else(|| panic!("{said}"));
    let token = token.split_whitespace().next().unwrap();
    let mut browser = stage.browser();
    let body = json!({"token": token, "password": PASSWORD});
    let answer = browser.post("/v1/session/link", body).await.is(200);
    browser.keep(&answer);
    assert_eq!(browser.get("/v1/session").await.json()["role"], "admin");
    // From then on there is somebody who can let others in.
    stage.host.vial(&init).await.ends(0).never_says(&["/first#"]);
}

async fn doctor(stage: &Stage) -> String {
    let said = stage.host.vial(&["doctor", "--json"]).await;
    let report: Value = said.json();
    let all = report["findings"].as_array().or(report.as_array()).unwrap();
    let ours = all.iter().filter(|it| it["subject"] == "dashboard");
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().to_owned();
    ours.map(|it| format!("{}: {}\n", text(it, "level"), text(it, "message"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_a_taken_address_a_plain_network_and_a_history_that_is_open() {
    let mut stage = Stage::new().await;
    let said = doctor(&stage).await;
    assert!(
        said.contains("ok: At http://127.0.0.1") && said.contains("hint: No `hosts`"),
        "{said}"
    );
    let database = stage.host.state.join("vial.db");
    let mode = |mode| std::fs::set_permissions(&database, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    let said = doctor(&stage).await;
    assert!(said.contains("problem: Others than its owner may use"), "{said}");
    mode(0o600);

    stage.host.end_daemon(nix::sys::signal::Signal::SIGTERM).await;
    let _stranger = std::net::TcpListener::bind(("127.0.0.1", stage.port)).unwrap();
    stage.host.start_daemon().await;
    let said = doctor(&stage).await;
    assert!(said.contains("problem: Port") && said.contains("is held by"), "{said}");

    let text = std::fs::read_to_string(stage.host.config()).unwrap();
    let (before, _) = text.split_once("[dashboard]").unwrap();
    let open = format!(
        "{before}[dashboard]\nlisten = \"0.0.0.0:{}\"\nhosts = [\"shop.localhost\"]\n",
        stage.port
    );
    std::fs::write(stage.host.config(), open).unwrap();
    let said = doctor(&stage).await;
    for part in ["warning: It listens on 0.0.0.0", "believes none but", "host of shop too"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}
