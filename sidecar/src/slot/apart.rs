//! Namespaces of its own for a program that nobody vouches for. Part of the trampoline.
//!
//! ```text
//! trampoline    root, outside: waits, and passes on how it ended
//! └─ init       the first process inside: becomes the user, reaps what is orphaned
//!    └─ the program
//! ```
//!
//! The kernel kills all that is inside when the init ends, however much of it there is, and the
//! init is killed when the trampoline ends. So nothing outlives either.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, wait};
use rustix::process::{DumpableBehavior, Signal};

use super::trampoline::{Failure, Request, become_them, setup};

/// As in the shell: what a signal ended.
const SIGNALLED: i32 = 128;

/// Makes the namespaces, runs the rest in there, and ends as it ended.
pub(super) fn enter(request: &Request) -> Result<ExitCode, Failure> {
    let what = "make namespaces for it";
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWIPC)
        .map_err(setup(what))?;
    let inner = Request { inner: true, ..request.clone() };
    // The shielded environment is passed on as it came.
    let mut child = Command::new("/proc/self/exe")
        .args(inner.to_args())
        .stdin(Stdio::null())
        .spawn()
        .map_err(setup(what))?;
    let status = child.wait().map_err(setup("wait for it"))?;
    Ok(code(status.code().or(status.signal().map(|it| SIGNALLED + it))))
}

/// The first process inside: its own view of the processes, then the user.
pub(super) fn begin(request: &Request) -> Result<(), Failure> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .map_err(setup("keep its mounts to itself"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).map_err(setup("mount /proc"))?;
    become_them(request)?;
    // After the change of user, which would clear it.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|errno| setup("end with the daemon")(errno))?;
    // Nothing inside may look into this process, which is its user's.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| setup("close itself")(errno))
}

/// Runs the program, and reaps until it has ended.
pub(super) fn tend(mut program: Command) -> io::Result<ExitCode> {
    let child = program.stdin(Stdio::null()).spawn()?;
    let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
    loop {
        match wait() {
            Ok(WaitStatus::Exited(it, status)) if it.as_raw() == pid => {
                return Ok(code(Some(status)));
            }
            Ok(WaitStatus::Signaled(it, signal, _)) if it.as_raw() == pid => {
                return Ok(code(Some(SIGNALLED + signal as i32)));
            }
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

fn code(status: Option<i32>) -> ExitCode {
    ExitCode::from(status.and_then(|it| u8::try_from(it).ok()).unwrap_or(u8::MAX))
}

/// Asks the disk for others first. Where the kernel has no such order, nothing is lost.
pub(super) fn idle_disk() {
    const WHO_PROCESS: i32 = 1;
    const IDLE: i32 = 3 << 13;
    // SAFETY: three numbers go to the kernel, and no pointer.
    #[allow(unsafe_code)]
    unsafe {
        nix::libc::syscall(nix::libc::SYS_ioprio_set, WHO_PROCESS, 0, IDLE);
    }
}
