//! Into a running release: an expression, a fresh instance, a console on a real terminal.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;

use super::QUICK;
use crate::support::{Host, daemon, processes};

#[tokio::test(flavor = "multi_thread")]
async fn expressions_are_evaluated_in_the_running_release_or_in_a_fresh_one() {
    let host = Host::shop(QUICK).await;
    host.vial(&["rpc", "shop", "1"]).await.ends(3).says(&["shop"]);
    host.deploy(1).await;
    host.vial(&["rpc", "shop", "IO.inspect({1 + 41, node(), Shop.version()})"])
        .await
        .ends(0)
        .says(&["{42, :\"shop_blue@127.0.0.1\", \"1.0.0\"}"]);
    host.vial(&["eval", "shop", "IO.inspect({1 + 41, node()})"])
        .await
        .ends(0)
        .says(&["{42, :nonode@nohost}"]);
    let said = host.vial(&["rpc", "shop", "raise \"no such order\""]).await;
    assert_ne!(said.code, Some(0), "{said}");
    said.says(&["no such order"]);
    let said = host.vial(&["eval", "shop", "System.halt(7)"]).await;
    said.ends(7);
    assert_eq!(host.serving().await, "1.0.0");
}

/// A `vial console` on a terminal of ours.
struct Terminal {
    child: Child,
    keys: File,
    shown: Receiver<Vec<u8>>,
    screen: String,
}

impl Terminal {
    fn open(host: &Host) -> Terminal {
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(Some(&size), None).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = daemon::command(&host.binary, &host.config())
            .args(["console", "shop"])
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

    fn types(&mut self, keys: &[u8]) {
        self.screen.clear();
        self.keys.write_all(keys).unwrap();
    }

    fn until_it_shows(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !self.screen.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.shown.recv_timeout(left) else {
                panic!("{text:?} was not shown: {:?}", self.screen)
            };
            self.screen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn resize(&self, rows: u16, cols: u16) {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_console_is_a_real_terminal_in_the_running_node() {
    let host = Host::shop(QUICK).await;
    host.deploy(1).await;
    let mut terminal = Terminal::open(&host);
    terminal.until_it_shows("iex(shop_blue@127.0.0.1)1>");
    terminal.types(b"1 + 41\r");
    terminal.until_it_shows("42");
    terminal.types(b":io.columns()\r");
    terminal.until_it_shows("{:ok, 80}");
    terminal.resize(40, 120);
    // The new size is on its way to the release's own terminal.
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        terminal.types(b":io.columns()\r");
        terminal.until_it_shows("{:ok, ");
        terminal.until_it_shows("}");
        if terminal.screen.contains("{:ok, 120}") {
            break;
        }
        assert!(Instant::now() < deadline, "{:?}", terminal.screen);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    terminal.types(b"\x1d");
    let deadline = Instant::now() + Duration::from_secs(10);
    let status = loop {
        if let Some(status) = terminal.child.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "Ctrl-] does not leave");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(status.code(), Some(0));
    assert_eq!(host.serving().await, "1.0.0", "the release goes on");
}
