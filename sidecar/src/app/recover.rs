//! Bringing an app to life when the daemon starts: what the store knows, and the processes that
//! are still there.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use vial_protocol::{Code, Problem, Release};

use super::clock::Clock;
use super::context::Context;
use super::handle::App;
use super::helpers::Leftovers;
use super::history::{History, REMEMBERED};
use super::machine::{PerSlot, RunId, State};
use super::message::Message;
use super::run::{Run, Which};
use super::snapshot::Seen;
use super::standbys::Standbys;
use super::task::{Found, Task};
use crate::build::Place;
use crate::slot::{Identity, Process, family};
use crate::store::StoreError;
use crate::store::journal::OpenRun;

/// How many messages may wait for an app's task.
const MESSAGES: usize = 256;

/// Starts the task of an app.
///
/// # Errors
/// Where its part of the store cannot be read: then nothing of it is touched.
pub async fn open(context: Arc<Context>) -> Result<App, Problem> {
    sweep_incoming(&context);
    let (tell, messages) = mpsc::channel(MESSAGES);
    let found = find(&context, &tell).await.map_err(|error| {
        Problem::new(
            Code::Internal,
            format!(
                "{} cannot be taken care of: {error}. Its slots are not touched.",
                context.app()
            ),
        )
        .next("`vial doctor`")
    })?;
    Ok(Task::spawn(context, found, tell, messages).await)
}

async fn find(context: &Arc<Context>, tell: &mpsc::Sender<Message>) -> Result<Found, StoreError> {
    // First of all: what is begun again must not meet what it was.
    let leftovers = Leftovers::end(context).await?;
    // Nothing of an interrupted build runs any more.
    if let Err(error) = Place::new(context.layout.root()).sweep() {
        tracing::warn!(app = context.app(), %error, "an interrupted build stays on the disk");
    }
    let store = &context.daemon.store;
    let loaded = store.load(context.app(), REMEMBERED).await?;
    let mut runs = PerSlot::<Option<Run>>::default();
    let mut seen = PerSlot::<Seen>::default();
    let mut alive = Vec::new();
    for open in store.open_runs(context.app()).await? {
        let Some(process) = adopt(context, &open) else {
            // Its exit went by unseen; what it left behind did not.
            let marker = context.marker(open.run);
            if let Err(error) = family::sweep(Vec::new(), &marker, std::time::Duration::ZERO).await
            {
                tracing::warn!(app = context.app(), %error, "leftovers of an ended run");
            }
            store
                .run_ended(
                    context.app(),
                    open.run,
                    "ended while the daemon was away",
                    Timestamp::now(),
                )
                .await?;
            seen.get_mut(open.slot).last_exit = Some("ended while the daemon was away".into());
            continue;
        };
        tracing::info!(
            app = context.app(),
            slot = open.slot.as_str(),
            pid = open.pid,
            "slot found again"
        );
        let label = loaded.releases.get(&open.release).map(vial_protocol::Release::label);
        *seen.get_mut(open.slot) =
            Seen { pid: Some(open.pid), since: Some(open.started_at), ..Seen::default() };
        alive.push((open.slot, open.run as RunId));
        let which = Which {
            slot: open.slot,
            id: open.run,
            release: open.release,
            environment: loaded
                .slots
                .iter()
                .find(|it| it.slot == open.slot)
                .map_or(0, |it| it.environment),
            label: label.unwrap_or_else(|| format!("release #{}", open.release)),
        };
        let (offset, tell) = (open.log_offset, tell.clone());
        let run = Run::adopt(context.clone(), which, process, offset, tell);
        *runs.get_mut(open.slot) = Some(run);
    }
    sweep_releases(context, &loaded.releases);
    let state = State::restored(&loaded, &alive);
    let standbys = Standbys::restored(&loaded);
    let clock = Clock::resumed(loaded.clock, loaded.latest);
    let history = History::new(&loaded.deployments, loaded.releases).with_starts(
        &loaded.starting,
        &loaded.migrated,
        loaded.starts,
    );
    let interrupted = leftovers.of_migration(context, &state).await?;
    Ok(Found { state, history, clock, runs, seen, standbys, interrupted, leftovers })
}

fn adopt(context: &Context, open: &OpenRun) -> Option<Process> {
    let identity =
        Identity { pid: open.pid, start_ticks: open.start_ticks, boot_id: open.boot_id.clone() };
    Process::adopt(&identity).unwrap_or_else(|error| {
        tracing::error!(app = context.app(), pid = open.pid, %error, "a slot cannot be looked at");
        None
    })
}

/// Removes folders that the history does not know: a release that was put in its place just before
/// a crash, or one whose removal was interrupted. No slot runs from them.
fn sweep_releases(context: &Context, known: &BTreeMap<u64, Release>) {
    let Ok(folders) = std::fs::read_dir(context.layout.releases()) else { return };
    for folder in folders.flatten() {
        let number = folder.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
        if number.is_none_or(|number| known.contains_key(&number)) {
            continue;
        }
        match std::fs::remove_dir_all(folder.path()) {
            Ok(()) => tracing::info!(app = context.app(), release = number, "orphan removed"),
            Err(error) => tracing::warn!(app = context.app(), release = number, %error, "orphan"),
        }
    }
}

fn sweep_incoming(context: &Context) {
    let incoming = context.layout.incoming();
    if !incoming.exists() {
        return;
    }
    match crate::release::sweep(&incoming) {
        Ok(0) => {}
        Ok(count) => tracing::info!(app = context.app(), count, "interrupted uploads removed"),
        Err(error) => tracing::warn!(app = context.app(), %error, "interrupted uploads stay"),
    }
}
