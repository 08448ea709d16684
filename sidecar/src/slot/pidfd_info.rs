//! How a process that is not our child ended, asked of its pidfd: Linux 6.15 and later.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

use super::exit::Exit;

/// What the kernel says of the process behind a pidfd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Info {
    /// It ended, and its parent has been told.
    Exited(Exit),
    /// It runs, or its parent has not been told yet.
    NotYet,
    /// This kernel does not say.
    Unsupported,
}

/// `struct pidfd_info` of `<linux/pidfd.h>`, in the size of its first version, which all later
/// kernels accept.
#[repr(C)]
#[derive(Default)]
struct PidfdInfo {
    mask: u64,
    cgroupid: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const PIDFD_INFO_EXIT: u64 = 1 << 3;

mod call {
    nix::ioctl_readwrite!(pidfd_get_info, 0xFF, 11, super::PidfdInfo);
}

/// Asks.
pub(crate) fn ask(pidfd: BorrowedFd<'_>) -> Info {
    let mut info = PidfdInfo { mask: PIDFD_INFO_EXIT, ..PidfdInfo::default() };
    // SAFETY: the descriptor is open for as long as it is borrowed, and the structure has the
    // size that is encoded in the request's number, so the kernel writes within it.
    #[allow(unsafe_code)]
    let answer = unsafe { call::pidfd_get_info(pidfd.as_raw_fd(), &raw mut info) };
    match answer {
        Ok(_) if info.mask & PIDFD_INFO_EXIT != 0 => {
            Info::Exited(Exit::from_wait_word(info.exit_code))
        }
        // A kernel that knows the call but not this question (6.13, 6.14) fails with ESRCH once
        // the process is reaped, so it ends up in the arm below.
        Ok(_) => Info::NotYet,
        Err(Errno::EINTR) => Info::NotYet,
        Err(_) => Info::Unsupported,
    }
}
