//! Two-phase spawn, with real processes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use vial::slot::process::Signal;
use vial::slot::spawn::SpawnError;
use vial::slot::{Exit, Identity, Output, Process, Spec, User, spawn};

fn spec(script: &str, output: Output) -> Spec {
    Spec {
        binary: env!("CARGO_BIN_EXE_vial").into(),
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        cwd: "/".into(),
        user: None,
        output,
        restraint: None,
    }
}

/// Runs a script to its end; its exit and its output.
async fn run(spec: &Spec) -> (Exit, String) {
    let mut waiting = spawn(spec).unwrap();
    let output = waiting.take_output().unwrap();
    let process = waiting.open().unwrap();
    let exit = process.exited().await;
    (exit, std::io::read_to_string(output).unwrap())
}

async fn until_gone(identity: &Identity) {
    let gone = async {
        while Path::new(&format!("/proc/{}", identity.pid)).exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("it is gone");
}

#[tokio::test]
async fn the_program_keeps_the_pid_and_start_time_that_were_written_down() {
    let mut waiting = spawn(&spec("echo $$; exec cat /proc/self/stat", Output::Piped)).unwrap();
    let identity = waiting.identity.clone();
    let output = waiting.take_output().unwrap();
    let process = waiting.open().unwrap();
    assert_eq!(process.identity(), &identity);
    assert_eq!(process.exited().await, Exit::Status(0));
    let text = std::io::read_to_string(output).unwrap();
    let (pid, stat) = text.split_once('\n').unwrap();
    assert_eq!(pid, identity.pid.to_string());
    let fields: Vec<&str> = stat.split_whitespace().collect();
    assert_eq!(fields[0], pid);
    assert_eq!(fields[5], pid, "it leads a session of its own");
    assert_eq!(fields[21], identity.start_ticks.to_string());
}

#[tokio::test]
async fn a_process_waits_until_its_gate_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    let waiting = spawn(&spec(&format!("touch {}", mark.display()), Output::Piped)).unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(waiting.identity.is_alive().unwrap());
    assert!(!mark.exists());
    assert_eq!(waiting.open().unwrap().exited().await, Exit::Status(0));
    assert!(mark.exists());
}

#[tokio::test]
async fn a_process_whose_gate_is_never_opened_ends_without_running_and_leaves_no_zombie() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("ran");
    let waiting = spawn(&spec(&format!("touch {}", mark.display()), Output::Piped)).unwrap();
    let identity = waiting.identity.clone();
    drop(waiting);
    until_gone(&identity).await;
    assert!(!mark.exists());
}

/// Not a test: the daemon of the test below, which runs this in a process of its own.
#[tokio::test]
#[ignore = "run by a_daemon_killed_between_spawn_and_open_leaves_no_stranger"]
async fn a_daemon_that_is_killed() {
    let Ok(log) = std::env::var("TEST_LOG") else { return };
    let waiting = spawn(&spec("echo it runs", Output::Append(log.clone().into()))).unwrap();
    std::fs::write(format!("{log}.pid"), serde_json::to_string(&waiting.identity).unwrap())
        .unwrap();
    std::fs::rename(format!("{log}.pid"), format!("{log}.identity")).unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_daemon_killed_between_spawn_and_open_leaves_no_stranger() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("blue.log");
    let journal = folder.path().join("blue.log.identity");
    let mut daemon = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_daemon_that_is_killed"])
        .env("TEST_LOG", &log)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let written = async {
        while !journal.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
    let identity: Identity =
        serde_json::from_str(&std::fs::read_to_string(&journal).unwrap()).unwrap();
    assert!(identity.is_alive().unwrap());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let gone = async {
        while identity.is_alive().unwrap() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("it ended with its daemon");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "the program never ran");
}

#[tokio::test]
async fn the_environment_is_exactly_the_one_given_and_nothing_acts_on_it_before() {
    let mut spec = spec("", Output::Piped);
    spec.program = "env".into();
    spec.args.clear();
    spec.env.push(("LD_PRELOAD".into(), "/nonexistent/evil.so".into()));
    spec.env.push(("EMPTY".into(), "".into()));
    let (exit, output) = run(&spec).await;
    assert_eq!(exit, Exit::Status(0));
    let (complaints, mut lines): (Vec<&str>, Vec<&str>) =
        output.lines().partition(|line| line.contains("cannot be preloaded"));
    assert_eq!(complaints.len(), 1, "of env itself, not of what starts it: {output}");
    lines.sort_unstable();
    assert_eq!(lines, ["EMPTY=", "LD_PRELOAD=/nonexistent/evil.so", "PATH=/usr/bin:/bin"]);
}

#[tokio::test]
async fn nothing_of_the_daemon_reaches_the_program() {
    // A descriptor that stays open at exec, as one that the daemon itself inherited would.
    let file = std::fs::File::open("/dev/null").unwrap();
    let leaked = rustix::io::dup(&file).unwrap();
    assert!(leaked.as_raw_fd() > 2);
    let script = "ls -l /proc/$$/fd | grep -c ' -> '; readlink /proc/$$/fd/0; umask
        grep -E 'Sig(Ign|Blk)' /proc/self/status; ulimit -Sn; cat /proc/$$/oom_score_adj; pwd";
    let (exit, output) = run(&spec(script, Output::Piped)).await;
    assert_eq!(exit, Exit::Status(0));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "3", "only the standard ones: {output}");
    assert_eq!(lines[1..3], ["/dev/null", "0022"]);
    assert_eq!(lines[3], "SigBlk:\t0000000000000000");
    let ignored = u64::from_str_radix(lines[4].rsplit('\t').next().unwrap(), 16).unwrap();
    assert_eq!(ignored & 0x7fff_ffff, 0, "32 and above are not for programs: {output}");
    assert!(lines[5].parse::<u64>().unwrap() > 1024 || lines[5] == "1024", "{output}");
    assert_eq!(lines[6..], ["0", "/"]);
}

