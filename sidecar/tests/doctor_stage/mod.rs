//! A set-up of its own for each test: a configuration in a temporary folder, the real daemon and a
//! real Caddy on free ports where a test wants them, and a PATH that can hold other programs.

// A helper that fails is a test that fails.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "../support/ports.rs"]
pub mod ports;

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};
use serde_json::Value;
use tempfile::TempDir;

/// A child that does not outlive its test.
pub struct Running(Child);

impl Running {
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Ends it as `kill -9` would.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Ends it as systemd would.
    pub fn stop(&mut self) {
        kill(Pid::from_raw(self.0.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// What the doctor said.
pub struct Report {
    pub code: i32,
    pub findings: Vec<Value>,
    pub text: String,
}

impl Report {
    /// Whether there is such a finding, with its cause and its cure named.
    pub fn finds(&self, level: &str, cause: &str, cure: &str) {
        let found = self.findings.iter().any(|finding| {
            let has =
                |key: &str, part: &str| finding[key].as_str().is_some_and(|it| it.contains(part));
            finding["level"] == level && has("message", cause) && has("cure", cure)
        });
        assert!(found, "no {level} says {cause:?} and cures it by {cure:?}:\n{}", self.text);
        assert_eq!(self.code, if level == "hint" { self.code } else { 1 }, "{}", self.text);
    }

    /// What is to be mended, as the subjects.
    pub fn wrong(&self) -> Vec<&str> {
        let wrong =
            self.findings.iter().filter(|it| it["level"] == "problem" || it["level"] == "warning");
        wrong.map(|finding| finding["subject"].as_str().unwrap()).collect()
    }
}

pub struct Stage {
    folder: TempDir,
    pub admin: u16,
    pub site: u16,
    pub blue: u16,
    pub green: u16,
    /// Replaces PATH as a whole.
    pub path: Option<String>,
}

impl Stage {
    /// A configuration with the app `shop`.
    pub fn new() -> Stage {
        let stage = Stage {
            folder: tempfile::Builder::new().prefix("vial-doctor-").tempdir().unwrap(),
            admin: ports::free(),
            site: ports::free(),
            blue: ports::free(),
            green: ports::free(),
            path: None,
        };
        stage.mode("", 0o755);
        fs::create_dir(stage.at("apps")).unwrap();
        fs::create_dir(stage.at("bin")).unwrap();
        stage.host("");
        stage.shop("");
        stage
    }

    pub fn at(&self, below: &str) -> PathBuf {
        if below.is_empty() { self.folder.path().into() } else { self.folder.path().join(below) }
    }

    pub fn mode(&self, below: &str, mode: u32) {
        fs::set_permissions(self.at(below), Permissions::from_mode(mode)).unwrap();
    }

    pub fn write(&self, below: &str, text: &str) {
        fs::write(self.at(below), text).unwrap();
        self.mode(below, 0o644);
    }

    /// A program that is found before those of the system.
    pub fn program(&self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        self.write(&path, &format!("#!/bin/sh\n{script}\n"));
        self.mode(&path, 0o755);
    }

    /// The host's file, with lines of one's own.
    pub fn host(&self, lines: &str) {
        self.write("vial.toml", &host(self.admin, "state", lines));
    }

    /// The app's file, with lines of one's own.
    pub fn shop(&self, lines: &str) {
        self.write("apps/shop.toml", &app("shop", self.blue, self.green, lines));
    }

    pub fn file(&self) -> String {
        self.at("vial.toml").display().to_string()
    }

    fn vial(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vial"));
        let usual = std::env::var("PATH").unwrap_or_default();
        let path = self.path.clone().unwrap_or(usual);
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", self.at("bin").display()))
            .arg("--config")
            .arg(self.at("vial.toml"))
            .stdin(Stdio::null());
        command
    }

    /// `vial doctor --json`, with further arguments.
    pub fn doctor_with(&self, args: &[&str]) -> Report {
        let output = self.vial().args(["doctor", "--json"]).args(args).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let json: Value = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("{error}: {text}{}", String::from_utf8_lossy(&output.stderr))
        });
        let code = output.status.code().unwrap();
        assert_eq!(json["ok"], code == 0, "{text}");
        Report { code, findings: json["findings"].as_array().unwrap().clone(), text }
    }

    pub fn doctor(&self) -> Report {
        self.doctor_with(&[])
    }

    /// `vial doctor`, as a person sees it.
    pub fn page(&self, args: &[&str]) -> (i32, String) {
        let output = self.vial().arg("doctor").args(args).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    }

    /// The real daemon, once it answers. It may open as many files as its unit lets it.
    pub fn daemon(&self) -> Running {
        self.daemon_with_files("ulimit -Sn 4096 2>/dev/null || true")
    }

    pub fn daemon_with_files(&self, limit: &str) -> Running {
        let log = File::create(self.at("vial.log")).unwrap();
        let vial = self.vial();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}; exec \"$@\""), "sh"]).arg(vial.get_program());
        command.args(vial.get_args()).arg("serve").env("RUST_LOG", "warn");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let running = Running(command.spawn().unwrap());
        let socket = self.at("run/vial.sock");
        self.until("the daemon", "vial.log", || answers(&socket));
        running
    }

    /// A real Caddy that serves this inside its block of the shop's host.
    pub fn caddy(&self, block: &str) -> Running {
        let text = format!(
            "{{\n\tadmin 127.0.0.1:{}\n\tauto_https off\n}}\nhttp://shop.localhost:{} {{\n\t{block}\n}}\n",
            self.admin, self.site
        );
        self.write("Caddyfile", &text);
        let log = File::create(self.at("caddy.log")).unwrap();
        let mut command = Command::new("caddy");
        command.args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"]);
        for home in ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env(home, self.at("home"));
        }
        command.current_dir(self.at("")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let running = Running(command.spawn().expect("Caddy is needed: apt-get install caddy"));
        self.until("Caddy", "caddy.log", || {
            fs::read_to_string(self.at("caddy.log"))
                .unwrap()
                .contains("serving initial configuration")
        });
        running
    }

    /// The line that the daemon's snippet asks for.
    pub fn import(&self) -> String {
        format!("import {}", self.at("state/route/shop/Caddyfile").display())
    }

    fn until(&self, what: &str, log: &str, ready: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !ready() {
            let said = || fs::read_to_string(self.at(log)).unwrap_or_default();
            assert!(Instant::now() < deadline, "{what} did not start:\n{}", said());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A daemon that says this of itself and nothing else; it ends with the test.
    pub fn fake_daemon(&self, status: &Value) {
        fs::create_dir_all(self.at("run")).unwrap();
        let listener = UnixListener::bind(self.at("run/vial.sock")).unwrap();
        let body = status.to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &body);
            }
        });
    }
}

