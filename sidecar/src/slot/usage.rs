//! What processes use: resident memory and time on a CPU, of each with all that descends from it.
//!
//! One look at `/proc` serves every slot of the host. Descent is enough here: what was orphaned is
//! ended with its slot, and is not worth reading every environment for.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::Duration;

use procfs::FromRead;
use procfs::process::Stat;
use rustix::time::{ClockId, clock_gettime};

/// What a process and its descendants use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// When the process started, in clock ticks since the boot: another one has another time.
    pub start_ticks: u64,
    /// How long it has run.
    pub age: Duration,
    /// Resident memory of all of them, in bytes. What they share is counted for each.
    pub memory: u64,
    /// CPU time of all of them, those that have ended and were waited for included.
    pub cpu: Duration,
}

struct Seen {
    parent: u32,
    start: u64,
    pages: u64,
    ticks: u64,
    epmd: bool,
}

/// What each of these processes uses; `None` for one that is not there.
///
/// # Errors
/// Where `/proc` cannot be listed.
pub fn usage(roots: &[u32]) -> io::Result<Vec<Option<Usage>>> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let seen = everyone()?;
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for (pid, it) in &seen {
        children.entry(it.parent).or_default().push(*pid);
    }
    let now = since_boot();
    Ok(roots.iter().map(|root| family(*root, &seen, &children, now)).collect())
}

fn family(
    root: u32,
    seen: &HashMap<u32, Seen>,
    children: &HashMap<u32, Vec<u32>>,
    now: Duration,
) -> Option<Usage> {
    let start_ticks = seen.get(&root)?.start;
    let (mut pages, mut ticks) = (0, 0);
    let (mut open, mut met) = (vec![root], HashSet::new());
    while let Some(pid) = open.pop() {
        // epmd is everybody's, whoever started it.
        let Some(it) = seen.get(&pid).filter(|it| !it.epmd && met.insert(pid)) else { continue };
        pages += it.pages;
        ticks += it.ticks;
        open.extend(children.get(&pid).into_iter().flatten());
    }
    Some(Usage {
        start_ticks,
        age: now.saturating_sub(duration(start_ticks)),
        memory: pages * procfs::page_size(),
        cpu: duration(ticks),
    })
}

fn everyone() -> io::Result<HashMap<u32, Seen>> {
    let mut seen = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // One that ends meanwhile, or that we may not look at, is nobody's.
        let Ok(file) = std::fs::File::open(format!("/proc/{pid}/stat")) else { continue };
        let Ok(stat) = Stat::from_read(file) else { continue };
        let waited_for = u64::try_from(stat.cutime + stat.cstime).unwrap_or(0);
        seen.insert(
            pid,
            Seen {
                parent: stat.ppid.unsigned_abs(),
                start: stat.starttime,
                pages: stat.rss,
                // What a child took is its parent's once it has waited for it: a sum over all of
                // them goes on when one ends.
                ticks: stat.utime + stat.stime + waited_for,
                epmd: stat.comm == "epmd",
            },
        );
    }
    Ok(seen)
}

fn duration(ticks: u64) -> Duration {
    let rate = procfs::ticks_per_second().max(1);
    Duration::from_nanos(ticks.saturating_mul(1_000_000_000 / rate))
}

fn since_boot() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use super::*;

    /// A shell that does something, killed with what it started.
    struct Shell(Child);

    impl Shell {
        fn new(script: &str) -> Shell {
            let mut command = Command::new("sh");
            let command = command.args(["-c", script]).stdout(Stdio::null()).process_group(0);
            Shell(command.spawn().unwrap())
        }

        fn usage(&self) -> Option<Usage> {
            usage(&[self.0.id()]).unwrap().remove(0)
        }
    }

    impl Drop for Shell {
        fn drop(&mut self) {
            let group = nix::unistd::Pid::from_raw(i32::try_from(self.0.id()).unwrap());
            let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
            let _ = self.0.wait();
        }
    }

    fn until(what: &str, done: impl Fn() -> bool) {
        let began = Instant::now();
        while !done() {
            assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[test]
    fn what_a_child_uses_is_its_parents() {
        let alone = Shell::new("sleep 600 & wait");
        let busy = Shell::new("(while :; do :; done) & wait");
        until("the child takes time", || {
            busy.usage().is_some_and(|it| it.cpu >= Duration::from_millis(300))
        });
        let (alone, busy) = (alone.usage().unwrap(), busy.usage().unwrap());
        assert!(alone.cpu < Duration::from_millis(200), "{alone:?}");
        assert!(alone.memory > 256 << 10 && alone.memory < 1 << 30, "{alone:?}");
        assert!(busy.age >= busy.cpu / 2 && busy.age < Duration::from_secs(120), "{busy:?}");
    }

    #[test]
    fn what_a_child_took_is_not_lost_when_it_ends() {
        let script = "i=0; sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; sleep 600";
        let shell = Shell::new(script);
        let mut most = Duration::ZERO;
        until("the child has ended", || {
            let now = shell.usage().unwrap();
            let name = std::fs::read_to_string(format!(
                "/proc/{pid}/task/{pid}/children",
                pid = shell.0.id()
            ));
            let child = name.unwrap_or_default();
            let command = std::fs::read_to_string(format!("/proc/{}/comm", child.trim()));
            now.cpu > Duration::from_millis(50) && command.is_ok_and(|it| it.trim() == "sleep")
        });
        for _ in 0..5 {
            let now = shell.usage().unwrap().cpu;
            assert!(now >= most && now > Duration::from_millis(50), "{now:?} after {most:?}");
            most = now;
        }
    }

    #[test]
    fn one_that_is_not_there_uses_nothing_that_could_be_said() {
        let mut child = Command::new("true").spawn().unwrap();
        child.wait().unwrap();
        assert_eq!(usage(&[child.id(), std::process::id()]).unwrap()[0], None);
        assert!(usage(&[child.id(), std::process::id()]).unwrap()[1].is_some());
    }
}
