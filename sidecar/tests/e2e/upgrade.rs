//! From one daemon to the next: what the new binary says beforehand, and what is kept of the history.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use rusqlite::Connection;
use vial_protocol::Slot;

use super::WORKER;
use crate::support::daemon::VIAL;
use crate::support::manager::Manager;
use crate::support::processes;
use crate::support::said::Said;
use crate::support::setup::Site;
use crate::support::{Host, Setup};

fn worker() -> Setup {
    Setup::new().worker("shop", WORKER).site(Site::NoCaddy)
}

/// Puts a file in the place of another, as a package does.
fn install(place: &Path, write: impl FnOnce(&Path)) {
    let aside = place.with_extension("new");
    write(&aside);
    std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::rename(aside, place).unwrap();
}

fn copy(place: &Path) {
    install(place, |to| {
        std::fs::copy(VIAL, to).unwrap();
    });
}

/// A later version that says of itself what a test wants; the rest of it is this one.
fn fake(place: &Path, check: &str) {
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in\n--version) echo vial 9.9.9;;\n*serve\\ --check) {check};;\n*) \
         exec {VIAL} \"$@\";;\nesac\n"
    );
    install(place, |to| std::fs::write(to, text).unwrap());
}

/// `vial upgrade` with a `systemctl` of the test's.
async fn upgrade(host: &Host, manager: &Manager, args: &[&str]) -> Said {
    let mut command = crate::support::daemon::command(Path::new(VIAL), &host.config());
    command.env("PATH", manager.path_variable()).arg("upgrade").args(args);
    let output = tokio::process::Command::from(command).kill_on_drop(true).output().await;
    Said::new(&[&["upgrade"], args].concat(), &output.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_would_not_start_leaves_the_old_daemon_and_one_that_would_takes_over() {
    let folder = tempfile::Builder::new().prefix("vial-bin-").tempdir().unwrap();
    crate::support::setup::open(folder.path());
    let installed: PathBuf = folder.path().join("vial");
    copy(&installed);
    let mut host = worker().binary(installed.clone()).start().await;
    let manager = Manager::new(host.folder.path());
    host.deploy(1).await;
    let (daemon, slot) = (host.daemon_pid(), host.pid("shop", Slot::Blue).await.unwrap());
    upgrade(&host, &manager, &[]).await.ends(0).says(&["nothing to do"]);

    // The new one says no.
    manager.systemctl(&format!(
        "echo \"$@\" >> {0}/asked\n[ \"$1\" = show ] && echo {daemon}\nexit 0",
        host.folder.path().display()
    ));
    fake(&installed, "echo 'the history is damaged' >&2; exit 1");
    upgrade(&host, &manager, &[]).await.ends(3).says(&[
        "Not upgraded: vial 0.1.0 serves still. vial 9.9.9 would not start",
        "the history is damaged",
        "Next: mend that, then `vial upgrade`",
    ]);
    let warned = upgrade(&host, &manager, &["--package"]).await.ends(0);
    assert!(warned.err.starts_with("Warning: Not upgraded"), "{warned}");
    assert!(!host.path("asked").exists(), "systemd was not asked for anything");

    // One that lies elsewhere is not what would start.
    let elsewhere = folder.path().join("elsewhere");
    fake(&elsewhere, "exit 0");
    upgrade(&host, &manager, &["--binary", elsewhere.to_str().unwrap()])
        .await
        .ends(3)
        .says(&["is not the file that the daemon was started from", "Next: `install"]);

    // systemd runs another process, or none.
    fake(&installed, "exit 0");
    manager.systemctl("[ \"$1\" = show ] && echo 0");
    upgrade(&host, &manager, &[])
        .await
        .ends(1)
        .says(&["Not restarted: vial 0.1.0 serves still", &format!("Next: `kill {daemon}`")]);
    assert_eq!(host.daemon_pid(), daemon);
    assert!(processes::is_alive(daemon));

    // It runs this one, and restarts it.
    copy(&installed);
    manager.systemctl(&format!(
        "[ \"$1\" = show ] && {{ echo {daemon}; exit; }}\n\
         [ \"$*\" = 'restart vial.service' ] || exit 1\n\
         kill -TERM {daemon}\nwhile [ -S {socket} ]; do sleep 0.05; done\n\
         VIAL_CONFIG={config} setsid {installed} serve >/dev/null 2>&1 </dev/null &",
        socket = host.socket().display(),
        config = host.config().display(),
        installed = installed.display(),
    ));
    upgrade(&host, &manager, &[]).await.ends(0).says(&["vial 0.1.0 → 0.1.0, 1 slot ran on."]);
    assert_eq!(host.pid("shop", Slot::Blue).await, Some(slot));
    let next = host.client.status().await.unwrap().pid;
    assert_ne!(next, daemon);
    processes::signal(next, Signal::SIGTERM);
    host.kill_daemon();
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_daemon_runs_a_package_has_nothing_to_replace() {
    let host = worker().write();
    let manager = Manager::new(host.folder.path());
    upgrade(&host, &manager, &[]).await.ends(4).says(&["no daemon is there to be replaced"]);
    let quiet = upgrade(&host, &manager, &["--package"]).await.ends(0);
    assert!(quiet.err.is_empty() && quiet.out.is_empty(), "{quiet}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_history_is_checked_kept_and_brought_up_to_date() {
    let mut host = worker().write();
    std::fs::create_dir(&host.state).unwrap();
    let database = host.state.join("vial.db");
    let old = Connection::open(&database).unwrap();
    old.execute_batch(include_str!("fixtures/schema-1.sql")).unwrap();
    drop(old);
    let bytes = std::fs::read(&database).unwrap();
    let kept = host.state.join("vial.db.schema-1.bak");

    host.vial(&["serve", "--check"]).await.ends(0).says(&[
        "vial.toml and its 1 apps are right",
        "would be brought from schema 1 to",
        "which works on a copy",
        "vial.db.schema-1.bak",
    ]);
    assert_eq!(std::fs::read(&database).unwrap(), bytes, "a check changes nothing");
    assert!(!kept.exists());

    host.start_daemon().await;
    assert_eq!(host.history().await, ["deploy v1.0.0 succeeded"]);
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    host.vial(&["serve", "--check"]).await.ends(0).says(&["vial.db can be read"]);
    host.end_daemon(Signal::SIGTERM).await;

    // A later Vial had it.
    Connection::open(&database).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for args in [&["serve", "--check"][..], &["serve"]] {
        host.vial(args).await.ends(1).says(&[
            "was written by a newer Vial (schema 99",
            "Install that version again. Or go back",
            kept.to_str().unwrap(),
        ]);
    }
    // As the refusal says.
    std::fs::rename(&database, host.state.join("aside")).unwrap();
    std::fs::copy(&kept, &database).unwrap();
    host.start_daemon().await;
    assert_eq!(host.history().await, ["deploy v1.0.0 succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_a_start_would_fail_on_and_needs_no_lock() {
    let mut host = worker().start().await;
    host.vial(&["serve", "--check"]).await.ends(0);
    let file = host.path("apps/shop.toml");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{before}\nbakee = \"1s\"\n")).unwrap();
    let said = host.vial(&["serve", "--check", "--json"]).await.ends(1);
    let found: serde_json::Value = said.json();
    assert!(found["problems"][0].as_str().unwrap().contains("bakee"), "{found}");
    std::fs::write(&file, before).unwrap();
    host.end_daemon(Signal::SIGTERM).await;
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(host.state.join(format!("vial.db{end}")));
    }
    std::fs::write(host.state.join("vial.db"), [7; 8192]).unwrap();
    host.vial(&["serve", "--check"]).await.ends(1).says(&["The history", "cannot be opened"]);
}