/// Whether the daemon serves: it takes connections before its apps are prepared, and answers after.
fn answers(socket: &Path) -> bool {
    let Ok(mut stream) = UnixStream::connect(socket) else { return false };
    let asked = stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: vial\r\n\r\n");
    asked.is_ok() && stream.read(&mut [0; 16]).is_ok_and(|read| read > 0)
}

fn answer(mut stream: UnixStream, body: &str) {
    let mut asked = Vec::new();
    let mut buffer = [0; 1024];
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => asked.extend_from_slice(&buffer[..read]),
        }
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
    let length = body.len();
    let _ = write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}");
}

/// A host's file.
pub fn host(admin: u16, state: &str, lines: &str) -> String {
    format!(
        "state_dir = \"{state}\"\nrun_dir = \"run\"\n{lines}\n[caddy]\nadmin = \"127.0.0.1:{admin}\"\n"
    )
}

/// An app's file. Where the daemon is root, an app needs a user of its own.
pub fn app(name: &str, blue: u16, green: u16, lines: &str) -> String {
    let user = match geteuid().is_root() && !lines.contains("user =") {
        true => "user = \"nobody\"\n",
        false => "",
    };
    format!(
        "name = \"{name}\"\n{user}ports = {{ blue = {blue}, green = {green} }}\n\
         hosts = [\"{name}.localhost\"]\n{lines}\n"
    )
}

/// A file that holds a port, and nothing that answers there as an epmd or a release.
pub fn stranger() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Whether a path is there.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
