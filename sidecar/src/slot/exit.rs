//! How a process ended.

use std::fmt;

use nix::sys::signal::Signal;
use rustix::process::WaitIdStatus;

/// How a process ended, as people read it: "exited with status 1", "was killed by SIGKILL".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// This signal ended it.
    Signal(i32),
    /// It ended while nobody who may know was looking: it was started by an earlier daemon, and
    /// this kernel (before 6.15) tells only the parent.
    Unknown,
}

impl Exit {
    /// Whether it exited with status 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Exit::Status(0)
    }

    /// From the status word of wait(2).
    pub(crate) fn from_wait_word(word: i32) -> Exit {
        match word & 0x7f {
            0 => Exit::Status((word >> 8) & 0xff),
            signal => Exit::Signal(signal),
        }
    }

    /// From waitid(2).
    pub(crate) fn from_waitid(status: &WaitIdStatus) -> Exit {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Exit::Status(code),
            (None, Some(signal)) => Exit::Signal(signal),
            (None, None) => Exit::Unknown,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Status(status) => write!(f, "exited with status {status}"),
            Exit::Signal(number) => match Signal::try_from(*number) {
                Ok(signal) => write!(f, "was killed by {signal}"),
                Err(_) => write!(f, "was killed by signal {number}"),
            },
            Exit::Unknown => f.write_str("ended, how is unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_reads_as_a_person_says_it() {
        assert_eq!(Exit::Status(1).to_string(), "exited with status 1");
        assert_eq!(Exit::Signal(9).to_string(), "was killed by SIGKILL");
        assert_eq!(Exit::Signal(40).to_string(), "was killed by signal 40");
        assert_eq!(Exit::Unknown.to_string(), "ended, how is unknown");
    }

    #[test]
    fn a_wait_word_tells_status_from_signal() {
        assert_eq!(Exit::from_wait_word(0), Exit::Status(0));
        assert_eq!(Exit::from_wait_word(3 << 8), Exit::Status(3));
        assert_eq!(Exit::from_wait_word(15), Exit::Signal(15));
        assert_eq!(Exit::from_wait_word(6 | 0x80), Exit::Signal(6), "with a core file");
    }
}
