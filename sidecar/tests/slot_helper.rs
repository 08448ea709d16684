//! Programs that run to their end, and terminals, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use vial::slot::family::{MARKER, members};
use vial::slot::helper::{Finished, Helper, HelperError, OUTPUT};
use vial::slot::terminal::{Size, Terminal};
use vial::slot::{Exit, Output, Spec, spawn};

const SOON: Duration = Duration::from_secs(10);

fn spec(script: &str, run_id: &str, output: Output) -> Spec {
    Spec {
        binary: env!("CARGO_BIN_EXE_vial").into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("TERM".into(), "xterm".into()),
            (MARKER.into(), run_id.into()),
        ],
        cwd: "/".into(),
        user: None,
        output,
        restraint: None,
    }
}

fn helper(script: &str) -> (Helper, String) {
    use std::hash::{BuildHasher, RandomState};
    let run_id = format!("{:x}", RandomState::new().hash_one(script));
    (Helper::start(&spec(script, &run_id, Output::Piped), &run_id).unwrap(), run_id)
}

async fn until_alone(run_id: &str) {
    let alone = async {
        while !members(None, run_id).unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, alone).await.expect("its family is gone");
}

#[tokio::test]
async fn a_helper_tells_each_line_and_how_it_ended() {
    let mut lines = Vec::new();
    let (helper, _) = helper("echo one; echo two >&2; printf three; exit 5");
    let finished = helper.run(SOON, |line| lines.push(line.to_owned())).await.unwrap();
    let output = "one\ntwo\nthree".to_owned();
    assert_eq!(finished, Finished { output, exit: Exit::Status(5), truncated: false });
    assert_eq!(lines, ["one", "two", "three"]);
}

#[tokio::test]
async fn output_without_end_is_cut_but_the_helper_ends() {
    let (helper, _) = helper("head -c 3000000 /dev/zero; exit 0");
    let finished = helper.run(SOON, |_| {}).await.unwrap();
    assert_eq!((finished.output.len(), finished.exit), (OUTPUT, Exit::Status(0)));
    assert!(finished.truncated);
}

#[tokio::test]
async fn a_helper_that_takes_too_long_is_killed_with_its_family() {
    let (helper, run_id) = helper("echo begun; (setsid sleep 1000 &); trap '' TERM; sleep 1000");
    let error = helper.run(Duration::from_millis(300), |_| {}).await.unwrap_err();
    let HelperError::TimedOut { output, .. } = error else { panic!("{error}") };
    assert_eq!(output, "begun\n");
    until_alone(&run_id).await;
}

#[tokio::test]
async fn a_helper_that_nobody_waits_for_any_more_is_killed_with_its_family() {
    let (helper, run_id) = helper("(setsid sleep 1000 &); sleep 1000");
    let run = tokio::spawn(async move { helper.run(SOON, |_| {}).await });
    let begun = async {
        while members(None, &run_id).unwrap().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, begun).await.unwrap();
    run.abort();
    until_alone(&run_id).await;
}

#[tokio::test]
async fn what_a_helper_leaves_behind_neither_holds_it_up_nor_stays() {
    let (helper, run_id) = helper("sleep 1000 & echo done");
    let finished = helper.run(SOON, |_| {}).await.unwrap();
    assert_eq!((finished.output.as_str(), finished.exit), ("done\n", Exit::Status(0)));
    assert!(members(None, &run_id).unwrap().is_empty());
}

#[tokio::test]
async fn a_helper_that_is_never_run_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (helper, _) = helper(&format!("touch {}/ran", folder.path().display()));
    let identity = helper.identity().clone();
    assert!(identity.is_alive().unwrap());
    drop(helper);
    let gone = async {
        while identity.is_alive().unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, gone).await.unwrap();
    assert!(!folder.path().join("ran").exists());
}

/// Reads a terminal until what it says holds `wanted`, or ends.
async fn until(terminal: &Terminal, wanted: &str) -> String {
    let mut said = Vec::new();
    let mut buffer = [0; 1024];
    let read = async {
        while !String::from_utf8_lossy(&said).contains(wanted) {
            match terminal.read(&mut buffer).await.unwrap() {
                0 => break,
                count => said.extend_from_slice(&buffer[..count]),
            }
        }
    };
    tokio::time::timeout(SOON, read).await.expect("the terminal says something");
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_terminal_is_typed_into_resized_and_ends_with_its_program() {
    let size = Size { rows: 24, columns: 80 };
    let (terminal, theirs) = Terminal::open(size, None).unwrap();
    let script = "stty size; tty; ps -o tty= -p $$; trap 'stty size' WINCH
        read line; echo \"got $line\"; read line; echo end";
    let waiting = spawn(&spec(script, "terminal", Output::Terminal(theirs))).unwrap();
    let process = waiting.open().unwrap();
    let said = until(&terminal, "\r\npts/").await;
    assert!(said.starts_with("24 80\r\n/dev/pts/"), "{said}");
    terminal.write(b"hello\r").await.unwrap();
    assert!(until(&terminal, "got hello").await.contains("hello\r\n"), "echo is on");
    terminal.resize(Size { rows: 50, columns: 132 }).unwrap();
    until(&terminal, "50 132").await;
    terminal.write(b"\r").await.unwrap();
    until(&terminal, "end").await;
    assert_eq!(process.exited().await, Exit::Status(0));
    until(&terminal, "more than it will ever say").await;
}

#[tokio::test]
async fn a_terminal_passes_control_c_to_the_program_and_hangs_up_when_dropped() {
    let open = || Terminal::open(Size { rows: 24, columns: 80 }, None).unwrap();
    let (terminal, theirs) = open();
    let sleep = spec("echo ready; exec sleep 1000", "terminal", Output::Terminal(theirs));
    let process = spawn(&sleep).unwrap().open().unwrap();
    until(&terminal, "ready").await;
    terminal.write(b"\x03").await.unwrap();
    let exit = tokio::time::timeout(SOON, process.exited()).await.unwrap();
    assert_eq!(exit, Exit::Signal(2));

    let (terminal, theirs) = open();
    let sleep = spec("echo ready; exec sleep 1000", "terminal", Output::Terminal(theirs));
    let process = spawn(&sleep).unwrap().open().unwrap();
    drop(sleep);
    until(&terminal, "ready").await;
    drop(terminal);
    let exit = tokio::time::timeout(SOON, process.exited()).await.unwrap();
    assert_eq!(exit, Exit::Signal(1));
}