#[tokio::test]
async fn output_is_appended_to_a_file_that_others_cannot_read() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("blue.log");
    for word in ["one", "two"] {
        let script = format!("echo {word}; echo {word} >&2");
        let process = spawn(&spec(&script, Output::Append(log.clone()))).unwrap().open().unwrap();
        assert_eq!(process.exited().await, Exit::Status(0));
    }
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "one\none\ntwo\ntwo\n");
    assert_eq!(std::fs::metadata(&log).unwrap().permissions().mode() & 0o137, 0);
}

#[tokio::test]
async fn a_link_in_place_of_the_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("blue.log");
    std::os::unix::fs::symlink(folder.path().join("elsewhere"), &log).unwrap();
    let error = spawn(&spec("true", Output::Append(log.clone()))).unwrap_err();
    assert!(matches!(error, SpawnError::Log { .. }), "{error}");
    assert!(!folder.path().join("elsewhere").exists());
}

#[tokio::test]
async fn a_program_that_cannot_be_run_says_why_in_its_own_log() {
    let mut missing = spec("", Output::Piped);
    missing.program = "/nonexistent/bin/shop".into();
    let (exit, output) = run(&missing).await;
    assert_eq!(exit, Exit::Status(127));
    assert_eq!(
        output,
        "vial: cannot run /nonexistent/bin/shop: No such file or directory (os error 2)\n"
    );
    let mut not_executable = spec("", Output::Piped);
    not_executable.program = "/etc/passwd".into();
    assert_eq!(run(&not_executable).await.0, Exit::Status(126));
    let mut no_folder = spec("true", Output::Piped);
    no_folder.cwd = "/nonexistent".into();
    let (exit, output) = run(&no_folder).await;
    assert_eq!(exit, Exit::Status(126));
    assert!(output.contains("cannot enter the folder /nonexistent"), "{output}");
}

#[tokio::test]
async fn a_missing_binary_or_a_nul_in_an_argument_is_an_error() {
    let mut no_binary = spec("true", Output::Piped);
    no_binary.binary = "/nonexistent/vial".into();
    assert!(matches!(spawn(&no_binary), Err(SpawnError::Start { .. })));
    let mut nul = spec("true", Output::Piped);
    nul.args.push("a\0b".into());
    assert!(matches!(spawn(&nul), Err(SpawnError::Start { .. })));
}

