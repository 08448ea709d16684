//! The jobs: each does one effect with the leaves, and ends in a fact.
//!
//! [`build`] makes a release of a commit, [`unpack`] receives a release, [`migrate`] runs its migrations, [`launch`] starts it, by what
//! [`start`] says and as [`whom`] it says, [`warm`] has it load the modules that it has not loaded yet, [`revert`]
//! takes migrations down and up again, [`verify`] looks at it before the switch, [`switch`] speaks
//! with Caddy, [`health`] asks the active slot, [`standby`] knows the times of the idle one. [`evaluate`] runs an expression in a release,
//! [`in_app`] the one that looks at migrations and moves them. [`tip`] asks the repository for a branch's tip. [`keep_log`] keeps the slots' logs
//! within their bounds.
//! A job knows one app's [`super::context::Context`] and nothing of the state: what its fact means,
//! the machine decides.

pub(super) mod build;
pub(super) mod evaluate;
pub(super) mod health;
pub(super) mod in_app;
pub(super) mod keep_log;
pub(super) mod launch;
pub(super) mod migrate;
pub(super) mod revert;
pub(super) mod standby;
mod start;
pub(super) mod switch;
pub(super) mod tip;
pub(super) mod unpack;
pub(super) mod verify;
pub(super) mod warm;
pub(super) mod whom;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use vial_protocol::Slot;

use super::context::Context;
use super::machine::RunId;
use crate::build::Place;
use crate::log::{self, Unfinished};
use crate::retention::{self, Policy};

/// A run, as far as those who look at it need to know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// Its slot.
    pub(super) slot: Slot,
    /// Which.
    pub(super) run: RunId,
    /// Its release.
    pub(super) release: u64,
    /// The version of the environment that it was started with.
    pub(super) environment: u64,
    /// Where its output begins in the slot's log.
    pub(super) log_offset: u64,
}

/// How long a release that never had traffic may take to end.
pub(super) const SHORT_GRACE: Duration = Duration::from_secs(5);

/// How many lines of a log are shown with a failure.
const SHOWN_LINES: usize = 15;

/// Removes releases from the disk, after the store knows that they are gone.
pub(super) async fn prune(context: Arc<Context>, numbers: Vec<u64>) {
    let store = &context.daemon.store;
    if let Err(error) =
        store.releases_removed(context.app(), numbers.clone(), Timestamp::now()).await
    {
        tracing::error!(app = context.app(), %error, "old releases stay on the disk");
        return;
    }
    for number in numbers {
        let folder = context.layout.release(number);
        match tokio::fs::remove_dir_all(&folder).await {
            Ok(()) => tracing::info!(app = context.app(), release = number, "release removed"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::error!(app = context.app(), folder = %folder.display(), %error, "not removed");
            }
        }
    }
}

/// How many of the newest builds keep their log, however old they are.
const BUILD_LOGS: usize = 20;

/// Removes the logs of old builds from the disk.
pub(super) async fn prune_builds(context: Arc<Context>) {
    if context.config.source.is_none() {
        return;
    }
    let work = move || {
        let folder = Place::new(context.layout.root()).logs();
        let policy = Policy { count: BUILD_LOGS, lasts: context.config.logs.lasts };
        match retention::tidy(&folder, policy, &BTreeSet::new(), SystemTime::now()) {
            Ok(gone) if gone.is_empty() => {}
            Ok(gone) => tracing::info!(app = context.app(), builds = ?gone, "build logs removed"),
            Err(error) => tracing::warn!(app = context.app(), %error, "old build logs stay"),
        }
    };
    let _ = tokio::task::spawn_blocking(work).await;
}

/// The last lines that a run wrote, for a failure's message.
pub(super) fn last_lines(context: &Context, slot: Slot, since: u64) -> Vec<String> {
    let read = log::tail(&context.layout.log(slot), SHOWN_LINES, since, Unfinished::Take);
    let lines = read.map(|read| read.lines).unwrap_or_default();
    lines.into_iter().map(|line| context.vault.mask(&line.text).into_owned()).collect()
}
