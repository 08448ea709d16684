//! What a daemon that died left running beside the slots, and what a slot leaves when it ends.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use vial::store::Store;
use vial_protocol::{Code, Slot, SlotState, Status};

use super::QUICK;
use crate::support::processes::{self, is_alive};
use crate::support::releases::text;
use crate::support::terminal::Terminal;
use crate::support::{Host, Setup, archive, daemon, is_root};

/// A folder that every user may write in.
fn open_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    folder
}

/// What a file holds once something was written into it.
async fn until_written(file: &Path) -> u32 {
    let deadline = Instant::now() + crate::support::SOON;
    loop {
        let written = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(pid) = written.trim().parse().ok().filter(|_| !written.is_empty()) {
            return pid;
        }
        assert!(Instant::now() < deadline, "nothing is written into {}", file.display());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn until_gone(pid: u32) {
    let deadline = Instant::now() + crate::support::SOON;
    while is_alive(pid) {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Writes its pid into a file, and then does nothing for long.
fn announces(file: &Path) -> String {
    format!("File.write!({file:?}, System.pid()); Process.sleep(120_000)")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_migration_that_outlived_its_daemon_is_ended_and_the_history_says_so() {
    let folder = open_folder();
    let file = folder.path().join("pid");
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    host.reconfigure(&format!("{QUICK}\nmigrate = '{}'", announces(&file))).await;
    let number = host.deploy_detached(2).await;
    let pid = until_written(&file).await;
    host.kill_daemon();
    assert!(is_alive(pid), "it is a process of its own");
    host.start_daemon().await;
    assert!(!is_alive(pid), "it is gone before anything is begun");
    let failed = host.until_ended(number).await;
    let error = failed.error.clone().unwrap();
    assert_eq!((failed.status, error.code), (Status::Failed, Code::Interrupted), "{failed:#?}");
    let told = format!("Its migration (process {pid}) still ran and was ended.");
    assert!(error.message.contains(&told), "{error}");
    assert!(error.message.contains("v1.0.0 still serves"), "{error}");
    assert!(error.next.unwrap().contains("look at the database; then deploy it again"));

    std::fs::remove_file(&file).unwrap();
    let number = host.deploy_detached(2).await;
    let pid = until_written(&file).await;
    host.kill_daemon();
    processes::signal(pid, Signal::SIGKILL);
    until_gone(pid).await;
    host.start_daemon().await;
    let error = host.until_ended(number).await.error.unwrap();
    let told = format!("Its migration (process {pid}) does not run any more");
    assert!(error.message.contains(&told), "{error}");

    let migrates = format!("{QUICK}\nmigrate = \"IO.puts(42)\"");
    host.reconfigure(&migrates).await;
    let number = host.deploy(2).await.number;
    host.end_daemon(Signal::SIGTERM).await;
    let store = Store::open(&host.state.join("vial.db")).unwrap();
    assert_eq!(store.open_helpers("shop").await.unwrap(), [], "every row is closed");
    let row = store.last_helper("shop", number, "migrate").await.unwrap().unwrap();
    assert_eq!(row.ending.as_deref(), Some("exited with status 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expression_and_a_console_end_with_their_daemon_and_the_slot_runs_on() {
    let folder = open_folder();
    let mut host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let slot = host.pid("shop", Slot::Blue).await.unwrap();
    let file = folder.path().join("eval");
    let mut command = daemon::command(&host.binary, &host.config());
    command.args(["eval", "shop", &announces(&file)]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut asked = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
    let mut console = Terminal::open(&host, &["console", "shop"]);
    console.until_it_shows("iex(shop_blue@127.0.0.1)1>");
    let remote = console_pid(&host);
    let eval = until_written(&file).await;
    host.kill_daemon();
    asked.wait().await.unwrap();
    assert!(is_alive(eval));
    host.start_daemon().await;
    assert!(!is_alive(eval) && !is_alive(remote), "both are ended before the daemon serves");
    assert_eq!(host.pid("shop", Slot::Blue).await, Some(slot));
    assert_eq!(host.serving().await, "1.0.0");
}

/// The process of the one console on a host.
fn console_pid(host: &Host) -> u32 {
    let remote = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("-remsh")
    };
    host.processes().into_iter().find(remote).expect("a console runs")
}

/// A cgroup that is handed to a daemon as systemd hands one over, removed with all that it holds.
struct Delegated {
    folder: PathBuf,
}

impl Delegated {
    /// `None`, with the reason printed, where there is none to have.
    fn make() -> Option<Delegated> {
        if !is_root() {
            eprintln!("skipped: only root can hand over a cgroup");
            return None;
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        let of_two = mounts.lines().find(|line| line.contains(" - cgroup2 "));
        let Some(point) = of_two.and_then(|line| line.split(' ').nth(4)) else {
            eprintln!("skipped: no cgroup2 file system is mounted here");
            return None;
        };
        let name = format!("vial-test-{}-{:?}", std::process::id(), std::thread::current().id());
        let folder = Path::new(point).join(name.replace(['(', ')'], ""));
        if let Err(error) = std::fs::create_dir(&folder) {
            eprintln!("skipped: {} cannot be made: {error}", folder.display());
            return None;
        }
        let made = Delegated { folder };
        let no_flags = rustix::fs::XattrFlags::empty();
        if let Err(error) = rustix::fs::setxattr(&made.folder, "user.delegate", b"1", no_flags) {
            eprintln!("skipped: {} cannot be handed over: {error}", made.folder.display());
            return None;
        }
        Some(made)
    }

    /// A `vial` that begins in this cgroup.
    fn binary(&self, folder: &Path) -> PathBuf {
        let script = folder.join("vial-in-a-cgroup");
        let procs = self.folder.join("cgroup.procs");
        let text =
            format!("#!/bin/sh\necho $$ > {}\nexec {} \"$@\"\n", procs.display(), daemon::VIAL);
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        script
    }

    fn slots(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.join("slots")).into_iter().flatten().flatten();
        let folders = entries.filter(|it| it.file_type().unwrap().is_dir());
        folders.map(|it| it.file_name().to_string_lossy().into_owned()).collect()
    }
}

impl Drop for Delegated {
    fn drop(&mut self) {
        let _ = std::fs::write(self.folder.join("cgroup.kill"), "1");
        let deadline = Instant::now() + Duration::from_secs(5);
        while Instant::now() < deadline {
            let _ = std::fs::remove_dir(self.folder.join("epmd"));
            for slot in self.slots() {
                let _ = std::fs::remove_dir(self.folder.join("slots").join(slot));
            }
            let _ = std::fs::remove_dir(self.folder.join("slots"));
            if std::fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Has the release in the active slot start a process that leaves its parents, its session and its
/// environment. Its pid.
async fn escapes(host: &Host, folder: &Path) -> u32 {
    let file = folder.join("escaped");
    let script = format!(
        "(env -i /usr/bin/setsid /bin/sh -c 'echo $$ > {}; exec /bin/sleep 300' \
         </dev/null >/dev/null 2>&1 &)",
        file.display()
    );
    let expression = format!("System.cmd(\"/bin/sh\", [\"-c\", {script:?}])");
    host.vial(&["rpc", "shop", &expression]).await.ends(0);
    let pid = until_written(&file).await;
    std::fs::remove_file(&file).unwrap();
    pid
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_left_everything_is_missed_without_a_cgroup() {
    let folder = open_folder();
    let host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let escaped = escapes(&host, folder.path()).await;
    host.vial(&["stop", "shop"]).await.ends(0);
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    let missed = is_alive(escaped);
    processes::signal(escaped, Signal::SIGKILL);
    assert!(missed, "if descent and marker find it, the cgroup is not needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_left_everything_is_found_by_the_cgroup_also_by_the_next_daemon() {
    let Some(delegated) = Delegated::make() else { return };
    let folder = open_folder();
    let binary = delegated.binary(folder.path());
    let mut host = Setup::new().app("shop", QUICK).binary(binary).start().await;
    host.deploy(1).await;
    let slot = delegated.slots();
    assert_eq!(slot.len(), 1, "one run, and its helpers' are gone: {slot:?}");
    let epmd = std::fs::read_to_string(delegated.folder.join("epmd/cgroup.procs")).unwrap();
    let epmd: u32 = epmd.trim().parse().unwrap();
    assert_eq!(processes::name(epmd), "epmd");

    let escaped = escapes(&host, folder.path()).await;
    host.vial(&["restart", "shop"]).await.ends(0);
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    assert!(!is_alive(escaped), "it ended with its slot");

    let escaped = escapes(&host, folder.path()).await;
    let green = host.pid("shop", Slot::Green).await.unwrap();
    host.kill_daemon();
    assert!(is_alive(green) && is_alive(escaped));
    host.start_daemon().await;
    assert_eq!(host.pid("shop", Slot::Green).await, Some(green), "found again");
    host.vial(&["stop", "shop"]).await.ends(0);
    host.until_slot(Slot::Green, SlotState::Stopped).await;
    assert!(!is_alive(escaped), "the next daemon finds it too");
    assert!(delegated.slots().is_empty(), "{:?}", delegated.slots());
    assert!(is_alive(epmd), "epmd is never ended with a slot");
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_that_died_while_the_daemon_was_away_leaves_nothing_in_its_cgroup() {
    let Some(delegated) = Delegated::make() else { return };
    let folder = open_folder();
    let binary = delegated.binary(folder.path());
    let mut host = Setup::new().app("shop", QUICK).binary(binary).start().await;
    host.deploy(1).await;
    let before = delegated.slots();
    let escaped = escapes(&host, folder.path()).await;
    let slot = host.pid("shop", Slot::Blue).await.unwrap();
    host.kill_daemon();
    processes::signal(slot, Signal::SIGKILL);
    until_gone(slot).await;
    assert!(is_alive(escaped));
    host.start_daemon().await;
    host.until_slot(Slot::Blue, SlotState::Running).await;
    assert!(!is_alive(escaped));
    let after = delegated.slots();
    assert!(after.len() == 1 && after != before, "{before:?} {after:?}");
    drop(host);
}

#[tokio::test(flavor = "multi_thread")]
async fn heart_that_the_environment_turns_on_is_refused_before_the_start() {
    let folder = open_folder();
    let file = folder.path().join("env");
    std::fs::write(&file, "ERL_ZFLAGS=\"+sbwt none -heart\"\n").unwrap();
    let host = Host::shop(&format!("{QUICK}\nenv_file = {file:?}")).await;
    let path = archive(1);
    host.vial(&["deploy", "shop", text(&path)])
        .await
        .ends(1)
        .says(&["ERL_ZFLAGS has -heart", "Take -heart out of ERL_ZFLAGS"]);
    assert!(host.processes().iter().all(|pid| processes::name(*pid) != "heart"));
    let cause = "ERL_ZFLAGS turns heart on in";
    host.vial(&["doctor"]).await.says(&[cause, "Take -heart out of ERL_ZFLAGS"]);
    std::fs::write(&file, "ERL_ZFLAGS=\"+sbwt none\"\n").unwrap();
    host.vial(&["deploy", "shop", text(&path)]).await.ends(0);
    host.vial(&["doctor"]).await.never_says(&[cause]);
}

#[tokio::test(flavor = "multi_thread")]
async fn heart_that_hides_in_a_file_is_seen_on_the_emulator_and_gets_no_traffic() {
    let folder = open_folder();
    let (file, args) = (folder.path().join("env"), folder.path().join("args"));
    std::fs::write(&args, "-heart\n").unwrap();
    std::fs::write(&file, format!("ERL_FLAGS=\"-args_file {}\"\n", args.display())).unwrap();
    let host = Host::shop(&format!("{QUICK}\nenv_file = {file:?}")).await;
    let path = archive(1);
    host.vial(&["deploy", "shop", text(&path)]).await.ends(1).says(&[
        "No release serves yet",
        "v1.0.0 runs with -heart",
        "take -heart out of",
    ]);
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    let left: Vec<String> = host.processes().into_iter().map(processes::name).collect();
    assert!(left.iter().all(|name| name == "epmd"), "{left:?}");
}
