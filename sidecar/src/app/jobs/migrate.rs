//! Running a release's migrations before it starts.

use std::sync::Arc;
use std::time::Duration;

use vial_protocol::{Code, Problem, Slot};

use super::SHOWN_LINES;
use super::launch::{prepare, user};
use crate::app::context::Context;
use crate::app::machine::Fact;
use crate::slot::helper::Helper;
use crate::slot::{Output, Spec};

/// Migrations may take long; a lock that is held for ever must not hold a deployment for ever.
const LIMIT: Duration = Duration::from_secs(3600);

/// Evaluates the app's `migrate` in the new release.
pub(in crate::app) async fn migrate(
    context: Arc<Context>,
    number: u64,
    release: u64,
    slot: Slot,
) -> Fact {
    match run(&context, number, release, slot).await {
        Ok(()) => Fact::Migrated { number },
        Err(problem) => Fact::StepFailed { number, problem },
    }
}

async fn run(context: &Arc<Context>, number: u64, release: u64, slot: Slot) -> Result<(), Problem> {
    let Some(expression) = &context.config.migrate else { return Ok(()) };
    let problem = |what: String| Problem::new(Code::MigrationFailed, what);
    let marker = format!("{}.migrate-{number}", context.marker(0));
    let environment = prepare(context, slot, marker.clone()).await.map_err(problem)?;
    let spec = Spec {
        binary: context.daemon.binary.clone(),
        program: context.script(release),
        args: vec!["eval".into(), expression.into()],
        env: environment.for_helper(),
        cwd: context.layout.work(slot),
        user: user(context),
        output: Output::Piped,
    };
    let helper = Helper::start(&spec, &marker).map_err(|error| problem(error.to_string()))?;
    let app = context.app().to_owned();
    let said = move |line: &str| tracing::info!(app, deployment = number, line, "migrate");
    let done = helper.run(LIMIT, said).await.map_err(|error| problem(error.to_string()))?;
    if done.exit.is_success() {
        return Ok(());
    }
    let lines: Vec<String> = done.output.lines().map(str::to_owned).collect();
    let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].to_vec();
    Err(problem(format!(
        "The migrations failed: `{expression}` {}. Those that ran before the failure stay.",
        done.exit
    ))
    .next("correct the migration and deploy again")
    .log(last))
}
