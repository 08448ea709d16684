//! The second half of a spawn: this binary again, as the process that becomes the program.
//!
//! Between fork and exec of a daemon with threads hardly anything may be done; in a process of
//! its own everything may, without a line of unsafe code in the daemon. It waits at the gate, its
//! standard input, until the daemon has written the process down, and exits if the daemon dies
//! before that.
//!
//! The program's environment arrives with [`SHIELD`] before every name, because this code may
//! still run as root: the dynamic loader and the C library must not act on what an app's
//! environment says (`LD_PRELOAD`).

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid, close, dup2_stdin, initgroups, setgid, setsid, setuid};

use super::apart;
use super::spawn::Restraint;

/// The hidden subcommand.
const SUBCOMMAND: &str = "__exec";

/// Stands before the name of every variable that is meant for the program.
pub(crate) const SHIELD: &str = "+";

/// As in the shell: found but not runnable, and not found.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// More descriptors than a BEAM can use, and few enough for it to go through them all:
/// erl_child_setup closes each possible one before it begins.
const DESCRIPTORS: u64 = 1 << 20;

/// What the trampoline is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub controlling_terminal: bool,
    /// What the program is held to.
    pub restraint: Option<Restraint>,
    /// Whether this is the first process of namespaces that were just made.
    pub inner: bool,
    pub user: Option<(OsString, u32, u32)>,
    pub cwd: OsString,
    pub program: OsString,
    pub args: Vec<OsString>,
}

impl Request {
    /// As arguments of `vial`.
    pub fn to_args(&self) -> Vec<OsString> {
        let mut args = vec![OsString::from(SUBCOMMAND)];
        if self.controlling_terminal {
            args.push("--ctty".into());
        }
        if let Some(Restraint { processes, isolate }) = &self.restraint {
            args.push("--restrain".into());
            if *isolate {
                args.push("--isolate".into());
            }
            if let Some(processes) = processes {
                args.extend(["--processes".into(), processes.to_string().into()]);
            }
        }
        if self.inner {
            args.push("--inner".into());
        }
        if let Some((name, uid, gid)) = &self.user {
            args.push("--user".into());
            args.extend([name.clone(), uid.to_string().into(), gid.to_string().into()]);
        }
        args.extend(["--cwd".into(), self.cwd.clone(), "--".into(), self.program.clone()]);
        args.extend(self.args.iter().cloned());
        args
    }

    /// From what stands after the subcommand.
    fn parse(args: Vec<OsString>) -> Option<Request> {
        let mut args = args.into_iter();
        let mut controlling_terminal = false;
        let (mut restraint, mut inner) = (None::<Restraint>, false);
        let mut user = None;
        let mut cwd = OsString::from("/");
        loop {
            let option = args.next()?;
            match option.to_str()? {
                "--ctty" => controlling_terminal = true,
                "--restrain" => restraint = Some(Restraint::default()),
                "--isolate" => restraint.as_mut()?.isolate = true,
                "--processes" => {
                    restraint.as_mut()?.processes = Some(args.next()?.to_str()?.parse().ok()?);
                }
                "--inner" => inner = true,
                "--user" => {
                    user = Some((args.next()?, number(args.next()?)?, number(args.next()?)?))
                }
                "--cwd" => cwd = args.next()?,
                "--" => break,
                _ => return None,
            }
        }
        let program = args.next()?;
        Some(Request {
            controlling_terminal,
            restraint,
            inner,
            user,
            cwd,
            program,
            args: args.collect(),
        })
    }
}

fn number(word: OsString) -> Option<u32> {
    word.to_str()?.parse().ok()
}

/// Why the program does not run; printed to the program's own standard error.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The daemon died, or gave up, before it opened the gate: there is nobody to tell.
    #[error("not wanted any more")]
    Abandoned,
    #[error("`vial {SUBCOMMAND}` is Vial's own; it is not meant to be typed")]
    Usage,
    #[error("cannot {what}: {source}")]
    Setup { what: String, source: io::Error },
    #[error("cannot run {}: {source}", program.display())]
    Exec { program: OsString, source: io::Error },
}

/// The trampoline's arguments, where this process was started as one. To be asked before anything
/// else is done: before arguments are parsed, threads started, or signals handled.
#[must_use]
pub fn requested() -> Option<Vec<OsString>> {
    let mut args = std::env::args_os().skip(1);
    (args.next()? == SUBCOMMAND).then(|| args.collect())
}

/// Becomes the program. Returns only where that failed.
#[must_use]
pub fn run(args: Vec<OsString>) -> ExitCode {
    let ended = match Request::parse(args) {
        Some(request) => become_program(&request),
        None => Err(Failure::Usage),
    };
    let failure = match ended {
        Ok(code) => return code,
        Err(failure) => failure,
    };
    let code = match &failure {
        Failure::Abandoned => return ExitCode::SUCCESS,
        Failure::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound => NOT_FOUND,
        _ => CANNOT_RUN,
    };
    eprintln!("vial: {failure}");
    ExitCode::from(code)
}

fn become_program(request: &Request) -> Result<ExitCode, Failure> {
    if request.inner {
        apart::begin(request)?;
        return apart::tend(program(request)).map_err(exec(request));
    }
    prepare(request)?;
    if request.restraint.is_some_and(|it| it.isolate) {
        return apart::enter(request);
    }
    become_them(request)?;
    // Resets the signal mask and SIGPIPE too, and looks a bare name up in the program's own PATH.
    let source = program(request).exec();
    Err(exec(request)(source))
}

