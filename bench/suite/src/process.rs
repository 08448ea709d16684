//! What the kernel says of a process: its memory, its processor time, how often it woke.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

/// The clock ticks in a second that `/proc` counts in: fixed on Linux for all that is not the
/// kernel's own.
const TICKS: f64 = 100.0;

/// A process, looked at from outside.
#[derive(Debug, Clone, Copy)]
pub struct Looked(pub u32);

/// What it has in memory, in MiB.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// All that is resident.
    pub resident: f64,
    /// Of that, what is its own: heap and stacks.
    pub own: f64,
    /// Of that, what lies in files as well, such as its code: the kernel may drop it.
    pub files: f64,
}

/// What it cost over a time in which nothing was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// Of one core, in per cent.
    pub core_percent: f64,
    /// How often a second a thread of it went to sleep: so often it was woken.
    pub wakeups: f64,
    /// How long it was looked at.
    pub seconds: f64,
}

impl Looked {
    /// What it has in memory now.
    #[must_use]
    pub fn memory(self) -> Memory {
        let mib = |field| self.status("", field) / 1024.0;
        Memory { resident: mib("VmRSS:"), own: mib("RssAnon:"), files: mib("RssFile:") }
    }

    /// The most that was ever resident since [`Looked::forget_peak`], in MiB.
    #[must_use]
    pub fn peak(self) -> f64 {
        self.status("", "VmHWM:") / 1024.0
    }

    /// Counts the peak of its memory anew from here. Where the kernel does not let us, the peak
    /// stays that of its whole life.
    pub fn forget_peak(self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.0), "5");
    }

    /// The processor time of all its threads, those that are gone too, in seconds.
    #[must_use]
    pub fn cpu(self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        // What stands before it is the program's name, which may hold anything.
        let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let ticks: f64 = fields.skip(11).take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
        ticks / TICKS
    }

    /// How many threads it has.
    #[must_use]
    pub fn threads(self) -> u64 {
        self.tasks().len() as u64
    }

    /// Looks at it for a while.
    pub async fn idle(self, time: Duration) -> Idle {
        let (cpu, before, began) = (self.cpu(), self.switches(), Instant::now());
        sleep(time).await;
        let seconds = began.elapsed().as_secs_f64();
        let since = |(task, switches): (&String, &f64)| {
            switches - before.get(task).copied().unwrap_or_default()
        };
        Idle {
            core_percent: (self.cpu() - cpu) / seconds * 100.0,
            wakeups: self.switches().iter().map(since).sum::<f64>() / seconds,
            seconds,
        }
    }

    /// By thread: one that ends takes its count along.
    fn switches(self) -> BTreeMap<String, f64> {
        let of = |task: String| (task.clone(), self.status(&task, "voluntary_ctxt_switches:"));
        self.tasks().into_iter().map(of).collect()
    }

    fn tasks(self) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.0)).into_iter().flatten().flatten();
        tasks.map(|task| format!("/task/{}", task.file_name().to_string_lossy())).collect()
    }

    fn status(self, task: &str, field: &str) -> f64 {
        let path = format!("/proc/{}{task}/status", self.0);
        let text = fs::read_to_string(Path::new(&path)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("0");
        line.split_whitespace().next().and_then(|it| it.parse().ok()).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_threads_and_processor_time() {
        let own = Looked(std::process::id());
        let memory = own.memory();
        assert!(memory.resident > 0.5 && memory.own < memory.resident, "{memory:?}");
        assert!(own.threads() >= 1 && own.peak() >= memory.resident * 0.5);
        let before = own.cpu();
        let mut sum = 0_u64;
        while own.cpu() < before + 0.05 {
            sum = sum.wrapping_add(std::hint::black_box(1));
        }
        assert!(sum > 0);
    }

    #[test]
    fn a_process_that_is_gone_is_nothing() {
        let gone = Looked(u32::MAX);
        assert_eq!((gone.cpu(), gone.threads(), gone.memory().resident), (0.0, 0, 0.0));
    }
}
