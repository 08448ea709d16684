//! Evaluating an expression with a release's script, beside what runs in its slot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vial_protocol::{Code, Problem, Slot};

use super::launch::prepare;
use super::whom::{place, user};
use crate::app::context::Context;
use crate::app::helpers::{Journalled, Purpose};
use crate::slot::environment::{StartEnvironment, Variables};
use crate::slot::helper::{Finished, Helper};
use crate::slot::remote::{Remote, RemoteCommand};
use crate::slot::{Identity, Output, Spec};

/// Tells the programs of one daemon apart.
static COUNT: AtomicU64 = AtomicU64::new(1);

/// Where an expression is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluation {
    /// In the running node.
    Rpc,
    /// In a node of its own, in which the app is not started.
    Eval,
}

impl Evaluation {
    /// The command of the release's script.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Evaluation::Rpc => "rpc",
            Evaluation::Eval => "eval",
        }
    }
}

pub(in crate::app) fn failed(error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::StartFailed, format!("The release's script could not be run: {error}"))
        .next("`vial doctor`")
}

pub(in crate::app) fn marker(context: &Context) -> String {
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}.person-{}-{count}", context.marker(0), std::process::id())
}

/// Evaluates an expression with a release's script, to its end.
///
/// # Errors
/// Where the script could not be run, or took longer than `limit`.
pub async fn evaluate(
    context: &Arc<Context>,
    slot: Slot,
    release: u64,
    how: Evaluation,
    expression: &str,
    (purpose, limit): (Purpose, Duration),
) -> Result<Finished, Problem> {
    let marker = marker(context);
    let version = version(context, slot, release, purpose).await;
    let environment = prepare(context, slot, marker.clone(), version).await.map_err(failed)?;
    let (program, args, env) = match how {
        Evaluation::Rpc => {
            let command = node(context, slot).await?.rpc(expression);
            let env = for_remote(&environment, &command);
            (command.program, command.args, env)
        }
        Evaluation::Eval => {
            let args = vec![how.verb().into(), expression.into()];
            (context.script(release), args, environment.for_helper())
        }
    };
    let spec = Spec {
        binary: context.daemon.binary.clone(),
        program,
        args,
        env,
        cwd: context.layout.work(slot),
        user: user(context),
        output: Output::Piped,
        restraint: None,
    };
    let helper = Helper::start(&spec, &marker).map_err(failed)?;
    // Dropped without being run, the helper ends without having been the program.
    let row =
        Journalled::write(context, purpose, &marker, helper.identity()).await.map_err(failed)?;
    let done = helper.run(limit, |_| {}).await;
    row.close(&match &done {
        Ok(finished) => finished.exit.to_string(),
        Err(error) => error.to_string(),
    })
    .await;
    done.map_err(failed)
}

/// The version of the environment that a program of a release has: its deployment's, where it runs
/// for one that has not filled its slot yet, or else its slot's.
async fn version(context: &Context, slot: Slot, release: u64, purpose: Purpose) -> u64 {
    if let Purpose::Migrate(number) = purpose
        && let Ok(Some(row)) = context.daemon.store.deployment(context.app(), number).await
    {
        return row.environment;
    }
    context.version_in(slot, Some(release)).await
}

/// The node that runs in a slot, as it calls itself.
pub(in crate::app) async fn node(context: &Arc<Context>, slot: Slot) -> Result<Remote, Problem> {
    let runs = context.daemon.store.open_runs(context.app()).await.map_err(failed)?;
    let Some(run) = runs.into_iter().rfind(|run| run.slot == slot) else {
        return Err(Problem::new(
            Code::NotRunning,
            format!("Nothing runs in the {slot} slot of {}.", context.app()),
        )
        .next(format!("`vial status {}` shows both slots", context.app())));
    };
    let process = Identity { pid: run.pid, start_ticks: run.start_ticks, boot_id: run.boot_id };
    let remote = Remote::to(&process, &context.layout.release(run.release))
        .map_err(|error| Problem::new(Code::NotRunning, error.to_string()))?;
    if remote.by_file() {
        // The app may be started by its script by now, and somebody may have tidied up.
        place(context, slot).write_cookie(&context.cookie).map_err(failed)?;
    }
    Ok(remote)
}

/// The environment of a command that talks to a node.
pub(in crate::app) fn for_remote(
    environment: &StartEnvironment,
    command: &RemoteCommand,
) -> Variables {
    match command.by_file {
        true => environment.for_remote_by_file(),
        false => environment.for_remote(),
    }
}
