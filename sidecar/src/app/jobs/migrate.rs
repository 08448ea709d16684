//! Running a release's migrations before it starts.

use std::sync::Arc;

use vial_protocol::migration::Moved;
use vial_protocol::{Code, Problem, Slot};

use super::SHOWN_LINES;
use super::evaluate::Evaluation;
use super::in_app::{self, Action};
use crate::app::context::Context;
use crate::app::helpers::Purpose;
use crate::app::machine::Fact;

/// Evaluates the app's `migrate` in the new release.
pub(in crate::app) async fn migrate(
    context: Arc<Context>,
    number: u64,
    release: u64,
    slot: Slot,
    apps: Vec<String>,
) -> Fact {
    match run(&context, number, release, slot, &apps).await {
        Ok(applied) => Fact::Migrated { number, applied },
        Err(problem) => Fact::StepFailed { number, problem },
    }
}

async fn run(
    context: &Arc<Context>,
    number: u64,
    release: u64,
    slot: Slot,
    apps: &[String],
) -> Result<Vec<Moved>, Problem> {
    let Some(expression) = &context.config.migrate else { return Ok(Vec::new()) };
    let around = Action::Around(expression.clone());
    let heard = in_app::run(
        context,
        slot,
        release,
        Evaluation::Eval,
        apps,
        (Purpose::Migrate(number), &around),
    )
    .await
    .map_err(|problem| Problem { code: Code::MigrationFailed, ..problem })?;
    let app = context.app();
    for line in &heard.output {
        tracing::info!(app, deployment = number, line, "migrate");
    }
    if let Some(why) = &heard.unknown {
        tracing::info!(app, deployment = number, why, "what was applied could not be seen");
    }
    let Some(ending) = heard.ending else { return Ok(heard.moved) };
    let lines = heard.output;
    let last = lines[lines.len().saturating_sub(SHOWN_LINES)..].to_vec();
    Err(Problem::new(
        Code::MigrationFailed,
        format!(
            "The migrations failed: `{expression}` {ending}. Those that ran before the failure stay."
        ),
    )
    .next("correct the migration and deploy again")
    .log(last))
}
