//! What runs in a host's folder: by its environment, or by where its output goes.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// The pids of all processes that were started in a folder: slots, what descends from them, epmd.
pub fn in_folder(folder: &Path) -> Vec<u32> {
    all().into_iter().filter(|pid| *pid != std::process::id() && belongs(*pid, folder)).collect()
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

fn belongs(pid: u32, folder: &Path) -> bool {
    let name = folder.to_str().unwrap().as_bytes();
    let told = fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environ| environ.windows(name.len()).any(|part| part == name));
    let writes = (1..=2).any(|fd| {
        fs::read_link(format!("/proc/{pid}/fd/{fd}")).is_ok_and(|to| to.starts_with(folder))
    });
    told || writes
}

/// Whether a process is there and is no zombie.
pub fn is_alive(pid: u32) -> bool {
    state(pid).is_some_and(|it| it != 'Z')
}

/// Whether a process is stopped by a signal.
pub fn is_stopped(pid: u32) -> bool {
    state(pid) == Some('T')
}

/// The letter of `/proc/[pid]/stat`.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

/// What a process is called.
pub fn name(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().into()
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(i32::try_from(pid).unwrap()), signal);
}

/// Ends everything in a folder.
pub fn end_all(folder: &Path) {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let left: Vec<u32> = in_folder(folder).into_iter().filter(|pid| is_alive(*pid)).collect();
        if left.is_empty() || Instant::now() > deadline {
            return;
        }
        for pid in left {
            signal(pid, Signal::SIGKILL);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Every descendant of a process, itself first.
pub fn family(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for pid in all() {
        let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        let parent = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        children.entry(parent.unwrap_or(0)).or_default().push(pid);
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        family.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    family
}
