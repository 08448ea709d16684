//! A process held by its pidfd: waited for without polling, and never mistaken for another.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::exit::Exit;
use super::identity::{Identity, zombie_word};
use super::pidfd_info::{self, Info};
use super::readiness;

pub use rustix::process::Signal;

/// How long the parent of a process that is not our child may take to collect its status.
const COLLECTION: Duration = Duration::from_millis(200);

/// A process that Vial started, in this life or an earlier one. Clones are the same process.
///
/// Needs a tokio runtime with I/O enabled. Dropping it leaves the process alone; a child that
/// ends later is still reaped while the runtime lives.
#[derive(Clone)]
pub struct Process {
    inner: Arc<Inner>,
}

struct Inner {
    identity: Identity,
    pidfd: AsyncFd<OwnedFd>,
    exit: OnceLock<Exit>,
    collecting: Mutex<()>,
}

/// Why a process could not be held or signalled; for the owner of the slot, who shows it as it is.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// pidfd_open or `/proc` failed for another reason than the process being gone.
    #[error("Process {pid} cannot be looked at: {source}.")]
    Look {
        /// Which.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
    /// The signal was refused.
    #[error("Process {pid} cannot be sent a signal: {source}. Does it run as another user?")]
    Signal {
        /// Which.
        pid: u32,
        /// What the system said.
        source: io::Error,
    },
}

impl Process {
    /// Finds a process again. `None` where it has ended, or where its pid is another's now.
    ///
    /// # Errors
    /// Where the system does not let us look.
    pub fn adopt(wanted: &Identity) -> Result<Option<Process>, ProcessError> {
        let look = |source: io::Error| ProcessError::Look { pid: wanted.pid, source };
        let Some(pidfd) = open(wanted.pid).map_err(look)? else { return Ok(None) };
        // Only now: whoever bears the pid while the pidfd is open and matches, is the pidfd's.
        if Identity::of(wanted.pid).map_err(look)?.as_ref() != Some(wanted) {
            return Ok(None);
        }
        Process::hold(wanted.clone(), pidfd).map(Some).map_err(look)
    }

    /// Holds a child that was just started and not waited for.
    pub(crate) fn child(pid: u32) -> io::Result<Option<Process>> {
        let Some(pidfd) = open(pid)? else { return Ok(None) };
        let Some(identity) = Identity::of(pid)? else { return Ok(None) };
        Process::hold(identity, pidfd).map(Some)
    }

    fn hold(identity: Identity, pidfd: OwnedFd) -> io::Result<Process> {
        let pidfd = readiness::watch(pidfd, Interest::READABLE)?;
        Ok(Process {
            inner: Arc::new(Inner {
                identity,
                pidfd,
                exit: OnceLock::new(),
                collecting: Mutex::new(()),
            }),
        })
    }

    /// Which process it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.inner.identity
    }

    /// Its pid, for people: nothing may be signalled by it.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.identity.pid
    }

    /// Waits until it has ended, and says how. Any number of tasks may wait.
    ///
    /// Each waits for itself: one that is not polled any more, such as the other branch of a
    /// `select!` whose handler runs, keeps nobody else.
    pub async fn exited(&self) -> Exit {
        self.inner.wait().await
    }

    /// Waits until it has ended, without asking how.
    pub(crate) async fn gone(&self) {
        if self.inner.pidfd.readable().await.is_err() {
            std::future::pending().await
        }
    }

    /// Whether it has ended by now.
    #[must_use]
    pub fn has_exited(&self) -> bool {
        if self.inner.exit.get().is_some() {
            return true;
        }
        let mut fds = [PollFd::new(self.inner.pidfd.get_ref().as_fd(), PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// Sends a signal. `false` where the process has ended already.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn signal(&self, signal: Signal) -> Result<bool, ProcessError> {
        match rustix::process::pidfd_send_signal(self.inner.pidfd.get_ref(), signal) {
            Ok(()) => Ok(true),
            Err(Errno::SRCH) => Ok(false),
            Err(errno) => Err(ProcessError::Signal { pid: self.pid(), source: errno.into() }),
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("identity", &self.inner.identity)
            .field("pidfd", &self.inner.pidfd.get_ref().as_raw_fd())
            .field("exit", &self.inner.exit.get())
            .finish()
    }
}

impl Inner {
    async fn wait(&self) -> Exit {
        if let Some(exit) = self.exit.get() {
            return *exit;
        }
        // Fails only while the runtime shuts down. Saying then that the process had ended would
        // be a lie that its owner acts on.
        if self.pidfd.readable().await.is_err() {
            return std::future::pending().await;
        }
        if let Some(exit) = self.collect() {
            return exit;
        }
        let exit = self.told_by_the_kernel().await;
        *self.exit.get_or_init(|| exit)
    }

    /// The status of our own child. It can be had once: whoever has it writes it down for all.
    fn collect(&self) -> Option<Exit> {
        let _one_at_a_time = self.collecting.lock().unwrap_or_else(PoisonError::into_inner);
        if self.exit.get().is_none()
            && let Reaped::Exit(exit) = reap(self.pidfd.get_ref())
        {
            return Some(*self.exit.get_or_init(|| exit));
        }
        self.exit.get().copied()
    }

    /// The status of a process whose parent is another: seen before that parent collects it,
    /// which is a matter of luck, or asked of the kernel afterwards.
    async fn told_by_the_kernel(&self) -> Exit {
        if let Some(word) = zombie_word(&self.identity) {
            return Exit::from_wait_word(word);
        }
        let asked = async {
            let mut pause = Duration::from_millis(1);
            loop {
                match pidfd_info::ask(self.pidfd.get_ref().as_fd()) {
                    Info::Exited(exit) => return exit,
                    Info::Unsupported => return Exit::Unknown,
                    Info::NotYet => tokio::time::sleep(pause).await,
                }
                pause *= 2;
            }
        };
        tokio::time::timeout(COLLECTION, asked).await.unwrap_or(Exit::Unknown)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.exit.get().is_some() || !matches!(reap(self.pidfd.get_ref()), Reaped::NotYet) {
            return;
        }
        // A child that still runs: without somebody to wait it would stay behind as a zombie.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let Ok(pidfd) = self.pidfd.get_ref().try_clone() else { return };
        runtime.spawn(async move {
            if let Ok(pidfd) = readiness::watch(pidfd, Interest::READABLE)
                && pidfd.readable().await.is_ok()
            {
                reap(pidfd.get_ref());
            }
        });
    }
}

enum Reaped {
    Exit(Exit),
    NotYet,
    NotOurs,
}

/// Collects the status of a child that has ended.
fn reap(pidfd: &OwnedFd) -> Reaped {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    loop {
        return match rustix::process::waitid(WaitId::PidFd(pidfd.as_fd()), options) {
            Ok(Some(status)) => Reaped::Exit(Exit::from_waitid(&status)),
            Ok(None) => Reaped::NotYet,
            Err(Errno::INTR) => continue,
            Err(_) => Reaped::NotOurs,
        };
    }
}

fn open(pid: u32) -> io::Result<Option<OwnedFd>> {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => Ok(Some(pidfd)),
        Err(Errno::SRCH) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}
