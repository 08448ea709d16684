//! Starting a process in two phases: first it exists and waits, then, once its identity is
//! written down, it becomes the program. A daemon that dies in between leaves nothing behind.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::OFlag;

use super::cgroup;
use super::family::{HEALTH, MARKER};
use super::identity::Identity;
use super::process::Process;
use super::trampoline::{Request, SHIELD};

/// Whom a program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, by which the supplementary groups are found.
    pub name: String,
    /// The user's id.
    pub uid: u32,
    /// The primary group's id.
    pub gid: u32,
    /// The home folder.
    pub home: PathBuf,
}

impl User {
    /// Looks a user up by name.
    ///
    /// # Errors
    /// Where the user database cannot be asked.
    pub fn find(name: &str) -> io::Result<Option<User>> {
        Ok(nix::unistd::User::from_name(name)?.map(User::from))
    }

    /// The user that this process runs as.
    ///
    /// # Errors
    /// Where the user database cannot be asked.
    pub fn current() -> io::Result<Option<User>> {
        Ok(nix::unistd::User::from_uid(nix::unistd::Uid::effective())?.map(User::from))
    }
}

impl From<nix::unistd::User> for User {
    fn from(user: nix::unistd::User) -> User {
        User { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw(), home: user.dir }
    }
}

/// Where standard output and standard error go.
#[derive(Debug)]
pub enum Output {
    /// To the end of this file, by the kernel, whether or not the daemon lives. Made with mode
    /// 0640 where it does not exist; a link in its place is refused.
    Append(PathBuf),
    /// To us, both in one stream: see [`Waiting::take_output`].
    Piped,
    /// To a terminal, which becomes standard input and the controlling terminal as well.
    Terminal(OwnedFd),
}

/// What to start.
#[derive(Debug)]
pub struct Spec {
    /// The `vial` binary: the daemon's own, `/proc/self/exe`.
    pub binary: PathBuf,
    /// The program; looked up in the PATH of `env` where it has no slash.
    pub program: PathBuf,
    /// Its arguments, which every local user can read: no secrets.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder that it starts in.
    pub cwd: PathBuf,
    /// Whom it runs as; the daemon's user where absent.
    pub user: Option<User>,
    /// Where its output goes.
    pub output: Output,
    /// What it is held to; nothing where absent.
    pub restraint: Option<Restraint>,
}

/// What a program that nobody vouches for is held to. It runs at the lowest priority of processor
/// and disk, and leaves no core file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restraint {
    /// How many processes and threads its user may have at once, all of them counted.
    pub processes: Option<u64>,
    /// Whether it gets namespaces of its own for processes and mounts, which takes root: it sees no
    /// process but its own, can signal no other, and when it ends the kernel kills what it left.
    pub isolate: bool,
}

impl Spec {
    /// The daemon's own binary, also after it was replaced on disk.
    pub const OWN_BINARY: &'static str = "/proc/self/exe";
}

/// Why nothing was started; for the owner of the slot, who shows it as it is.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The log cannot be opened.
    #[error("The log {} cannot be opened: {source}.", path.display())]
    Log {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Only root may run a program as someone else.
    #[error(
        "{program} cannot be run as the user {user}: Vial itself does not run as root. \
         Remove `user` from the app's configuration, or start Vial as root."
    )]
    NotRoot {
        /// The program.
        program: String,
        /// The user.
        user: String,
    },
    /// The system has no room for another process, or Vial's binary cannot be run.
    #[error("{program} cannot be started: {source}.")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// The process ended before it could be told to begin.
    #[error("{program} was ended by someone else before it began.")]
    Vanished {
        /// The program.
        program: String,
    },
}

/// A process that exists and waits. Dropped, it ends without having run the program.
#[derive(Debug)]
pub struct Waiting {
    /// To be written down before [`Waiting::open`].
    pub identity: Identity,
    process: Process,
    program: String,
    gate: PipeWriter,
    output: Option<PipeReader>,
}

