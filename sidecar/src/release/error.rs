//! What goes wrong between an archive and a release, in words for whoever deploys it.

use std::io;
use std::path::PathBuf;

use indicatif::HumanBytes;

/// Why an archive was not unpacked. For whoever sent it, except [`UnpackError::NoSpace`],
/// [`UnpackError::Disk`] and [`UnpackError::Host`], which the host's operator has to cure.
/// Nothing is left on the disk. What the archive wrote is made printable before it gets in here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// No byte came.
    #[error("Nothing was received: the upload is empty.")]
    Empty,
    /// The first bytes are neither gzip nor tar.
    #[error("This is not a release archive but {0}; expected a .tar.gz or .tar of a release.")]
    NotAnArchive(&'static str),
    /// The stream ended inside the archive.
    #[error("The archive is truncated: it ends after {received} bytes, before its end marker.")]
    Truncated {
        /// Bytes received.
        received: u64,
    },
    /// A checksum or a structure does not hold.
    #[error("The archive is corrupt: {0}.")]
    Corrupt(String),
    /// Something that is not padding follows the archive's end.
    #[error("Something follows the end of the archive; it is damaged or was put together wrongly.")]
    Trailing,
    /// One entry is not acceptable.
    #[error("The archive's entry `{name}` {fault}.")]
    Entry {
        /// The entry's name, printable.
        name: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// More entries than the limit.
    #[error("The archive has more than {max} entries, the limit for a release.")]
    TooManyEntries {
        /// The limit.
        max: u64,
    },
    /// More bytes than the limit.
    #[error("The release is larger than {}, the limit for one when unpacked.", HumanBytes(*.max))]
    TooLarge {
        /// The limit.
        max: u64,
    },
    /// Expands further than anything that compresses honestly.
    #[error("The archive expands more than {max} times, the limit: it looks like an archive bomb.")]
    Ratio {
        /// The limit.
        max: u64,
    },
    /// More migration files than Vial lists.
    #[error("The release has more than {max} migration files.")]
    TooManyMigrations {
        /// The limit.
        max: usize,
    },
    /// Sound, but not a release.
    #[error("The archive is not a mix release: it has no `{missing}`.")]
    NotARelease {
        /// What a release has and this has not.
        missing: String,
    },
    /// A release, but another one.
    #[error("The archive is the release `{found}`, and this app's release is `{expected}`.")]
    OtherRelease {
        /// What the app's configuration names.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A file that must be executable is not.
    #[error("`{0}` in the archive is not executable.")]
    NotExecutable(String),
    /// `releases/start_erl.data` does not name two versions.
    #[error(
        "`releases/start_erl.data` in the archive must hold the versions of ERTS and of the \
         release, each of up to 64 letters, digits and `.`, `+`, `_`, `-`; it holds `{0}`."
    )]
    BadVersion(String),
    /// It starts heart.
    #[error(
        "The release starts heart (`{file}`, line {line}: {what}): heart would start it again \
         outside Vial, after a stop as after a crash. Vial restarts it by itself."
    )]
    Heart {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What was found there.
        what: &'static str,
    },
    /// The Erlang inside cannot run here.
    #[error("The release's own Erlang (erts-{erts}) cannot run on this host: {fault}.")]
    Erts {
        /// Its version.
        erts: String,
        /// Why.
        fault: ErtsFault,
    },
    /// The disk is full, or would be.
    #[error(
        "No room on the disk for this release: it needs more than {}, and {} were free in {}, of \
         which {} stay free for what runs{inodes}.",
        HumanBytes(*.needed),
        HumanBytes(*.free),
        .folder.display(),
        HumanBytes(*.keep_free),
        inodes = if *.no_inodes { " (no inode is left)" } else { "" }
    )]
    NoSpace {
        /// Bytes that the entries so far need.
        needed: u64,
        /// Bytes that were free before.
        free: u64,
        /// Bytes that stay free in any case.
        keep_free: u64,
        /// Whether it is inodes that are missing.
        no_inodes: bool,
        /// Where.
        folder: PathBuf,
    },
    /// The caller asked to stop.
    #[error("Unpacking was cancelled.")]
    Cancelled,
    /// The sender went away.
    #[error("The upload broke off: {0}.")]
    Upload(#[source] io::Error),
    /// The host's file system failed.
    #[error("Could not {doing} {}: {source}.", .path.display())]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What this host can run could not be found out.
    #[error("Could not find out which programs this host runs: {0}.")]
    Host(ErtsFault),
}

