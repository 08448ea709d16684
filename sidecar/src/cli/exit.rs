//! How the command ends, for whoever reads `$?`.

use std::process::ExitCode;

use crate::client::ClientError;

/// How the command ends. The numbers are part of the interface: `vial --help` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done.
    Done,
    /// It failed; a release that served before serves still, or again.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// The daemon refused; nothing has changed.
    Refused,
    /// The daemon cannot be reached.
    Unreachable,
    /// Ctrl-C: what goes on, goes on without a watcher.
    Interrupted,
    /// The exit status of a script or console in the release.
    Script(u8),
}

/// What `--help` says of it.
pub const HELP: &str = "\
Exit status:
  0    done
  1    failed; the release that served before serves still, or again
  2    the command line is wrong
  3    refused; nothing has changed
  4    the daemon is not reachable
  130  left by Ctrl-C; a deployment in progress goes on
  rpc, eval and console end with the status of what ran.";

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Unreachable => 4,
            Exit::Interrupted => 130,
            Exit::Script(status) => status,
        }
    }

    /// How a command ends whose call to the daemon failed.
    #[must_use]
    pub fn of(error: &ClientError) -> Self {
        match error {
            ClientError::Refused(problem) if problem.code.is_refusal() => Exit::Refused,
            ClientError::Unreachable { .. } => Exit::Unreachable,
            ClientError::Refused(_) | ClientError::Protocol(_) | ClientError::Source(_) => {
                Exit::Failed
            }
        }
    }

    /// The end of a script: its status, or [`Exit::Failed`] where it has none that a shell knows.
    #[must_use]
    pub fn script(status: Option<i32>) -> Self {
        match status.map(u8::try_from) {
            Some(Ok(0)) => Exit::Done,
            Some(Ok(status)) => Exit::Script(status),
            Some(Err(_)) | None => Exit::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}