/// Starts a process that waits to become the program.
///
/// # Errors
/// Where the system refuses: nothing is left behind.
pub fn spawn(spec: &Spec) -> Result<Waiting, SpawnError> {
    let program = spec.program.display().to_string();
    let start = |source: io::Error| SpawnError::Start { program: program.clone(), source };
    let request = Request {
        controlling_terminal: matches!(spec.output, Output::Terminal(_)),
        user: switch(spec)?,
        restraint: spec.restraint,
        inner: false,
        cwd: spec.cwd.clone().into(),
        program: spec.program.clone().into(),
        args: spec.args.clone(),
    };
    let (gate_in, gate) = io::pipe().map_err(start)?;
    let (out, err, output) = outputs(&spec.output, &start)?;
    let mut child = Command::new(&spec.binary)
        .arg0("vial")
        .args(request.to_args())
        .env_clear()
        .envs(spec.env.iter().map(|(name, value)| (shield(name), value)))
        .current_dir("/")
        .stdin(gate_in)
        .stdout(out)
        .stderr(err)
        .spawn()
        .map_err(start)?;
    let held = Process::child(child.id());
    if let Ok(Some(process)) = held {
        let identity = process.identity().clone();
        place(spec, identity.pid);
        return Ok(Waiting { identity, process, program, gate, output });
    }
    // With the gate gone it ends at once, and must not stay behind as a zombie.
    drop(gate);
    let _ = child.wait();
    match held {
        Err(source) => Err(start(source)),
        Ok(_) => Err(SpawnError::Vanished { program }),
    }
}

impl Waiting {
    /// What the program writes, where it was spawned with [`Output::Piped`].
    pub fn take_output(&mut self) -> Option<PipeReader> {
        self.output.take()
    }

    /// Lets the process become the program. Where the program cannot be run, the process says
    /// why on its standard error and exits with status 126 or 127.
    ///
    /// # Errors
    /// Where someone ended the process meanwhile.
    pub fn open(mut self) -> Result<Process, SpawnError> {
        match self.gate.write_all(&[1]) {
            Ok(()) => Ok(self.process),
            Err(_) => Err(SpawnError::Vanished { program: self.program }),
        }
    }
}

/// While it waits it has no children yet: whatever it becomes begins in the cgroup of its marker.
fn place(spec: &Spec, pid: u32) {
    let marker = spec.env.iter().find(|(name, _)| name == MARKER);
    let Some(marker) = marker.and_then(|(_, value)| value.to_str()) else { return };
    // One that is asked every few seconds would cost the host a cgroup each time.
    if marker.ends_with(HEALTH) {
        return;
    }
    if let Err(error) = cgroup::place(pid, marker) {
        tracing::warn!(pid, marker, %error, "no cgroup of its own; it is found by descent and marker");
    }
}

/// The user to become, where that is another than ours.
fn switch(spec: &Spec) -> Result<Option<(OsString, u32, u32)>, SpawnError> {
    let Some(user) = &spec.user else { return Ok(None) };
    let us = nix::unistd::Uid::effective();
    if !us.is_root() && us.as_raw() != user.uid {
        return Err(SpawnError::NotRoot {
            program: spec.program.display().to_string(),
            user: user.name.clone(),
        });
    }
    Ok(us.is_root().then(|| (user.name.clone().into(), user.uid, user.gid)))
}

type Outputs = (Stdio, Stdio, Option<PipeReader>);

fn outputs(
    output: &Output,
    start: &impl Fn(io::Error) -> SpawnError,
) -> Result<Outputs, SpawnError> {
    match output {
        Output::Append(path) => {
            let log = |source| SpawnError::Log { path: path.clone(), source };
            let out = append(path).map_err(log)?;
            let err = out.try_clone().map_err(log)?;
            Ok((out.into(), err.into(), None))
        }
        Output::Piped => {
            let (reader, writer) = io::pipe().map_err(start)?;
            Ok((writer.try_clone().map_err(start)?.into(), writer.into(), Some(reader)))
        }
        Output::Terminal(terminal) => {
            let out = terminal.try_clone().map_err(start)?;
            Ok((out.into(), terminal.try_clone().map_err(start)?.into(), None))
        }
    }
}

fn append(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        // A FIFO in its place would hold up the daemon without O_NONBLOCK; on a file it means nothing.
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
}

fn shield(name: &std::ffi::OsStr) -> OsString {
    let mut shielded = OsString::from(SHIELD);
    shielded.push(name);
    shielded
}
