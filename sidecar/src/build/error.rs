//! What a build can end with.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no release. Whoever asked for the deployment reads it; what is said of the log is
/// in the log.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// What was asked for names no commit.
    #[error("{0:?} cannot be the name of a branch, a tag or a whole commit id.")]
    BadReference(String),
    /// Nobody may build.
    #[error(
        "Nobody is there to build: the daemon runs as root, and what is pushed must not. There is \
         no user {user}."
    )]
    NoBuilder {
        /// Who is missing.
        user: String,
    },
    /// The repository has no such thing.
    #[error("{address} has no branch, tag or commit {reference}.")]
    NoSuchReference {
        /// What was asked for.
        reference: String,
        /// Where; without a password.
        address: String,
    },
    /// Git failed.
    #[error("{what} failed: git {ending}.")]
    Git {
        /// What it was at: "Fetching main".
        what: String,
        /// How it ended.
        ending: String,
    },
    /// A command of the build failed.
    #[error("Command {index} of the build {ending}.")]
    Command {
        /// Which, from 1.
        index: usize,
        /// How it ended: "exited with status 1".
        ending: String,
    },
    /// It took too long.
    #[error("The build was killed: it took longer than {} s.", .0.as_secs())]
    TimedOut(Duration),
    /// It printed too much.
    #[error("The build was killed: it printed more than {0} bytes.")]
    TooMuchOutput(u64),
    /// It filled the disk.
    #[error("The build was killed: {free} bytes were left on the disk, and {keep} must stay free.")]
    DiskFull {
        /// What was left.
        free: u64,
        /// What must stay.
        keep: u64,
    },
    /// There was no room to begin with.
    #[error(
        "Nothing was built: {free} bytes are free on the disk, and {keep} must stay free while it \
         is built."
    )]
    NoRoom {
        /// What is left.
        free: u64,
        /// What must stay.
        keep: u64,
    },
    /// The commands made no release where one was expected.
    #[error("The build ended well, and left no release in {0}.")]
    NoRelease(String),
    /// What it left cannot be taken for a release.
    #[error("The build left {path}, which {why}.")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Something of the host's failed.
    #[error("{path} cannot be used: {source}.")]
    Disk {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A program could not be run at all.
    #[error("{0}")]
    Program(String),
}

impl BuildError {
    /// Whether the disk is what is missing.
    #[must_use]
    pub fn is_for_want_of_space(&self) -> bool {
        matches!(self, BuildError::DiskFull { .. } | BuildError::NoRoom { .. })
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self, app: &str, number: u64) -> String {
        match self {
            BuildError::BadReference(_) => "name a branch, a tag, or all of a commit's id".into(),
            BuildError::NoBuilder { user } => {
                format!("`adduser --system --group {user}`, then `vial reload`")
            }
            BuildError::NoSuchReference { .. } => {
                "see what was pushed; a commit must be named by its whole id".into()
            }
            BuildError::DiskFull { .. } | BuildError::NoRoom { .. } => {
                "free space, or set `source.keep_free` lower".into()
            }
            BuildError::TimedOut(_) => format!(
                "`vial logs {app} --build {number}`; `source.timeout` says how long it may take"
            ),
            BuildError::NoRelease(_) => {
                "set `source.release_path`, or let `source.build` end in `mix release`".into()
            }
            BuildError::Disk { .. } => "`vial doctor`".into(),
            _ => format!("`vial logs {app} --build {number}` shows all of it"),
        }
    }

    pub(super) fn disk(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> BuildError {
        let path = path.into();
        move |source| BuildError::Disk { path, source }
    }
}
