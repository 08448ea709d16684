//! What stands for systemd: the socket that it listens on, and a `systemctl` that answers as told.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tokio::net::UnixDatagram;
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, timeout, timeout_at};

use super::SOON;

/// The socket that a daemon tells how it is.
pub struct Manager {
    told: Mutex<mpsc::UnboundedReceiver<String>>,
    path: PathBuf,
    bin: PathBuf,
}

impl Manager {
    /// In a folder of a host.
    pub fn new(folder: &Path) -> Manager {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        // Read all the time: the queue of a socket is short.
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut bytes = vec![0; 1 << 16];
            while let Ok(length) = socket.recv(&mut bytes).await {
                let text = String::from_utf8(bytes[..length].to_vec()).unwrap();
                if tell.send(text).is_err() {
                    return;
                }
            }
        });
        let manager = Manager { told: Mutex::new(told), path, bin };
        manager.systemctl("echo running");
        manager
    }

    /// What `systemctl` does from now on: the body of a shell script.
    pub fn systemctl(&self, body: &str) {
        let aside = self.bin.join("systemctl.new");
        std::fs::write(&aside, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::rename(aside, self.bin.join("systemctl")).unwrap();
    }

    /// The folder of that `systemctl`, before the others of the PATH.
    pub fn path_variable(&self) -> String {
        format!("{}:{}", self.bin.display(), std::env::var("PATH").unwrap())
    }

    /// Makes a command one of this manager's.
    pub fn adopt(&self, command: &mut Command) {
        command.env("NOTIFY_SOCKET", &self.path).env("PATH", self.path_variable());
    }

    /// The next that a daemon tells: a variable a line.
    pub async fn next(&self, within: Duration) -> Option<String> {
        timeout(within, async { self.told.lock().await.recv().await }).await.ok()?
    }

    /// Waits until a daemon tells all of this at once; everything that it told until then.
    pub async fn until(&self, lines: &[&str]) -> Vec<String> {
        let deadline = Instant::now() + SOON;
        let mut all = Vec::new();
        loop {
            let told = timeout_at(deadline, self.next(SOON)).await.ok().flatten();
            let Some(told) = told else { panic!("{lines:?} was not told, but:\n{all:#?}") };
            let enough = lines.iter().all(|wanted| told.lines().any(|it| it.starts_with(wanted)));
            all.push(told);
            if enough {
                return all;
            }
        }
    }

    /// How often a daemon says within some time that it lives.
    pub async fn pings(&self, within: Duration) -> usize {
        let deadline = Instant::now() + within;
        let mut count = 0;
        while let Ok(Some(told)) = timeout_at(deadline, self.next(within)).await {
            count += usize::from(told.contains("WATCHDOG=1"));
        }
        count
    }
}
