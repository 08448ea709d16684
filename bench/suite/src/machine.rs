//! The machine that a run was made on, and how busy it was.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where and when something was measured.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// How many cores it has.
    pub cores: usize,
    /// Its processor.
    pub cpu: String,
    /// Its memory, in GiB.
    pub memory_gib: f64,
    /// Its kernel.
    pub kernel: String,
    /// Its distribution.
    pub system: String,
    /// How many processes ran or waited to run, in the minute before.
    pub load_before: f64,
    /// The same at the end: what was measured is among it.
    pub load_after: f64,
    /// The day.
    pub date: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Caddy's version.
    pub caddy: String,
    /// OTP's.
    pub otp: String,
    /// Elixir's.
    pub elixir: String,
    /// Vial's.
    pub vial: String,
    /// The commit that was built.
    pub commit: String,
    /// What repeats it.
    pub command: String,
}

impl Machine {
    /// This one, now.
    #[must_use]
    pub fn of_this_run(vial: &Path, command: String) -> Machine {
        let elixir = said("elixir", &["--version"]);
        let line = |from: &str, begin: &str| {
            let found = from.lines().find_map(|line| line.strip_prefix(begin));
            found.unwrap_or_default().trim().to_owned()
        };
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
        let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory: f64 =
            line(&meminfo, "MemTotal:").trim_end_matches(" kB").trim().parse().unwrap_or(0.0);
        let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
        let first = |text: String| text.split_whitespace().next().unwrap_or_default().to_owned();
        Machine {
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            cpu: cpu.unwrap_or_default().trim_start_matches([' ', '\t', ':']).to_owned(),
            memory_gib: (memory / 1024.0 / 1024.0 * 10.0).round() / 10.0,
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            system: line(&release, "PRETTY_NAME=").trim_matches('"').to_owned(),
            load_before: load(),
            load_after: 0.0,
            date: Timestamp::now().strftime("%Y-%m-%d").to_string(),
            seconds: 0.0,
            caddy: first(said("caddy", &["version"])),
            otp: otp(&elixir),
            elixir: first(line(&elixir, "Elixir ")),
            vial: said(&vial.to_string_lossy(), &["--version"]).trim().to_owned(),
            commit: commit(),
            command,
        }
    }
}

/// The load of the last minute.
#[must_use]
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|it| it.parse().ok()).unwrap_or(0.0)
}

fn otp(elixir: &str) -> String {
    let line = elixir.lines().find(|line| line.starts_with("Erlang/OTP")).unwrap_or_default();
    line.split_whitespace().nth(1).unwrap_or_default().to_owned()
}

/// The commit, and whether there was more than it says.
fn commit() -> String {
    let commit = said("git", &["rev-parse", "--short", "HEAD"]).trim().to_owned();
    let changed = said("git", &["status", "--porcelain", "--untracked-files=no"]);
    let changed = changed.lines().any(|line| !line.ends_with("README.md"));
    if changed { format!("{commit} and changes") } else { commit }
}

/// What a program prints; nothing where it cannot be run.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(std::env::var_os("VIAL_ROOT").unwrap_or_else(|| ".".into()))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default()
}