impl UnpackError {
    /// What to do next, where that is not plain from the message.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        let text = match self {
            UnpackError::Empty | UnpackError::Truncated { .. } | UnpackError::Upload(_) => {
                "send it again; if it happens twice, check the archive with `gzip -t`"
            }
            UnpackError::NotAnArchive(_) | UnpackError::NotARelease { .. } => {
                "make one with `MIX_ENV=prod mix release` and deploy its folder, or the archive \
                 that the release step `:tar` makes"
            }
            UnpackError::Corrupt(_) | UnpackError::Trailing => {
                "build the release again and send that"
            }
            UnpackError::Entry { .. } => {
                "build the release again, and let `vial deploy` pack its folder"
            }
            UnpackError::TooManyEntries { .. }
            | UnpackError::TooLarge { .. }
            | UnpackError::Ratio { .. } => {
                "look at what the release brings with `tar tvf`; if it is meant, raise the limit \
                 in the host's configuration"
            }
            UnpackError::OtherRelease { .. } => {
                "deploy it to the app that it belongs to, or correct `release` in this app's file"
            }
            UnpackError::NotExecutable(_) => {
                "build or pack it where file modes are kept; `vial deploy FOLDER` keeps them"
            }
            UnpackError::BadVersion(_) | UnpackError::TooManyMigrations { .. } => {
                "correct it in the project and build the release again"
            }
            UnpackError::Heart { .. } => "remove that line and build the release again",
            UnpackError::Erts { .. } => {
                "build the release on a machine, or in a container, like this host"
            }
            UnpackError::NoSpace { .. } => "free space, or lower `keep_releases`, and deploy again",
            UnpackError::Cancelled | UnpackError::Disk { .. } | UnpackError::Host(_) => {
                return None;
            }
        };
        Some(text.to_owned())
    }
}

/// What is wrong with one entry; reads on after the entry's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// An absolute path.
    #[error("has an absolute path")]
    Absolute,
    /// `..` in the path.
    #[error("has `..` in its path")]
    ParentPath,
    /// No name at all.
    #[error("has an empty path")]
    EmptyPath,
    /// Not UTF-8.
    #[error("has a name that is not UTF-8")]
    NotUtf8,
    /// Control characters, NUL or marks that turn the direction of text.
    #[error("has control characters in its name")]
    ControlCharacters,
    /// Longer or deeper than the limits.
    #[error("has too long a path: at most {path} bytes, {name} in each part, {depth} folders")]
    TooLong {
        /// Bytes of a path.
        path: usize,
        /// Bytes of a part.
        name: usize,
        /// Folders above it.
        depth: usize,
    },
    /// A device, FIFO, socket, sparse file or anything else.
    #[error("is {0}; a release has only files, folders and links")]
    Kind(&'static str),
    /// setuid, setgid or sticky.
    #[error("has its setuid, setgid or sticky bit set (mode {0:o})")]
    Mode(u32),
    /// The same path twice.
    #[error("is in the archive twice")]
    Duplicate,
    /// A folder where something else is, or the other way round.
    #[error("is both a folder and something else")]
    Conflict,
    /// Below something that is not a folder.
    #[error("lies below a link or a file, not below a folder")]
    NotBelowFolder,
    /// A link that leads out of the release.
    #[error("is a link to `{0}`, which leaves the release's folder")]
    LinkLeaves(String),
    /// A link that leads to itself.
    #[error("is a link that leads back to itself")]
    LinkLoop,
    /// A hard link to what is not there.
    #[error("is a hard link to `{0}`, which is not an earlier file of the archive")]
    HardLink(String),
    /// The records before the entry contradict it or one another.
    #[error("has a header that contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// Why an Erlang cannot run here; reads on after a colon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErtsFault {
    /// `beam.smp` is missing.
    #[error("it has no `bin/beam.smp`")]
    Missing,
    /// Not an ELF program.
    #[error("it is {0}, not a Linux program")]
    NotElf(&'static str),
    /// Broken.
    #[error("its `bin/beam.smp` cannot be read: {0}")]
    Unreadable(String),
    /// Another machine.
    #[error("it was built for {release}, and this host is {host}")]
    Machine {
        /// What it was built for.
        release: String,
        /// What this is.
        host: String,
    },
    /// The dynamic loader is not here.
    #[error(
        "it needs the loader `{0}`, which is not here; it was built for another C library (glibc \
         or musl) or another distribution"
    )]
    Loader(String),
    /// A newer C library.
    #[error("it needs {needed} of {library}, and this host has {host}: built on a newer system")]
    Glibc {
        /// The newest version it needs.
        needed: String,
        /// Of which library.
        library: String,
        /// The newest version this host has.
        host: String,
    },
}

/// Why a staged release was not put in its place. For the operator; the staged release is gone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// A release stands there.
    #[error("{} exists; a release is never replaced.", .0.display())]
    Exists(PathBuf),
    /// The file system failed.
    #[error("Could not {doing} {}: {source}.", .path.display())]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a folder was not packed. For whoever typed the command.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Not a release's folder.
    #[error(
        "{} is not a release: it has no `{missing}`. A release's folder has `bin/NAME`, \
         `releases/start_erl.data` and `lib`; `MIX_ENV=prod mix release` makes one in {hint}.",
        .folder.display()
    )]
    NotARelease {
        /// The folder.
        folder: PathBuf,
        /// What it lacks.
        missing: &'static str,
        /// Where the release is, or would be.
        hint: String,
    },
    /// Something that no release may have.
    #[error("{} {fault}.", .path.display())]
    Entry {
        /// What.
        path: PathBuf,
        /// Why not.
        fault: EntryFault,
    },
    /// A file changed while it was read.
    #[error("{} changed while it was packed: is a build still running?", .0.display())]
    Changed(PathBuf),
    /// Reading failed.
    #[error("Could not read {}: {source}.", .path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The receiver went away.
    #[error("Could not send the release: {0}.")]
    Write(#[source] io::Error),
}