#[tokio::test]
async fn a_user_is_become_with_its_groups_where_we_are_root_and_refused_where_not() {
    let root = nix::unistd::Uid::effective().is_root();
    let nobody = User::find(if root { "nobody" } else { "root" }).unwrap().unwrap();
    let mut spec = spec("id -u; id -g; id -Gn; id -ru; touch /nobody-was-here", Output::Piped);
    spec.user = Some(nobody.clone());
    if !root {
        assert!(matches!(spawn(&spec), Err(SpawnError::NotRoot { .. })));
        return;
    }
    let (exit, output) = run(&spec).await;
    assert_ne!(exit, Exit::Status(0), "it may not write to /");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], nobody.uid.to_string());
    assert_eq!(lines[1], nobody.gid.to_string());
    assert!(!lines[2].split(' ').any(|group| group == "root"), "{output}");
    assert_eq!(lines[3], nobody.uid.to_string());
}

#[tokio::test]
async fn a_running_process_is_found_again_and_any_number_may_wait_for_it() {
    let process = spawn(&spec("exec sleep 1000", Output::Piped)).unwrap().open().unwrap();
    let again = Process::adopt(process.identity()).unwrap().unwrap();
    assert!(!again.has_exited());
    let waits = (0..4).map(|n| if n % 2 == 0 { process.clone() } else { again.clone() });
    let waits: Vec<_> =
        waits.map(|process| tokio::spawn(async move { process.exited().await })).collect();
    tokio::task::yield_now().await;
    assert!(again.signal(Signal::TERM).unwrap());
    let mut exits = Vec::new();
    for wait in waits {
        exits.push(tokio::time::timeout(Duration::from_secs(5), wait).await.unwrap().unwrap());
    }
    assert!(process.has_exited() && again.has_exited());
    assert_eq!(exits.iter().filter(|exit| **exit == Exit::Signal(15)).count() % 2, 0);
    assert!(exits.contains(&Exit::Signal(15)), "{exits:?}");
    assert!(!again.signal(Signal::TERM).unwrap(), "it is gone");
    assert!(Process::adopt(process.identity()).unwrap().is_none());
}

#[tokio::test]
async fn a_stale_identity_is_never_adopted_and_so_never_signalled() {
    let process = spawn(&spec("exec sleep 1000", Output::Piped)).unwrap().open().unwrap();
    let identity = process.identity().clone();
    let reused = Identity { start_ticks: identity.start_ticks + 1, ..identity.clone() };
    let rebooted = Identity { boot_id: "an earlier boot".into(), ..identity.clone() };
    let none = Identity { pid: 0, ..identity.clone() };
    let huge = Identity { pid: u32::MAX, ..identity };
    for stale in [reused, rebooted, none, huge] {
        assert!(Process::adopt(&stale).unwrap().is_none(), "{stale:?}");
    }
    assert!(!process.has_exited());
    process.signal(Signal::KILL).unwrap();
    assert_eq!(process.exited().await, Exit::Signal(9));
}

#[tokio::test]
async fn the_exit_of_a_process_that_is_not_our_child_is_told_where_the_kernel_can() {
    // Whether the parent waits for it or has left it to init, as a daemon that was replaced has.
    for script in
        ["sh -c 'echo $$; sleep 0.3; exit 7'; true", "(sh -c 'echo $$; sleep 0.3; exit 7' &)"]
    {
        let mut waiting = spawn(&spec(script, Output::Piped)).unwrap();
        let output = waiting.take_output().unwrap();
        let parent = waiting.open().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let identity = Identity::of(line.trim().parse().unwrap()).unwrap().expect("it sleeps");
        let other = Process::adopt(&identity).unwrap().unwrap();
        let exit = tokio::time::timeout(Duration::from_secs(5), other.exited()).await.unwrap();
        parent.exited().await;
        if kernel_tells() {
            assert_eq!(exit, Exit::Status(7));
        } else {
            assert!(matches!(exit, Exit::Status(7) | Exit::Unknown), "{exit}");
        }
    }
}

/// Linux 6.15 and later.
fn kernel_tells() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.trim().parse::<u32>().ok());
    (numbers.next().unwrap(), numbers.next().unwrap()) >= (6, 15)
}

#[tokio::test]
async fn whoever_stops_waiting_half_way_holds_up_nobody_else() {
    let process =
        spawn(&spec("sleep 60", Output::Append("/dev/null".into()))).unwrap().open().unwrap();
    let mut left = Box::pin(process.exited());
    // Polled once, and then kept without being polled, as the losing side of a `select!` is while
    // the winning one works.
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut left).await.is_err());
    process.signal(Signal::KILL).unwrap();
    let exit = tokio::time::timeout(Duration::from_secs(5), process.exited()).await;
    assert_eq!(exit.expect("it is told at once"), left.await);
}
