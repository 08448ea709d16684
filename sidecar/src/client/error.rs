//! What can go wrong between a caller and the daemon.

use std::io;
use std::path::PathBuf;

use vial_protocol::Problem;

/// Why a call to the daemon came to nothing.
///
/// Whoever typed the command receives it: [`Refused`](ClientError::Refused) is the daemon's own
/// answer, the others say what to look at, in [`ClientError::next`].
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer came from the daemon.
    #[error("{}", why.sentence(path))]
    Unreachable {
        /// The socket that was tried.
        path: PathBuf,
        /// What stood in the way.
        why: Why,
    },
    /// The daemon answered, and said no.
    #[error(transparent)]
    Refused(#[from] Box<Problem>),
    /// Something answered that does not speak this protocol.
    #[error("The daemon answered in a way that this `vial` does not understand: {0}.")]
    Protocol(String),
    /// What was to be sent could not be read; the daemon refuses the part that it got.
    #[error("The release could not be read: {0}.")]
    Source(io::Error),
}

/// What stood between the caller and the daemon.
#[derive(Debug)]
pub enum Why {
    /// There is no socket.
    Missing,
    /// The socket, or a folder on the way to it, is closed to this user.
    Denied,
    /// There is a socket, and nobody listens on it.
    Stale,
    /// The connection ended before the answer came.
    Lost,
    /// The connection was taken, and no answer came in this many seconds.
    Silent(u64),
    /// Something else that the system said.
    System(io::Error),
}

impl Why {
    fn sentence(&self, path: &std::path::Path) -> String {
        let path = path.display();
        match self {
            Why::Missing => format!("The daemon is not running: there is no socket at {path}."),
            Why::Denied => format!("You may not reach the daemon: permission denied at {path}."),
            Why::Stale => format!(
                "The daemon is not running: nothing listens on {path}, which an earlier daemon \
                 left behind."
            ),
            Why::Lost => format!(
                "The connection to the daemon at {path} ended before the answer came: whether it \
                 did what was asked is not known."
            ),
            Why::Silent(seconds) => format!(
                "The daemon at {path} took the connection and did not answer within {seconds} s."
            ),
            Why::System(error) => format!("The daemon cannot be reached at {path}: {error}."),
        }
    }
}

impl ClientError {
    /// The next thing to do about it.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        match self {
            ClientError::Refused(problem) => problem.next.clone(),
            ClientError::Unreachable { why, .. } => Some(
                match why {
                    Why::Missing => {
                        "`systemctl start vial`. If the daemon listens elsewhere, name its socket \
                         with --socket or VIAL_SOCKET, or its configuration with --config."
                    }
                    Why::Denied => {
                        "use sudo, or ask for membership of the group `vial`. If your daemon \
                         listens elsewhere, name its socket with --socket or VIAL_SOCKET."
                    }
                    Why::Stale => "`systemctl status vial`, then `systemctl restart vial`.",
                    Why::Lost => "`vial status` shows what came of it.",
                    Why::Silent(_) => "`systemctl status vial` and `journalctl -u vial -n 50`.",
                    Why::System(_) => {
                        "check the path that --socket, VIAL_SOCKET or --config leads to."
                    }
                }
                .into(),
            ),
            ClientError::Protocol(_) => {
                Some("compare `vial --version` with the daemon's in `vial status --json`.".into())
            }
            ClientError::Source(_) => None,
        }
    }

    /// Whether asking again may help: the daemon is away, and nothing was refused.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, ClientError::Unreachable { .. })
    }
}
