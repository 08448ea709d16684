//! What belongs to a slot, and how it is stopped, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader, PipeReader};
use std::time::Duration;

use vial::slot::family::{HEALTH, MARKER, members, stop, sweep_health};
use vial::slot::process::Signal;
use vial::slot::{Exit, Identity, Output, Process, Spec, Stopped, spawn};

const SOON: Duration = Duration::from_secs(10);

struct Slot {
    process: Process,
    run_id: String,
    output: BufReader<PipeReader>,
}

impl Slot {
    fn start(script: &str) -> Slot {
        Slot::start_as(format!("{:x}", rand()), script)
    }

    fn start_as(run_id: String, script: &str) -> Slot {
        let spec = Spec {
            binary: env!("CARGO_BIN_EXE_vial").into(),
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![
                ("PATH".into(), "/usr/bin:/bin".into()),
                (MARKER.into(), run_id.clone().into()),
            ],
            cwd: "/".into(),
            user: None,
            output: Output::Piped,
            restraint: None,
        };
        let mut waiting = spawn(&spec).unwrap();
        let output = BufReader::new(waiting.take_output().unwrap());
        Slot { process: waiting.open().unwrap(), run_id, output }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// The process whose pid the script prints next.
    fn announced(&mut self) -> Identity {
        let pid = self.line().parse().unwrap();
        Identity::of(pid).unwrap().expect("it runs")
    }

    async fn stop(&self, grace: Duration) -> Stopped {
        tokio::time::timeout(SOON, stop(&self.process, &self.run_id, grace)).await.unwrap().unwrap()
    }

    fn members(&self) -> Vec<Identity> {
        members(Some(self.process.identity()), &self.run_id).unwrap()
    }
}

/// Whatever a failed test leaves running.
impl Drop for Slot {
    fn drop(&mut self) {
        for identity in self.members() {
            if let Some(process) = Process::adopt(&identity).unwrap() {
                process.signal(Signal::KILL).unwrap();
            }
        }
    }
}

fn rand() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

#[tokio::test]
async fn a_process_that_heeds_sigterm_is_not_killed() {
    let mut slot = Slot::start("trap 'exit 3' TERM; echo ready; while :; do sleep 0.02; done");
    assert_eq!(slot.line(), "ready");
    let stopped = slot.stop(SOON).await;
    assert_eq!((stopped.exit, stopped.killed), (Exit::Status(3), false));
}

#[tokio::test]
async fn a_process_that_ignores_sigterm_is_killed_after_its_grace_with_its_family() {
    let mut slot = Slot::start(
        "trap '' TERM; setsid sleep 1000 & echo $!; echo ready; while :; do sleep 0.02; done",
    );
    let child = slot.announced();
    assert_eq!(slot.line(), "ready");
    let stopped = slot.stop(Duration::from_millis(100)).await;
    assert_eq!((stopped.exit, stopped.killed), (Exit::Signal(9), true));
    assert!(stopped.leftovers >= 1);
    assert!(!child.is_alive().unwrap());
    assert!(slot.members().is_empty());
}

#[tokio::test]
async fn a_frozen_process_is_thawed_to_end() {
    let mut slot = Slot::start("trap 'exit 0' TERM; echo ready; while :; do sleep 0.02; done");
    assert_eq!(slot.line(), "ready");
    slot.process.signal(Signal::STOP).unwrap();
    let stopped = slot.stop(SOON).await;
    assert_eq!((stopped.exit, stopped.killed), (Exit::Status(0), false));
}

#[tokio::test]
async fn an_orphan_in_a_session_of_its_own_is_found_by_its_marker_and_killed() {
    let mut slot = Slot::start(
        "(setsid sh -c 'echo $$; exec sleep 1000' &); sleep 0.1; echo ready; exec sleep 1000",
    );
    let orphan = slot.announced();
    assert_eq!(slot.line(), "ready");
    assert!(slot.members().contains(&orphan));
    let stopped = slot.stop(SOON).await;
    assert_eq!(stopped, Stopped { exit: Exit::Signal(15), killed: false, leftovers: 1 });
    assert!(!orphan.is_alive().unwrap());
}

#[tokio::test]
async fn a_descendant_that_cleared_its_environment_is_found_by_descent_and_killed() {
    let mut slot = Slot::start("env -i setsid sleep 1000 & echo $!; sleep 0.1; echo ready; wait");
    let child = slot.announced();
    assert_eq!(slot.line(), "ready");
    assert!(slot.members().contains(&child));
    assert_eq!(slot.stop(SOON).await.leftovers, 1);
    assert!(!child.is_alive().unwrap());
}

#[tokio::test]
async fn what_ends_by_itself_soon_after_is_no_leftover() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    let mut slot = Slot::start(&format!(
        "trap 'exit 0' TERM; mkfifo {0}; cat {0} & exec 3> {0}; echo ready
         while :; do sleep 0.02 3>&-; done",
        fifo.display()
    ));
    assert_eq!(slot.line(), "ready");
    let stopped = slot.stop(SOON).await;
    assert_eq!(stopped, Stopped { exit: Exit::Status(0), killed: false, leftovers: 0 });
}

