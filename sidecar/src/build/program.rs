//! One program of a build: as the builder, restrained, within limits, and written down before it may
//! begin.

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::error::BuildError;
use super::log::BuildLog;
use super::place::Place;
use crate::fault;
use crate::slot::family::{self, MARKER};
use crate::slot::helper::{Finished, Helper, HelperError};
use crate::slot::{Identity, Output, Restraint, Spec, User};

/// Tells the programs of one daemon apart.
static COUNT: AtomicU64 = AtomicU64::new(1);

/// How often the disk is looked at while a program runs: what fills it must not have it for long.
const LOOK: Duration = Duration::from_millis(200);

/// The capability to make namespaces, as /proc counts it.
const SYS_ADMIN: u64 = 1 << 21;

/// Where programs are written down before they may begin, and how they ended.
pub trait Journal: Send + Sync {
    /// A row that is open. Dropped, the program was given up.
    type Row: Send;
    /// Writes a program down that waits.
    fn begin(
        &self,
        marker: &str,
        identity: &Identity,
    ) -> impl Future<Output = Result<Self::Row, String>> + Send;
    /// Writes down how it ended.
    fn end(&self, row: Self::Row, ending: &str) -> impl Future<Output = ()> + Send;
}

/// Who builds.
#[derive(Debug, Clone)]
pub struct Builder {
    /// The `vial` binary.
    pub binary: PathBuf,
    /// As whom; as the daemon where absent.
    pub user: Option<User>,
    /// Begins the markers of its programs.
    pub marker: String,
    restraint: Restraint,
}

impl Builder {
    /// One that may have so many processes at once.
    #[must_use]
    pub fn new(binary: PathBuf, user: Option<User>, marker: String, processes: u64) -> Builder {
        let isolate = user.is_some() && may_isolate();
        // Where it is the daemon's own user, what runs of that already counts too.
        let beside = if user.is_some() { 0 } else { threads_of_ours() };
        let restraint = Restraint { processes: Some(processes + beside), isolate };
        Builder { binary, user, marker, restraint }
    }
}

/// Whether namespaces can be made.
fn may_isolate() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    effective.is_some_and(|it| it & SYS_ADMIN != 0)
}

fn threads_of_ours() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let ours = nix::unistd::geteuid().as_raw();
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    let own = processes.flatten().filter(|it| it.metadata().is_ok_and(|it| it.uid() == ours));
    let threads = own.filter_map(|it| std::fs::read_dir(it.path().join("task")).ok());
    threads.map(|it| it.count() as u64).sum()
}

/// What is run.
#[derive(Debug, Clone)]
pub struct Program {
    /// The program; looked up in the PATH of `env`.
    pub name: &'static str,
    /// Its arguments: no secret.
    pub args: Vec<OsString>,
    /// Its whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// Where it starts.
    pub cwd: PathBuf,
    /// Whether what it prints is for the log.
    pub told: bool,
}

/// What a build may take of the host, from its beginning on.
#[derive(Debug, Clone)]
pub struct Limits {
    began: Instant,
    time: Duration,
    place: Place,
    keep_free: u64,
}

impl Limits {
    /// From now on.
    #[must_use]
    pub fn begin(time: Duration, place: Place, keep_free: u64) -> Limits {
        Limits { began: Instant::now(), time, place, keep_free }
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    fn left(&self) -> Duration {
        self.time.saturating_sub(self.began.elapsed())
    }

    /// Ends when less of the disk is free than must stay.
    async fn exceeded(&self) -> BuildError {
        loop {
            if let Some(free) = self.place.free().filter(|free| *free < self.keep_free) {
                return BuildError::DiskFull { free, keep: self.keep_free };
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Runs a program to its end. Whatever stops it, nothing of it runs afterwards.
///
/// # Errors
/// Where it could not be run, or was stopped for a limit.
pub async fn run<J: Journal>(
    builder: &Builder,
    journal: &J,
    program: Program,
    limits: &Limits,
    log: &mut BuildLog,
) -> Result<Finished, BuildError> {
    let failed = |error: &dyn std::fmt::Display| BuildError::Program(error.to_string());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let marker = format!("{}-{count}", builder.marker);
    let mut env = program.env;
    env.push((MARKER.into(), marker.clone().into()));
    let spec = Spec {
        binary: builder.binary.clone(),
        program: program.name.into(),
        args: program.args,
        env,
        cwd: program.cwd,
        user: builder.user.clone(),
        output: Output::Piped,
        restraint: Some(builder.restraint),
    };
    let helper = Helper::start(&spec, &marker).map_err(|error| failed(&error))?;
    // Dropped without being run, it ends without having been the program.
    let label = fault_label(program.name, &spec.args);
    fault::point(|| format!("build: before {label}"));
    let row = journal.begin(&marker, helper.identity()).await.map_err(|why| failed(&why))?;
    let (full, most) = (Notify::new(), log.most());
    let done = {
        let hear = |line: &str| {
            if program.told && !log.line(line) {
                full.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = full.notified() => Err(BuildError::TooMuchOutput(most)),
            done = helper.run(limits.left(), hear) => done.map_err(|error| match error {
                HelperError::TimedOut { .. } => BuildError::TimedOut(limits.time),
                error => failed(&error),
            }),
            error = limits.exceeded() => Err(error),
        }
    };
    fault::point(|| format!("build: after {label}"));
    match done {
        Ok(finished) => {
            journal.end(row, &finished.exit.to_string()).await;
            Ok(finished)
        }
        Err(error) => {
            // It was killed when nobody ran it any more; now it is seen to be gone.
            if let Err(error) = family::sweep(Vec::new(), &marker, Duration::ZERO).await {
                tracing::warn!(%error, "what a build left running");
            }
            journal.end(row, "was killed").await;
            Err(error)
        }
    }
}

/// What a program is called at a fault's point: "git fetch".
fn fault_label(name: &str, args: &[OsString]) -> String {
    let plain = |it: &&str| it.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    let word =
        args.iter().filter_map(|it| it.to_str()).find(|it| plain(it) && !it.starts_with('-'));
    word.map_or_else(|| name.to_owned(), |word| format!("{name} {word}"))
}
