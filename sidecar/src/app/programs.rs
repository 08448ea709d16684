//! Programs of a release that run beside it for a person: an expression, a console.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use vial_protocol::{Problem, Slot};

use super::context::Context;
use super::helpers::{Journalled, Purpose};
use super::jobs::evaluate::{failed, for_remote, marker, node};
use super::jobs::launch::prepare;
use super::jobs::whom::user;
use super::whereabouts::Whereabouts;
use crate::slot::environment::Variables;
use crate::slot::family::Guard;
use crate::slot::terminal::{Size, Terminal};
use crate::slot::{Exit, Output, Process, Spec, family, spawn};

pub use super::jobs::evaluate::{Evaluation, evaluate};

/// What IEx runs first in a console on a release that does not run.
const GREETING: &str = include_str!("clean_console.exs");

/// How long a console may take to end once its terminal hung up.
const GOODBYE: Duration = Duration::from_secs(2);

/// A console that was opened.
#[derive(Debug)]
pub struct Console {
    /// Our side of its terminal.
    pub terminal: Terminal,
    /// What runs on it.
    pub running: Running,
}

/// A program on a terminal. Dropped, it is killed with all its family: a console ends with the
/// daemon.
#[derive(Debug)]
pub struct Running {
    process: Process,
    family: Guard,
    row: Journalled,
}

impl Running {
    /// Waits for its end, and makes an end of it after a moment.
    pub async fn end(self) -> Exit {
        let Running { process, family, row } = self;
        match family::stop(&process, family.run_id(), GOODBYE).await {
            Ok(stopped) => {
                family.ended();
                row.close(&stopped.exit.to_string()).await;
                stopped.exit
            }
            Err(error) => {
                tracing::warn!(%error, "a console could not be ended");
                Exit::Unknown
            }
        }
    }
}

/// Opens an IEx on the node in a slot, on a terminal of its own.
///
/// # Errors
/// Where the script could not be run.
pub async fn console(
    context: &Arc<Context>,
    slot: Slot,
    size: Size,
    term: &str,
) -> Result<Console, Problem> {
    let command = node(context, slot).await?.console();
    let marker = marker(context);
    let version = context.version_in(slot, None).await;
    let environment = prepare(context, slot, marker.clone(), version).await.map_err(failed)?;
    let env = for_remote(&environment, &command);
    let started = Program {
        program: command.program,
        args: command.args,
        env,
        cwd: context.layout.work(slot),
        marker,
    };
    open(context, started, size, term).await
}

/// Opens a clean IEx on a release, in a node of its own: no traffic, the app is not started, its
/// repositories are.
///
/// # Errors
/// Where the script could not be run.
pub async fn clean_console(
    context: &Arc<Context>,
    place: &Whereabouts,
    size: Size,
    term: &str,
) -> Result<Console, Problem> {
    let marker = marker(context);
    let version = context.version_in(place.slot, Some(place.release.number)).await;
    let environment =
        prepare(context, place.slot, marker.clone(), version).await.map_err(failed)?;
    let cwd = context.layout.console();
    greet(&cwd).map_err(failed)?;
    let mut env = environment.for_helper();
    for (name, value) in [
        ("RELEASE_BOOT_SCRIPT", "start_clean".to_owned()),
        ("VIAL_CONSOLE_RELEASE", format!("{} (#{})", place.label, place.release.number)),
        ("VIAL_CONSOLE_APPS", place.apps.join(",")),
        ("VIAL_CONSOLE_REPOS", context.config.repos.join(",")),
    ] {
        env.retain(|(known, _)| known != name);
        env.push((name.into(), value.into()));
    }
    let program = context.script(place.release.number);
    let started = Program { program, args: vec!["start_iex".into()], env, cwd, marker };
    open(context, started, size, term).await
}

/// Puts in a folder what IEx runs first there. The app's user must not be able to write in it.
fn greet(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    let aside = tempfile_in(folder)?;
    std::fs::rename(aside, folder.join(".iex.exs"))
}

fn tempfile_in(folder: &Path) -> std::io::Result<PathBuf> {
    let count = std::process::id();
    let path = folder.join(format!(".iex.exs.{count}.{:08x}", getrandom::u32().unwrap_or(count)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&path)?;
    file.write_all(GREETING.as_bytes())?;
    file.sync_all()?;
    Ok(path)
}

struct Program {
    program: PathBuf,
    args: Vec<OsString>,
    env: Variables,
    cwd: PathBuf,
    marker: String,
}

async fn open(
    context: &Context,
    started: Program,
    size: Size,
    term: &str,
) -> Result<Console, Problem> {
    let Program { program, args, mut env, cwd, marker } = started;
    let user = user(context);
    let (terminal, theirs) = Terminal::open(size, user.as_ref()).map_err(failed)?;
    env.retain(|(name, _)| name != "TERM");
    env.push(("TERM".into(), term.into()));
    let binary = context.daemon.binary.clone();
    let output = Output::Terminal(theirs);
    let spec = Spec { binary, program, args, env, cwd, user, output, restraint: None };
    let waiting = spawn(&spec).map_err(failed)?;
    // Its side of the terminal is the program's alone from here on.
    drop(spec);
    let identity = waiting.identity.clone();
    let row = Journalled::write(context, Purpose::Console, &marker, &identity).await;
    let row = row.map_err(failed)?;
    let process = waiting.open().map_err(failed)?;
    let family = Guard::new(identity, &marker);
    Ok(Console { terminal, running: Running { process, family, row } })
}
