//! What a release is started by: its script, or Vial itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use vial_protocol::Slot;

use super::whom::place;
use crate::app::context::Context;
use crate::config::Start;
use crate::slot::direct;
use crate::slot::environment::Variables;

/// Why each app's release was last left to its script: said when it changes, not at each restart.
static TOLD: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A program, its arguments and its environment.
type Program = (PathBuf, Vec<OsString>, Variables);

/// How a release is started with this environment. It is decided anew each time, by the release as
/// it lies there.
pub(super) async fn how(
    context: &Arc<Context>,
    slot: Slot,
    release: u64,
    env: Variables,
) -> Result<Program, String> {
    let context = context.clone();
    let work = move || match context.config.start {
        Start::Script => Ok(by_script(&context, release, env)),
        Start::Direct => decide(&context, slot, release, env),
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())?
}

fn by_script(context: &Context, release: u64, env: Variables) -> Program {
    (context.script(release), vec!["start".into()], env)
}

fn decide(context: &Context, slot: Slot, release: u64, env: Variables) -> Result<Program, String> {
    let (folder, place) = (context.layout.release(release), place(context, slot));
    match direct::look(&folder, &context.config.release, &env, &place) {
        Ok(plan) => {
            plan.write_down(&place, &context.cookie).map_err(|error| {
                format!("{} cannot be written: {error}", context.layout.nodes().display())
            })?;
            TOLD.lock().unwrap_or_else(PoisonError::into_inner).remove(context.app());
            Ok((plan.program, plan.args, plan.env))
        }
        Err(reason) => {
            let reason = reason.to_string();
            let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
            if told.insert(context.app().into(), reason.clone()).as_ref() != Some(&reason) {
                tracing::warn!(
                    app = context.app(),
                    release,
                    reason,
                    "started by its script, though `start` is \"direct\""
                );
            }
            Ok(by_script(context, release, env))
        }
    }
}
