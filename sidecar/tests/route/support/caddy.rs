//! A real Caddy as a child process, killed by its own pid.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A running Caddy.
pub struct Caddy {
    child: Child,
    folder: PathBuf,
    arguments: Vec<String>,
    user: Option<u32>,
}

impl Caddy {
    /// Starts `caddy run` in a folder and waits until it serves.
    pub async fn start(folder: &Path, arguments: &[&str]) -> Caddy {
        Self::start_as(folder, arguments, None).await
    }

    /// The same as another user, which takes root.
    pub async fn start_as(folder: &Path, arguments: &[&str], user: Option<u32>) -> Caddy {
        let arguments: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
        let child = spawn(folder, &arguments, user);
        let mut caddy = Caddy { child, folder: folder.into(), arguments, user };
        caddy.wait_until_serving().await;
        caddy
    }

    /// Ends it as `kill -9` would, and waits for that.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with the arguments of the first time.
    pub async fn start_again(&mut self) {
        self.kill();
        self.child = spawn(&self.folder, &self.arguments, self.user);
        self.wait_until_serving().await;
    }

    /// Runs another command of Caddy in the same surroundings.
    pub fn run(folder: &Path, arguments: &[&str]) -> Output {
        let output = command(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "caddy {arguments:?}: {output:?}");
        output
    }

    async fn wait_until_serving(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let log = std::fs::read_to_string(self.folder.join("caddy.log")).unwrap();
            if log.contains("serving initial configuration") {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "Caddy did not start:\n{log}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        self.kill();
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new("caddy");
    command.current_dir(folder).stdin(Stdio::null());
    for home in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
        command.env(home, folder.join("home"));
    }
    command
}

fn spawn(folder: &Path, arguments: &[String], user: Option<u32>) -> Child {
    let log = File::create(folder.join("caddy.log")).unwrap();
    let mut command = command(folder);
    command.arg("run").args(arguments).stdout(Stdio::null()).stderr(log);
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    command.spawn().unwrap_or_else(|error| {
        panic!("Caddy could not be started ({error}). Install it: apt-get install caddy")
    })
}
