//! Having a release load its modules, once it has the traffic.
//!
//! In interactive mode a module is loaded when it is called first, and the request that does so
//! waits for it. So the rest is loaded in the background right after the switch: not before, where
//! it would only make the start longer. The node does it itself, in a process of low priority and in
//! small parts; whoever asks it to is gone by then.

use std::sync::Arc;
use std::time::Duration;

use vial_protocol::{Problem, Slot};

use super::evaluate::{Evaluation, evaluate};
use crate::app::context::Context;
use crate::app::helpers::Purpose;
use crate::slot::Exit;
use crate::slot::Identity;
use crate::slot::remote::is_interactive;

/// How long the node may take to say that it begins.
const PATIENCE: Duration = Duration::from_secs(60);

/// Each part is loaded at once; between two the node does what it is there for.
const EXPRESSION: &str = "\
    spawn(fn -> \
      Process.flag(:priority, :low); \
      modules = for {app, _, _} <- Application.loaded_applications(), \
        module <- Application.spec(app, :modules) || [], \
        not :erlang.module_loaded(module), do: module; \
      for part <- Enum.chunk_every(modules, 8) do \
        _ = :code.ensure_modules_loaded(part); \
        Process.sleep(2) \
      end \
    end)";

/// Has the release in a slot load its modules, where it was started just now and loads them one by
/// one. What goes wrong is only logged: it serves all the same.
pub(in crate::app) async fn warm(context: Arc<Context>, slot: Slot) {
    match load(&context, slot).await {
        Ok(None) => {}
        Ok(Some(exit)) if exit.is_success() => {
            tracing::info!(app = context.app(), slot = slot.as_str(), "it loads its modules");
        }
        Ok(Some(exit)) => {
            let exit = exit.to_string();
            tracing::warn!(
                app = context.app(),
                slot = slot.as_str(),
                exit,
                "its modules are not loaded ahead"
            );
        }
        Err(problem) => {
            let why = problem.message;
            tracing::warn!(
                app = context.app(),
                slot = slot.as_str(),
                why,
                "its modules are not loaded ahead"
            );
        }
    }
}

async fn load(context: &Arc<Context>, slot: Slot) -> Result<Option<Exit>, Problem> {
    let store = &context.daemon.store;
    let runs = store.open_runs(context.app()).await.map_err(super::evaluate::failed)?;
    // What was kept from an earlier deployment has loaded its modules then.
    let newest = runs.into_iter().max_by_key(|run| run.run).filter(|run| run.slot == slot);
    let Some(run) = newest else { return Ok(None) };
    let process = Identity { pid: run.pid, start_ticks: run.start_ticks, boot_id: run.boot_id };
    if !is_interactive(&process) {
        return Ok(None);
    }
    let how = (Purpose::Warm, PATIENCE);
    let done = evaluate(context, slot, run.release, Evaluation::Rpc, EXPRESSION, how).await?;
    Ok(Some(done.exit))
}