#[tokio::test]
async fn another_run_and_ourselves_are_not_of_the_family() {
    let mut one = Slot::start("sleep 1000 & echo ready; wait");
    let mut other = Slot::start("sleep 1000 & echo ready; wait");
    assert_eq!((one.line(), other.line()), ("ready".into(), "ready".into()));
    let ours = one.members();
    assert_eq!(ours.len(), 2);
    assert!(other.members().iter().all(|member| !ours.contains(member)));
    let me = Identity::of(std::process::id()).unwrap().unwrap();
    assert!(!members(Some(&me), &one.run_id).unwrap().contains(&me));
    one.stop(SOON).await;
    assert!(!other.process.has_exited());
    assert_eq!(other.members().len(), 2);
    other.stop(SOON).await;
}

#[tokio::test]
async fn the_health_commands_of_an_app_are_swept_and_its_slots_are_not() {
    let app = format!("{:x}.shop.", rand());
    let mut slot = Slot::start_as(format!("{app}17"), "echo ready; exec sleep 1000");
    let mut check = Slot::start_as(format!("{app}17{HEALTH}"), "echo ready; exec sleep 1000");
    let mut other = Slot::start_as(format!("x{app}17{HEALTH}"), "echo ready; exec sleep 1000");
    for it in [&mut slot, &mut check, &mut other] {
        assert_eq!(it.line(), "ready");
    }
    assert_eq!(sweep_health(&app).unwrap(), 1);
    assert_eq!(check.process.exited().await, Exit::Signal(9));
    assert!(!slot.process.has_exited() && !other.process.has_exited());
}

#[tokio::test]
async fn an_epmd_that_the_release_started_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let epmd = folder.path().join("epmd");
    std::fs::copy("/bin/sleep", &epmd).unwrap();
    let mut slot =
        Slot::start(&format!("{} 1000 & echo $!; sleep 0.1; exec sleep 1000", epmd.display()));
    let epmd = slot.announced();
    let comm = format!("/proc/{}/comm", epmd.pid);
    while std::fs::read_to_string(&comm).unwrap().trim() != "epmd" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!slot.members().contains(&epmd));
    assert_eq!(slot.stop(SOON).await.leftovers, 0);
    let epmd = Process::adopt(&epmd).unwrap().expect("it outlived the slot");
    epmd.signal(Signal::KILL).unwrap();
    epmd.exited().await;
}

#[tokio::test]
async fn a_process_that_has_ended_already_is_stopped() {
    let slot = Slot::start("exit 4");
    slot.process.exited().await;
    let stopped = slot.stop(SOON).await;
    assert_eq!(stopped, Stopped { exit: Exit::Status(4), killed: false, leftovers: 0 });
}
