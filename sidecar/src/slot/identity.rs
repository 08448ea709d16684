//! Which process: a pid alone may name a stranger a moment later.

use std::io;
use std::sync::OnceLock;

use procfs::process::{ProcState, Stat};
use procfs::{FromRead, ProcError};
use serde::{Deserialize, Serialize};

/// One process of one boot of this host, distinct from every other that bears its pid.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot: field 22 of `/proc/PID/stat`.
    pub start_ticks: u64,
    /// The boot that `start_ticks` counts from.
    pub boot_id: String,
}

/// What `/proc/PID/stat` says of a process that is not a zombie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Who.
    pub identity: Identity,
    /// Its parent's pid.
    pub parent: u32,
    /// The name of its program, cut to 15 bytes by the kernel.
    pub name: String,
}

impl Identity {
    /// The process that bears `pid` now; `None` where there is none, or only a zombie.
    ///
    /// # Errors
    /// Where `/proc` cannot be read.
    pub fn of(pid: u32) -> io::Result<Option<Identity>> {
        Ok(sight(pid)?.map(|sighting| sighting.identity))
    }

    /// Whether this process still runs. A zombie does not.
    ///
    /// # Errors
    /// Where `/proc` cannot be read.
    pub fn is_alive(&self) -> io::Result<bool> {
        Ok(Identity::of(self.pid)?.as_ref() == Some(self))
    }
}

/// The status word of a process that has ended and whose parent has not asked for it yet.
pub(crate) fn zombie_word(wanted: &Identity) -> Option<i32> {
    let stat = Stat::from_read(std::fs::File::open(format!("/proc/{}/stat", wanted.pid)).ok()?);
    let stat = stat.ok()?;
    let is_it = stat.starttime == wanted.start_ticks && boot_id().ok()? == wanted.boot_id;
    let has_ended = matches!(stat.state(), Ok(ProcState::Zombie));
    if is_it && has_ended { stat.exit_code } else { None }
}

/// Looks at the process that bears `pid` now; `None` where there is none, or only a zombie.
pub(crate) fn sight(pid: u32) -> io::Result<Option<Sighting>> {
    let stat = match std::fs::File::open(format!("/proc/{pid}/stat")) {
        Ok(file) => Stat::from_read(file),
        Err(error) if gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    match stat {
        Ok(stat) => sighting(stat),
        Err(ProcError::Io(error, _)) if !gone(&error) => Err(error),
        // A process that ends between the opening and the reading leaves an empty or cut file.
        Err(_) => Ok(None),
    }
}

fn sighting(stat: Stat) -> io::Result<Option<Sighting>> {
    if matches!(stat.state(), Ok(ProcState::Zombie | ProcState::Dead)) {
        return Ok(None);
    }
    let identity = Identity {
        pid: stat.pid.unsigned_abs(),
        start_ticks: stat.starttime,
        boot_id: boot_id()?.to_owned(),
    };
    Ok(Some(Sighting { identity, parent: stat.ppid.unsigned_abs(), name: stat.comm }))
}

/// This boot's id.
pub(crate) fn boot_id() -> io::Result<&'static str> {
    static BOOT_ID: OnceLock<String> = OnceLock::new();
    if let Some(id) = BOOT_ID.get() {
        return Ok(id);
    }
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(BOOT_ID.get_or_init(|| id.trim().to_owned()))
}

/// Whether an error of `/proc/PID/…` means that the process has ended.
pub(crate) fn gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
        || error.raw_os_error() == Some(nix::errno::Errno::ESRCH as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_running_process_is_alive_and_has_one_identity() {
        let me = Identity::of(std::process::id()).unwrap().unwrap();
        assert_eq!(Identity::of(std::process::id()).unwrap().unwrap(), me);
        assert!(me.is_alive().unwrap());
        assert!(me.start_ticks > 0);
    }

    #[test]
    fn another_start_time_or_boot_is_another_process() {
        let me = Identity::of(std::process::id()).unwrap().unwrap();
        let older = Identity { start_ticks: me.start_ticks - 1, ..me.clone() };
        let other_boot = Identity { boot_id: "another".into(), ..me };
        assert!(!older.is_alive().unwrap());
        assert!(!other_boot.is_alive().unwrap());
    }

    #[test]
    fn a_zombie_and_a_pid_without_a_process_are_not_alive() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        let wait = rustix::process::waitid(
            rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child)),
            rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT,
        );
        assert!(wait.unwrap().is_some());
        assert_eq!(Identity::of(pid).unwrap(), None, "a zombie");
        child.wait().unwrap();
        assert_eq!(Identity::of(pid).unwrap(), None, "reaped");
    }

    #[test]
    fn an_identity_survives_the_journal() {
        let me = Identity::of(std::process::id()).unwrap().unwrap();
        let json = serde_json::to_string(&me).unwrap();
        assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), me);
    }
}
