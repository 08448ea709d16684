//! A `vial serve` as a child process, ended by its own pid.

use std::fs::OpenOptions;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use super::processes;

/// The binary that is tested.
pub const VIAL: &str = env!("CARGO_BIN_EXE_vial");

/// A running daemon.
pub struct Daemon {
    child: Child,
}

/// A command of the binary, with nothing of this test's own surroundings.
pub fn command(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    // The tests may run under systemd themselves.
    for name in
        ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "INVOCATION_ID", "JOURNAL_STREAM"]
    {
        command.env_remove(name);
    }
    command
        .env_remove("VIAL_SOCKET")
        .env_remove("RUST_LOG")
        .env("VIAL_CONFIG", config)
        .env("TZ", "UTC")
        .env("NO_COLOR", "1");
    #[cfg(feature = "faults")]
    command.env(vial::fault::FOLDER, config.with_file_name("faults"));
    command
}

impl Daemon {
    /// Starts it, and waits for nothing.
    pub fn begin(binary: &Path, config: &Path, log: &Path) -> Daemon {
        let file = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = command(binary, config);
        command.arg("serve").stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Daemon { child: command.spawn().unwrap() }
    }

    /// Starts it, and waits until it answers.
    pub async fn start(
        binary: &Path,
        config: &Path,
        socket: &Path,
        log: &Path,
        env: &[(String, String)],
    ) -> Daemon {
        let mut command = command(binary, config);
        command.arg("serve").stdin(Stdio::null());
        command.envs(env.iter().map(|(name, value)| (name, value)));
        Daemon::start_by(command, socket, log).await
    }

    /// The same with a command of the test's own.
    pub async fn start_by(mut command: Command, socket: &Path, log: &Path) -> Daemon {
        let before = std::fs::read_to_string(log).unwrap_or_default().len();
        let file = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command.stdout(Stdio::null()).stderr(file).spawn().unwrap();
        let mut daemon = Daemon { child };
        let deadline = Instant::now() + super::SOON;
        let said = || std::fs::read_to_string(log).unwrap_or_default()[before..].to_owned();
        loop {
            if said().contains("\"message\":\"serving\"") && UnixStream::connect(socket).is_ok() {
                return daemon;
            }
            let ended = daemon.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "the daemon did not start:\n{}",
                said()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -9`
    pub fn kill(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Whether it ends by itself within a time.
    pub async fn ends(&mut self, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        true
    }

    /// Sends a signal, and waits for its end.
    pub async fn end(mut self, signal: Signal) -> ExitStatus {
        processes::signal(self.pid(), signal);
        let deadline = Instant::now() + super::SOON;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the daemon did not end on {signal}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