/// The program, with the environment that was meant for it.
fn program(request: &Request) -> Command {
    let environment =
        std::env::vars_os().filter_map(|(name, value)| Some((unshield(&name)?, value)));
    let mut command = Command::new(&request.program);
    command.args(&request.args).env_clear().envs(environment);
    command
}

fn exec(request: &Request) -> impl Fn(io::Error) -> Failure {
    move |source| Failure::Exec { program: request.program.clone(), source }
}

fn prepare(request: &Request) -> Result<(), Failure> {
    setsid().map_err(setup("begin a session"))?;
    io::stdin().read_exact(&mut [0]).map_err(|_| Failure::Abandoned)?;
    take_input(request.controlling_terminal)?;
    umask(Mode::from_bits_truncate(0o022));
    // Refused where the daemon itself runs unprivileged with a raised score: then so do its slots.
    let _ = std::fs::write("/proc/self/oom_score_adj", "0");
    raise_descriptors().map_err(setup("raise the limit of open files"))?;
    reset_signals()?;
    if request.restraint.is_some() {
        restrain()?;
    }
    close_inherited();
    Ok(())
}

/// What is left to do before the program: whose it is, and where it begins.
pub(super) fn become_them(request: &Request) -> Result<(), Failure> {
    // Before the change of user: its processes are counted from the first on.
    if let Some(most) = request.restraint.and_then(|it| it.processes) {
        setrlimit(Resource::RLIMIT_NPROC, most, most).map_err(setup("limit its processes"))?;
    }
    if let Some((name, uid, gid)) = &request.user {
        become_user(name, *uid, *gid)?;
    }
    std::env::set_current_dir(&request.cwd).map_err(|source| Failure::Setup {
        what: format!("enter the folder {}", request.cwd.display()),
        source,
    })
}

/// The lowest priority there is, and no core file.
fn restrain() -> Result<(), Failure> {
    rustix::process::nice(10).map_err(|errno| setup("give way to others")(errno))?;
    apart::idle_disk();
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(setup("do without core files"))
}

/// The gate has done its work: standard input becomes empty, or the terminal.
fn take_input(controlling_terminal: bool) -> Result<(), Failure> {
    if controlling_terminal {
        dup2_stdin(io::stdout()).map_err(setup("read from the terminal"))?;
        rustix::process::ioctl_tiocsctty(io::stdin())
            .map_err(|errno| setup("take the terminal")(errno))
    } else {
        let null = File::open("/dev/null").map_err(setup("open /dev/null"))?;
        dup2_stdin(null).map_err(setup("read from /dev/null"))
    }
}

fn raise_descriptors() -> nix::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(DESCRIPTORS), hard)
}

fn reset_signals() -> Result<(), Failure> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    for signal in Signal::iterator().filter(|s| !matches!(s, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: the default disposition runs none of our code, and this process has one thread.
        #[allow(unsafe_code)]
        unsafe { sigaction(signal, &default) }.map_err(setup("reset the signals"))?;
    }
    SigSet::empty().thread_set_mask().map_err(setup("reset the signals"))
}

fn become_user(name: &OsStr, uid: u32, gid: u32) -> Result<(), Failure> {
    let become_them = || -> io::Result<()> {
        let c_name = std::ffi::CString::new(name.as_bytes())?;
        let gid = Gid::from_raw(gid);
        initgroups(&c_name, gid)?;
        setgid(gid)?;
        setuid(Uid::from_raw(uid))?;
        Ok(())
    };
    become_them().map_err(|source| Failure::Setup {
        what: format!("become the user {}", name.display()),
        source,
    })
}

/// Nothing of the daemon's reaches the program. All that Rust opens closes at exec by itself;
/// this is for what the daemon itself inherited.
fn close_inherited() {
    let Ok(entries) = std::fs::read_dir("/proc/self/fd") else { return };
    let numbers: Vec<i32> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in numbers {
        // The folder's own descriptor is in the list and closed by now.
        let _ = close(number);
    }
}

fn unshield(name: &OsStr) -> Option<OsString> {
    let name = name.as_bytes().strip_prefix(SHIELD.as_bytes())?;
    Some(OsString::from_vec(name.to_vec()))
}

pub(super) fn setup<E: Into<io::Error>>(what: &'static str) -> impl Fn(E) -> Failure {
    move |error| Failure::Setup { what: what.to_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_through_the_arguments_whole() {
        let request = Request {
            controlling_terminal: true,
            restraint: Some(Restraint { processes: Some(100), isolate: true }),
            inner: true,
            user: Some(("shop".into(), 1001, 1002)),
            cwd: "/srv/with space".into(),
            program: "/srv/shop/bin/shop".into(),
            args: vec!["eval".into(), "--user".into(), "--".into(), "".into()],
        };
        let args = request.to_args();
        assert_eq!(args[0], SUBCOMMAND);
        assert_eq!(Request::parse(args[1..].to_vec()), Some(request));
    }

    #[test]
    fn arguments_that_vial_did_not_write_are_refused() {
        for args in [vec![], vec!["--"], vec!["--user", "x"], vec!["--nonsense", "--", "/bin/sh"]] {
            let args = args.into_iter().map(OsString::from).collect();
            assert_eq!(Request::parse(args), None);
        }
    }
}
