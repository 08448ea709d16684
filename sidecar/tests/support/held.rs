//! Threads that are held still, whatever signals they get but SIGKILL.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// Held by a thread of its own, which must be the one that lets them go.
pub struct Held {
    go: Sender<()>,
    holder: JoinHandle<()>,
}

impl Held {
    /// Holds all threads of a process; `None` where the system does not let us.
    pub fn process(pid: u32) -> Option<Held> {
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
        let threads = tasks.map(|it| it.file_name().to_str().unwrap().parse().unwrap());
        Held::threads(threads.map(Pid::from_raw).collect())
    }

    /// Holds these threads; `None` where the system does not let us.
    pub fn threads(threads: Vec<Pid>) -> Option<Held> {
        let (go, told) = channel();
        let (tell, held) = channel();
        let holder = std::thread::spawn(move || {
            let hold = |thread: &Pid| {
                ptrace::seize(*thread, ptrace::Options::empty())
                    .and_then(|()| ptrace::interrupt(*thread))
                    .and_then(|()| waitpid(*thread, Some(WaitPidFlag::__WALL)))
                    .is_ok()
            };
            let all = threads.iter().all(hold);
            let _ = tell.send(all);
            if all {
                keep(&threads, &told);
                for thread in threads {
                    // One that was killed is gone.
                    let _ = ptrace::detach(thread, None);
                }
            }
        });
        held.recv().unwrap().then_some(Held { go, holder })
    }

    /// Lets them go.
    pub fn let_go(self) {
        self.go.send(()).unwrap();
        self.holder.join().unwrap();
    }
}

/// Until it is told. Whoever holds a process that is killed must take note of its end before anyone
/// else sees it.
fn keep(threads: &[Pid], told: &Receiver<()>) {
    while told.recv_timeout(Duration::from_millis(10)) == Err(RecvTimeoutError::Timeout) {
        for thread in threads {
            let _ = waitpid(*thread, Some(WaitPidFlag::__WALL | WaitPidFlag::WNOHANG));
        }
    }
}
