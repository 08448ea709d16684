//! The daemon as a service: what it tells systemd, and the socket that systemd holds open for it.
//! A test stands for systemd here; a booted one has tests of its own.

use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use vial_protocol::{Slot, SlotState};

use super::WORKER;
use crate::support::held::Held;
use crate::support::manager::Manager;
use crate::support::processes::{self, is_alive};
use crate::support::releases::text;
use crate::support::setup::Site;
use crate::support::{Host, SOON, Setup, archive};

/// Three pings a second and a half: a busy machine must not look like a hang.
const WATCHDOG: Duration = Duration::from_millis(1500);

/// A worker needs no Caddy.
fn worker() -> Host {
    Setup::new().worker("shop", WORKER).site(Site::NoCaddy).write()
}

fn serve(host: &Host, manager: &Manager) -> Command {
    let mut command = host.command();
    manager.adopt(&mut command);
    command.arg("serve").stdin(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_what_the_apps_do_and_a_stop_leaves_the_slots_where_the_hosts_own_ends_them()
{
    let mut host = worker();
    let manager = Manager::new(host.folder.path());
    host.start_daemon_by(serve(&host, &manager)).await;
    manager.until(&["READY=1", "STATUS=1 app: shop has no release yet"]).await;

    host.deploy(1).await;
    manager.until(&["STATUS=1 app: shop v1.0.0 (blue) serves"]).await;
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environ = String::from_utf8_lossy(&environ);
    assert!(!environ.contains("NOTIFY_SOCKET"), "a slot must not speak for the daemon: {environ}");

    processes::signal(host.daemon_pid(), Signal::SIGHUP);
    manager.until(&["RELOADING=1", "MONOTONIC_USEC="]).await;
    manager.until(&["READY=1"]).await;

    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    let rest = format!("its slots run on: shop blue (pid {pid}, v1.0.0)");
    manager.until(&["STOPPING=1"]).await;
    manager.until(&[&format!("STATUS=stopped; {rest}")]).await;
    assert!(host.daemon_log().contains(&rest), "{}", host.daemon_log());
    assert!(is_alive(pid));

    // Without systemd nobody asks whether the host stops.
    manager.systemctl("echo stopping; exit 1");
    let mut alone = host.command();
    alone.env("PATH", manager.path_variable()).arg("serve").stdin(Stdio::null());
    host.start_daemon_by(alone).await;
    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    assert!(is_alive(pid));

    // One that does not answer in time is no host that stops.
    manager.systemctl("exec sleep 60");
    host.start_daemon_by(serve(&host, &manager)).await;
    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    assert!(host.daemon_log().contains("systemctl does not answer"));
    assert!(is_alive(pid));

    manager.systemctl("[ \"$*\" = is-system-running ] && echo stopping; exit 1");
    host.start_daemon_by(serve(&host, &manager)).await;
    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    assert!(!is_alive(pid), "the slot has ended before the daemon");
    let ending = format!("STATUS=the host stops; ending the slots: shop blue (pid {pid}, v1.0.0)");
    manager.until(&["STOPPING=1"]).await;
    manager.until(&[&ending]).await;
    let told = manager.until(&["STATUS=stopped; the slots have ended"]).await;
    assert!(told.iter().any(|it| it.contains("EXTEND_TIMEOUT_USEC=")), "{told:#?}");
    assert!(host.daemon_log().contains("\"killed\":false"), "it had its time");

    // Nobody wanted the app stopped: it is back with the host.
    host.start_daemon().await;
    let status = host.until_slot(Slot::Blue, SlotState::Running).await;
    assert_ne!(status.slot(Slot::Blue).unwrap().pid, Some(pid));
    assert_eq!(host.history().await, ["deploy v1.0.0 succeeded"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_may_stop_in_the_middle_of_a_deploy_which_goes_on_when_it_is_back() {
    let mut host = worker();
    let manager = Manager::new(host.folder.path());
    host.start_daemon_by(serve(&host, &manager)).await;
    host.deploy(1).await;
    let lines = WORKER.replace("bake = \"0s\"", "bake = \"10m\"");
    host.reconfigure(&lines).await;
    let number = host.deploy_until_live(2).await.number;
    let pids =
        [host.pid("shop", Slot::Blue).await.unwrap(), host.pid("shop", Slot::Green).await.unwrap()];
    manager.systemctl("echo stopping; exit 1");
    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    assert!(!is_alive(pids[0]) && !is_alive(pids[1]), "both slots have ended");

    host.start_daemon().await;
    let status = host.until_slot(Slot::Green, SlotState::Running).await;
    assert_eq!(status.active, Some(Slot::Green));
    assert_eq!(status.deployment.unwrap().number, number, "it bakes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_watchdog_is_pinged_only_while_everything_answers() {
    let mut host = worker();
    let manager = Manager::new(host.folder.path());
    let mut command = serve(&host, &manager);
    command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    host.start_daemon_by(command).await;
    manager.until(&["READY=1"]).await;
    let usual = manager.pings(WATCHDOG * 2).await;
    assert!((4..=8).contains(&usual), "{usual} pings in 3 s, where 6 are due");

    // As a whole.
    processes::signal(host.daemon_pid(), Signal::SIGSTOP);
    while manager.next(Duration::from_millis(100)).await.is_some() {}
    assert_eq!(manager.pings(WATCHDOG).await, 0);
    processes::signal(host.daemon_pid(), Signal::SIGCONT);
    manager.until(&["WATCHDOG=1"]).await;
    assert!(manager.pings(WATCHDOG * 2).await >= 4, "a freeze that is over is no hang");

    // The thread of the history alone.
    let Some(held) = hold_store(host.daemon_pid()) else {
        println!("SKIPPED: threads may not be traced here");
        return;
    };
    let deadline = tokio::time::Instant::now() + SOON;
    while !host.daemon_log().contains("\"who\":\"the history\"") {
        assert!(tokio::time::Instant::now() < deadline, "the hang was not seen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while manager.next(Duration::from_millis(10)).await.is_some() {}
    assert_eq!(manager.pings(WATCHDOG).await, 0, "systemd would act now");
    held.let_go();
    manager.until(&["WATCHDOG=1"]).await;
    assert!(host.daemon_log().contains("everything answers again"));
}

/// Holds the thread that owns a daemon's history.
fn hold_store(daemon: u32) -> Option<Held> {
    let mut tasks = std::fs::read_dir(format!("/proc/{daemon}/task")).unwrap().flatten();
    let named = |path: std::path::PathBuf| {
        std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "store")
    };
    let task = tasks.find(|it| named(it.path())).unwrap().file_name();
    Held::threads(vec![Pid::from_raw(task.to_str().unwrap().parse().unwrap())])
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_while_the_daemon_is_away_is_answered_by_the_next_one() {
    let mut host = worker();
    std::fs::create_dir(host.path("run")).unwrap();
    let listener = UnixListener::bind(host.socket()).unwrap();
    let serve = |host: &Host| {
        let mut command = Command::new("sh");
        let config = host.command();
        for (name, value) in config.get_envs().filter_map(|(name, value)| Some((name, value?))) {
            command.env(name, value);
        }
        command.args(["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" serve 3<&0 </dev/null"]);
        command.arg(&host.binary);
        command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().unwrap())));
        command
    };
    let waiting = {
        let mut command = tokio::process::Command::from(host.command());
        command.args(["status", "--json"]).stdin(Stdio::null()).kill_on_drop(true);
        tokio::spawn(async move { command.output().await.unwrap() })
    };
    // Long enough for the word that it waits.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    host.start_daemon_by(serve(&host)).await;
    let answered = waiting.await.unwrap();
    let said = String::from_utf8_lossy(&answered.stderr);
    assert!(answered.status.success(), "{said}");
    assert!(said.contains("has not answered yet"), "{said}");
    let seen: vial_protocol::DaemonStatus = serde_json::from_slice(&answered.stdout).unwrap();
    assert_eq!(seen.pid, host.daemon_pid());

    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(0);
    let pid = host.pid("shop", Slot::Blue).await.unwrap();
    let sockets = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let inode = std::fs::read_link(format!("/proc/{}/fd/3", host.daemon_pid())).unwrap();
    let inherited = sockets.filter_map(|it| std::fs::read_link(it.path()).ok());
    assert!(!inherited.collect::<Vec<_>>().contains(&inode), "a slot holds the API's socket");

    assert!(host.end_daemon(Signal::SIGTERM).await.success());
    assert!(host.socket().exists(), "the file is systemd's");
    host.start_daemon_by(serve(&host)).await;
    host.vial(&["status"]).await.ends(0).never_says(&["has not answered yet"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_journal_is_away_logs_to_standard_error() {
    if std::path::Path::new("/run/systemd/journal/socket").exists() {
        println!("SKIPPED: this host has a journal");
        return;
    }
    let mut host = worker();
    let log = std::fs::File::create(host.path("daemon.log")).unwrap();
    let stream = log.metadata().unwrap();
    let mut command = host.command();
    command.env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino()));
    command.arg("serve").stdin(Stdio::null());
    host.start_daemon_by(command).await;
    assert!(host.daemon_log().contains("no journal: logging to standard error"));
}
