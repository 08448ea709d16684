//! Looking at a release that is healthy, before it gets the traffic.

use std::sync::Arc;

use vial_protocol::{Code, Problem, Slot};

use crate::app::context::Context;
use crate::app::machine::{Fact, RunId};
use crate::slot::health::verify as ask;
use crate::slot::{Process, family, port};

/// Whether the port is the slot's own, and each path of `verify` answers below 400.
pub(in crate::app) async fn verify(
    context: Arc<Context>,
    number: u64,
    slot: Slot,
    process: Option<Process>,
    run: RunId,
) -> Fact {
    match look(&context, slot, process, run).await {
        Ok(()) => Fact::Verified { number },
        Err(problem) => Fact::StepFailed { number, problem },
    }
}

async fn look(
    context: &Arc<Context>,
    slot: Slot,
    process: Option<Process>,
    run: RunId,
) -> Result<(), Problem> {
    let Some(number) = context.config.port(slot) else { return Ok(()) };
    let marker = context.marker(run);
    let owned = tokio::task::spawn_blocking(move || {
        let root = process.as_ref().map(Process::identity);
        // Nearly always it is the release's own process: to find its family costs milliseconds.
        if root.is_some_and(|root| port::owned_by(number, std::slice::from_ref(root)).is_ok()) {
            return Ok(());
        }
        let family = family::members(root, &marker)
            .map_err(|source| port::NotOurs::Look { port: number, source })?;
        port::owned_by(number, &family)
    })
    .await;
    match owned {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(Problem::new(Code::PortTaken, error.to_string())),
        Err(error) => return Err(Problem::new(Code::Internal, error.to_string())),
    }
    let host = super::launch::host(context);
    for path in &context.config.verify {
        ask(number, path, &host).await.map_err(|error| {
            Problem::new(Code::VerifyFailed, error.to_string())
                .next(format!("`vial logs {} --slot {slot}`", context.app()))
        })?;
    }
    Ok(())
}
