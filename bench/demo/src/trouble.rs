//! What keeps a demo from going on.

use std::io;

use vial::client::ClientError;
use vial_protocol::Problem;

/// Why it cannot go on. Whoever started it reads this, and all that was started is ended.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The system said no.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program of ours ended, or never answered.
    #[error("{name} {how}. The last lines of what it wrote:\n{log}")]
    Program {
        /// Which.
        name: &'static str,
        /// What it did.
        how: String,
        /// The end of its log.
        log: String,
    },
    /// A command of the command line failed.
    #[error("`vial {command}` ended with status {status}:\n{output}")]
    Command {
        /// Its arguments.
        command: String,
        /// How it ended.
        status: String,
        /// What it printed.
        output: String,
    },
    /// A deployment did not go as it should.
    #[error("{problem}\n{}", problem.log.join("\n"))]
    Failed {
        /// What the history says of it.
        problem: Box<Problem>,
    },
    /// The daemon refused, or cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something is not there that was needed.
    #[error("{0}")]
    Missing(String),
    /// Something that should have happened did not.
    #[error("{what} did not happen within {seconds} s")]
    Waited {
        /// What.
        what: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// A result could not be put into JSON, or read from it.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A program of ours is still there after it was ended.
    #[error("left behind: {0}")]
    Left(String),
}

/// Says what was tried when the system said no.
pub fn trying(what: impl Into<String>) -> impl FnOnce(io::Error) -> Trouble {
    let what = what.into();
    move |source| Trouble::Io { what, source }
}
