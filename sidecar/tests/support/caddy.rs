//! A real Caddy as a child process, ended by its own pid.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running Caddy.
pub struct Caddy {
    child: Child,
    folder: PathBuf,
}

impl Caddy {
    /// Starts it with the Caddyfile of a folder, and waits until it serves.
    pub async fn start(folder: &Path) -> Caddy {
        let log = File::create(folder.join("caddy.log")).unwrap();
        let child = command(folder)
            .args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| {
                panic!("Caddy could not be started ({error}). Install it: apt-get install caddy")
            });
        let mut caddy = Caddy { child, folder: folder.into() };
        caddy.until_it_serves().await;
        caddy
    }

    async fn until_it_serves(&mut self) {
        let deadline = Instant::now() + super::SOON;
        loop {
            let log = std::fs::read_to_string(self.folder.join("caddy.log")).unwrap();
            if log.contains("serving initial configuration") {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "Caddy did not start:\n{log}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Makes it read its Caddyfile again.
    pub fn reload(&self, admin: u16) {
        let reloaded = command(&self.folder)
            .args(["reload", "--config", "Caddyfile", "--adapter", "caddyfile"])
            .args(["--address", &format!("127.0.0.1:{admin}")])
            .output()
            .unwrap();
        assert!(reloaded.status.success(), "{reloaded:?}");
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
