//! Input that is wrong in each way: named as what it is, with the exit code, and nothing left.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use vial_protocol::{Code, Slot, SlotState};

use super::QUICK;
use crate::support::releases::text;
use crate::support::setup::Site;
use crate::support::{Host, Setup, archive, folder, is_root, web};

/// Nothing was deployed, and nothing of what was tried is on the disk or runs.
async fn nothing_left(host: &Host) {
    let status = host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert!(status.active.is_none() && status.serving.is_none(), "{status:#?}");
    assert!(status.deployment.is_none() && status.queued.is_none(), "{status:#?}");
    let app = host.state.join("apps/shop");
    assert!(host.listing(&app.join("incoming")).is_empty());
    assert!(status.slot(Slot::Blue).unwrap().pid.is_none(), "{status:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_a_file_are_named_with_the_nearest_key_and_the_place() {
    let host = Setup::new().app("shop", QUICK).write();
    let file = host.path("apps/shop.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    host.vial(&["serve", "--check"]).await.ends(0).says(&["vial.toml and its 1 apps are right"]);
    for (line, words) in [
        ("bakee = \"1s\"", &["bakee", "bake"][..]),
        ("keep_releases = \"five\"", &["keep_releases", "5"]),
        ("verify = \"/\"", &["verify", "verify = [\"/\", \"/login\"]"]),
        ("health = { pth = \"/health\" }", &["pth", "path"]),
        ("health = { deadline = 5 }", &["deadline", "5s"]),
        ("distribution = \"claster\"", &["claster", "cluster"]),
        ("name = 3", &["shop.toml"]),
        ("standby = ", &["shop.toml"]),
    ] {
        // Before what the setup wrote, which may end in a table.
        let kept = right.lines().filter(|it| !line.starts_with(it.split(' ').next().unwrap()));
        let kept: Vec<&str> = kept.collect();
        std::fs::write(&file, format!("{line}\n{}\n", kept.join("\n"))).unwrap();
        let said = host.vial(&["serve", "--check"]).await.ends(1).says(&["shop.toml"]);
        assert!(words.iter().all(|word| said.err.contains(word)), "{line}: {words:?}\n{said}");
    }
    std::fs::write(&file, &right).unwrap();
    let file = host.path("vial.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, right.replace("state_dir", "state_dri")).unwrap();
    host.vial(&["serve"]).await.ends(1).says(&["vial.toml", "state_dri", "state_dir"]);
    assert!(!host.state.exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_apps_that_want_one_port_are_named_and_the_first_goes_on() {
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let mut store = host.apps[0].clone();
    store.name = "store".into();
    host.write_app(store, QUICK);
    let port = host.apps[0].blue.to_string();
    host.vial(&["reload"]).await.ends(1).says(&[
        &format!("port {port}, which store wants for its blue slot and shop"),
        "choose another port",
    ]);
    host.vial(&["deploy", "store", text(&archive(1))]).await.ends(3).says(&["store"]);
    assert_eq!(host.serving().await, "1.0.0");
    host.vial(&["status"]).await.ends(0).says(&["port", "store"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_on_the_slots_port_is_named_and_left_alone() {
    let host = Host::shop(QUICK).await;
    let port = host.port("shop", Slot::Blue);
    let stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(1).says(&[
        "Not deployed: No release serves yet.",
        &format!("Port {port} of the blue slot is held by"),
        &format!("(pid {})", std::process::id()),
    ]);
    let error = host.deployment(1).await.error.unwrap();
    assert_eq!(error.code, Code::PortTaken);
    nothing_left(&host).await;
    drop(stranger);
    host.deploy(1).await;
    assert_eq!(host.serving().await, "1.0.0");
}

/// A copy of v1's folder that can be broken.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("shop");
    let copied = Command::new("cp").arg("-a").arg(folder(1)).arg(&to).status().unwrap();
    assert!(copied.success());
    (place, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_no_release_that_can_start_is_refused_and_nothing_stays() {
    let host = Host::shop(QUICK).await;
    let (_place, broken) = copy();
    std::fs::set_permissions(broken.join("bin/shop"), PermissionsExt::from_mode(0o644)).unwrap();
    host.vial(&["deploy", "shop", text(&broken)]).await.ends(1).says(&["bin/shop", "execut"]);
    std::fs::remove_file(broken.join("bin/shop")).unwrap();
    host.vial(&["deploy", "shop", text(&broken)]).await.ends(1).says(&["bin/shop"]);
    let beam = std::fs::read_dir(&broken).unwrap().flatten();
    let erts = beam.map(|it| it.path()).find(|it| it.join("bin/beam.smp").exists()).unwrap();
    let (_place, broken) = copy();
    let program = broken.join(erts.file_name().unwrap()).join("bin/beam.smp");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o644)).unwrap();
    host.vial(&["deploy", "shop", text(&broken)]).await.ends(1).says(&["beam.smp", "execut"]);
    host.vial(&["deploy", "shop", "/etc"]).await.ends(2).says(&["is not a release"]);
    host.vial(&["deploy", "shop", "/nonexistent"]).await.ends(2).says(&["cannot be read"]);
    let bytes = std::fs::read(archive(1)).unwrap();
    let cut = host.path("cut.tar.gz");
    std::fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    host.vial(&["deploy", "shop", text(&cut)]).await.ends(1).says(&["Not deployed", "ends"]);
    nothing_left(&host).await;
    assert!(host.listing(&host.state.join("apps/shop/releases")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_caddy_nothing_goes_live_and_the_message_says_so() {
    let host = Setup::new().app("shop", QUICK).site(Site::NoCaddy).start().await;
    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(1).says(&[
        "Not deployed: No release serves yet.",
        "Caddy is not running: nothing answers at",
        "`systemctl start caddy`",
    ]);
    assert_eq!(host.deployment(1).await.error.unwrap().code, Code::SwitchFailed);
    nothing_left(&host).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caddy_without_the_snippet_is_the_named_cause_with_the_line_to_add() {
    let mut host = Setup::new().app("shop", QUICK).site(Site::NotImported).start().await;
    let line = format!("import {}/route/shop/Caddyfile", host.state.display());
    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(1).says(&[
        "Caddy runs, but no site of it imports Vial's snippet for shop.",
        &format!("Put `{line}` into the block of shop.localhost"),
    ]);
    nothing_left(&host).await;
    host.vial(&["caddy", "snippet", "shop"]).await.ends(0).says(&[&line]);
    host.change_site(Site::Imported);
    host.deploy(1).await;
    assert_eq!(host.serving().await, "1.0.0");
}

/// A small file system of its own, which takes root.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<SmallDisk> {
        let place = tempfile::Builder::new().prefix("vial-e2e-disk-").tempdir().unwrap();
        crate::support::setup::open(place.path());
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=755"), "tmpfs"])
            .arg(place.path())
            .status();
        mounted.is_ok_and(|it| it.success()).then_some(SmallDisk(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_while_unpacking_is_named_and_cleared_again() {
    // Room for one release beside what Vial keeps free for what runs, and not for two.
    let disk = is_root().then(|| SmallDisk::mount(88)).flatten();
    let Some(disk) = disk else {
        println!("SKIPPED: a small disk needs root and the right to mount");
        return;
    };
    let state = disk.0.path().join("state");
    let host = Setup::new().app("shop", QUICK).state(state).start().await;
    host.deploy(1).await;
    let said = host.vial(&["deploy", "shop", text(&archive(2))]).await.ends(1);
    let said = said.says(&["Not deployed: v1.0.0 still serves.", "No room on the disk"]);
    crate::figure!("a full disk says:\n{}", said.err);
    let failed = host.deployment(2).await;
    assert_eq!(failed.error.unwrap().code, Code::NoSpace);
    let app = host.state.join("apps/shop");
    assert!(host.listing(&app.join("incoming")).is_empty());
    assert_eq!(host.listing(&app.join("releases")), ["1"]);
    assert_eq!(host.serving().await, "1.0.0");
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_a_newer_version_is_left_alone() {
    let host = Setup::new().app("shop", QUICK).write();
    std::fs::create_dir(&host.state).unwrap();
    let database = host.state.join("vial.db");
    let store = rusqlite::Connection::open(&database).unwrap();
    store
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA user_version = 99; CREATE TABLE future (a);",
        )
        .unwrap();
    drop(store);
    let before = std::fs::read(&database).unwrap();
    host.vial(&["serve"]).await.ends(1).says(&["vial.db", "newer"]);
    assert!(std::fs::read(&database).unwrap() == before, "it was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_and_requests_that_are_too_large_harm_nobody() {
    let host = Host::shop(QUICK).await;
    let socket: &Path = &host.socket();
    let (status, _) = web::unix(socket, "\u{0}\u{1}\u{2}no HTTP at all\r\n\r\n").await;
    assert!(status == 400 || status == 0, "{status}");
    let head = format!("GET /v1/status HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(1 << 20));
    let (status, _) = web::unix(socket, &head).await;
    assert!(status == 431 || status == 0, "{status}");
    let post = |path: &str, body: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let large = format!("{{\"reason\":\"{}\"}}", "y".repeat(2 << 20));
    let (status, body) = web::unix(socket, &post("/v1/apps/shop/rollback", &large)).await;
    assert!(status == 413 || status == 0, "{status} {body}");
    let (status, body) = web::unix(socket, &post("/v1/apps/shop/rollback", "{\"two\":2}")).await;
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("bad_request") && body.contains("two"), "{body}");
    let (status, body) = web::unix(socket, &post("/v1/apps/shop/rollback", "{")).await;
    assert_eq!(status, 400, "{body}");
    let (status, body) = web::unix(socket, &post("/v1/apps/../../etc/rollback", "{}")).await;
    assert_eq!(status, 404, "{body}");
    host.vial(&["status", "shpo"]).await.ends(3).says(&["No app is called `shpo`", "shop"]);
    host.vial(&["status"]).await.ends(0);
    nothing_left(&host).await;
    assert!(host.history().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_deploys_at_once_one_is_refused() {
    let host = Host::shop(QUICK).await;
    let (one, two) = (archive(1), archive(2));
    let (one, two) = (["deploy", "shop", text(&one)], ["deploy", "shop", text(&two)]);
    let (one, two) = tokio::join!(host.vial(&one), host.vial(&two));
    let (done, refused) = if one.code == Some(0) { (one, two) } else { (two, one) };
    done.ends(0);
    refused.ends(3).says(&["Not deployed: deploy #1", "is in progress", "`vial cancel shop`"]);
    assert_eq!(host.history().await.len(), 1, "a refusal leaves no row");
}
