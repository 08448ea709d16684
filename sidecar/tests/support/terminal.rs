//! A terminal with somebody at it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;

use super::{Host, daemon, processes};

/// A command of Vial's on a terminal of ours.
pub struct Terminal {
    pub child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    pub screen: String,
}

impl Terminal {
    /// Runs a command of the binary on it.
    pub fn open(host: &Host, args: &[&str]) -> Terminal {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = daemon::command(&host.binary, &host.config())
            .args(args)
            .env("TERM", "xterm")
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        drop(pty.slave);
        let keys = File::from(pty.master);
        let mut screen = keys.try_clone().unwrap();
        let (tell, shown) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The other side is gone: reading fails, and the thread ends.
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if tell.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Terminal { child, keys, shown, screen: String::new() }
    }

    /// Forgets what was shown, and types.
    pub fn types(&mut self, keys: &[u8]) {
        self.screen.clear();
        self.keys.write_all(keys).unwrap();
    }

    /// Waits until it shows a text.
    pub fn until_it_shows(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.screen.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else {
                panic!("{text:?} was not shown: {:?}", self.screen)
            };
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// Gives it another size.
    pub fn resize(&self, rows: u16, cols: u16) {
        let size =
            rustix::termios::Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&self.keys, size).unwrap();
        // What the kernel does for the terminal's own session, which this is not.
        processes::signal(self.child.id(), Signal::SIGWINCH);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
