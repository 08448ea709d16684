//! Whatever kept an answer from the caller, in words.

use std::path::{Path, PathBuf};

use vial_protocol::{Problem, VERSION};

/// Why there is no answer. The caller of `Vial.Client` gets it as a `Vial.Error`, whose `reason` is
/// [`Failure::reason`], and reads its message and what to do next.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The daemon answered, and said no.
    Refused(Box<Problem>),
    /// Nobody could be asked.
    Unreachable { socket: PathBuf, why: Why },
    /// No answer came in time.
    Timeout { socket: PathBuf, millis: u128 },
    /// The connection ended before the whole answer was there.
    Disconnected { socket: PathBuf },
    /// What answered does not speak this protocol, or another version of it.
    BadAnswer { socket: PathBuf, what: String, daemon: Option<String> },
    /// The request makes no sense, and was not sent.
    BadRequest(String),
    /// What was to be sent could not be read.
    File { path: PathBuf, error: String },
    /// The background thread let the question fall.
    Stopped,
}

/// What stood between the caller and the daemon.
#[derive(Debug)]
pub(crate) enum Why {
    /// There is no socket.
    Missing,
    /// The socket, or a folder on the way to it, is closed to this user.
    Denied,
    /// There is a socket, and nobody listens on it.
    Stale,
    /// Something else that the system said.
    System(String),
}

impl Failure {
    /// The word for programs; a refusal has the daemon's own.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Failure::Refused(_) => "refused",
            Failure::Unreachable { .. } => "unreachable",
            Failure::Timeout { .. } => "timeout",
            Failure::Disconnected { .. } => "disconnected",
            Failure::BadAnswer { .. } => "bad_answer",
            Failure::BadRequest(_) => "bad_request",
            Failure::File { .. } => "bad_release",
            Failure::Stopped => "stopped",
        }
    }

    /// What happened, and why.
    pub(crate) fn message(&self) -> String {
        match self {
            Failure::Refused(problem) => problem.message.clone(),
            Failure::Unreachable { socket, why } => why.sentence(socket),
            Failure::Timeout { socket, millis } => format!(
                "The daemon at {} did not answer within {millis} ms: whether it did what was \
                 asked is not known.",
                socket.display()
            ),
            Failure::Disconnected { socket } => format!(
                "The connection to the daemon at {} ended before the answer came: whether it did \
                 what was asked is not known.",
                socket.display()
            ),
            Failure::BadAnswer { socket, what, daemon } => {
                let other = match daemon {
                    Some(version) => format!("The daemon (version {version})"),
                    None => "What listens".into(),
                };
                format!(
                    "{other} at {} answered in a way that this library (version {VERSION}) does \
                     not understand: {what}.",
                    socket.display()
                )
            }
            Failure::BadRequest(why) => format!("The request was not sent: {why}."),
            Failure::File { path, error } => {
                format!("The release at {} could not be read: {error}.", path.display())
            }
            Failure::Stopped => "Vial's NIF let the question fall: whether the daemon did what \
                                 was asked is not known."
                .into(),
        }
    }

    /// The next thing to do.
    pub(crate) fn next(&self) -> Option<String> {
        let next = match self {
            Failure::Refused(problem) => return problem.next.clone(),
            Failure::Unreachable { why, .. } => match why {
                Why::Missing => {
                    "`systemctl start vial` on the host; the app runs on meanwhile. If the daemon \
                     listens elsewhere, name its socket in VIAL_SOCKET"
                }
                Why::Denied => {
                    "run as the app's own user, or as a member of the group `vial`; `vial doctor` \
                     on the host names what is closed"
                }
                Why::Stale => "`systemctl restart vial` on the host; the app runs on meanwhile",
                Why::System(_) => "check the path in VIAL_SOCKET; `vial doctor` on the host",
            },
            Failure::Timeout { .. } => {
                "ask again for the status; `journalctl -u vial -n 50` on the host says what the \
                 daemon is busy with"
            }
            Failure::Disconnected { .. } | Failure::Stopped => {
                "ask again for the status, which shows what came of it"
            }
            Failure::BadAnswer { .. } => {
                "compare `vial --version` on the host with the version of the library `:vial`, and \
                 upgrade the older one"
            }
            Failure::BadRequest(_) => return None,
            Failure::File { .. } => "build it with `mix release`, and name the archive",
        };
        Some(next.into())
    }
}

impl Why {
    fn sentence(&self, socket: &Path) -> String {
        let socket = socket.display();
        match self {
            Why::Missing => format!("The daemon is not running: there is no socket at {socket}."),
            Why::Denied => {
                format!("This node may not reach the daemon: permission denied at {socket}.")
            }
            Why::Stale => format!(
                "The daemon is not running: nothing listens on {socket}, which an earlier daemon \
                 left behind."
            ),
            Why::System(error) => format!("The daemon cannot be reached at {socket}: {error}."),
        }
    }
}
