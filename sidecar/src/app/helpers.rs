//! The journal of what runs of a release beside its slots: migrations, expressions, consoles.
//!
//! A program waits until its row is written, and its row is closed when it ended. A daemon that
//! comes back ends what still runs before it begins anything: nobody hears it any more, and what is
//! begun again must not meet it. What a program had asked of a running node is that node's, and not
//! ended: between two migrators stands their lock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use vial_protocol::Status;

use super::context::Context;
use super::machine::State;
use crate::slot::{Identity, Process, family};
use crate::store::helpers::{HelperRow, KeptHelper};
use crate::store::{Store, StoreError};

/// How long a killed program may take to be gone. One that hangs in the kernel does nothing more
/// of its own, however long it hangs.
const DYING: Duration = Duration::from_secs(5);

const MIGRATE: &str = "migrate";

/// What a program of a release is run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A program of a deployment's build.
    Build(u64),
    /// Asking the repository for the tip of a branch.
    Tip,
    /// The migrations of a deployment.
    Migrate(u64),
    /// Taking migrations down in a deployment.
    Revert(u64),
    /// Taking them up again.
    Restore(u64),
    /// Looking at migrations, or moving them, outside a deployment.
    Migrations,
    /// An expression in the running node.
    Rpc,
    /// An expression in a node of its own.
    Eval,
    /// A terminal for a person.
    Console,
    /// Having a release load its modules.
    Warm,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Build(_) => "build",
            Purpose::Tip => "tip",
            Purpose::Migrate(_) => MIGRATE,
            Purpose::Revert(_) => "revert",
            Purpose::Restore(_) => "restore",
            Purpose::Migrations => "migrations",
            Purpose::Rpc => "rpc",
            Purpose::Eval => "eval",
            Purpose::Console => "console",
            Purpose::Warm => "warm",
        }
    }

    fn deployment(self) -> Option<u64> {
        match self {
            Purpose::Build(number)
            | Purpose::Migrate(number)
            | Purpose::Revert(number)
            | Purpose::Restore(number) => Some(number),
            _ => None,
        }
    }
}

/// The row of a program that runs. Dropped, it is closed as given up: whoever holds it kills the
/// program first.
#[derive(Debug)]
pub(super) struct Journalled {
    store: Store,
    id: Option<i64>,
}

impl Journalled {
    /// Writes a program down that waits.
    pub(super) async fn write(
        context: &Context,
        purpose: Purpose,
        marker: &str,
        identity: &Identity,
    ) -> Result<Journalled, StoreError> {
        let row = HelperRow {
            purpose: purpose.word().into(),
            deployment: purpose.deployment(),
            marker: marker.into(),
            pid: identity.pid,
            start_ticks: identity.start_ticks,
            boot_id: identity.boot_id.clone(),
        };
        let store = context.daemon.store.clone();
        let id = store.helper_started(context.app(), row, Timestamp::now()).await?;
        Ok(Journalled { store, id: Some(id) })
    }

    /// Writes down how it ended.
    pub(super) async fn close(mut self, ending: &str) {
        if let Some(id) = self.id.take() {
            close(&self.store, id, ending).await;
        }
    }
}

impl Drop for Journalled {
    fn drop(&mut self) {
        let Some(id) = self.id.take() else { return };
        let store = self.store.clone();
        // Where the daemon is stopping, the row stays open, and the next one looks at it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { close(&store, id, "was given up and killed").await });
        }
    }
}

async fn close(store: &Store, id: i64, ending: &str) {
    if let Err(error) = store.helper_ended(id, ending, Timestamp::now()).await {
        tracing::error!(%error, "the end of a program was not written down");
    }
}

/// What became of a program that an earlier daemon ran.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// It still ran, and was ended.
    Ended,
    /// It did not run any more.
    Gone,
    /// It could not be ended.
    Stays(String),
}

impl Fate {
    fn ending(&self) -> &'static str {
        match self {
            Fate::Ended => "was ended by the next daemon",
            Fate::Gone => "ended while the daemon was away",
            Fate::Stays(_) => "could not be ended by the next daemon",
        }
    }
}

/// The programs of an earlier daemon, once they were ended.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    found: Vec<(KeptHelper, Fate)>,
}

impl Leftovers {
    /// Ends whatever an earlier daemon ran for this app and nobody waits for now.
    pub(super) async fn end(context: &Arc<Context>) -> Result<Leftovers, StoreError> {
        let mut found = Vec::new();
        for kept in context.daemon.store.open_helpers(context.app()).await? {
            let fate = end(&kept.row).await;
            let (purpose, pid) = (kept.row.purpose.as_str(), kept.row.pid);
            tracing::info!(
                app = context.app(),
                purpose,
                pid,
                fate = fate.ending(),
                "program of an earlier daemon"
            );
            found.push((kept, fate));
        }
        match family::sweep_health(&context.markers()) {
            Ok(0) => {}
            Ok(count) => tracing::info!(app = context.app(), count, "health commands ended"),
            Err(error) => tracing::warn!(app = context.app(), %error, "health commands stay"),
        }
        Ok(Leftovers { found })
    }

    /// Closes their rows, once all that follows from them was committed.
    pub(super) async fn close(self, store: &Store) {
        for (kept, fate) in self.found {
            close(store, kept.id, fate.ending()).await;
        }
    }

    /// What became of the migration that a deployment was at, where it was at one.
    pub(super) async fn of_migration(
        &self,
        context: &Context,
        state: &State,
    ) -> Result<Option<Interrupted>, StoreError> {
        let current = state.current.as_ref().filter(|it| it.status == Status::Migrating);
        let Some(current) = current else { return Ok(None) };
        let store = &context.daemon.store;
        let last = store.last_helper(context.app(), current.number, MIGRATE).await?;
        let fate = last.as_ref().and_then(|last| {
            self.found.iter().find(|(kept, _)| kept.id == last.id).map(|(_, fate)| fate)
        });
        let release = current.release.unwrap_or(current.number);
        Ok(Some(interrupted(last.as_ref(), fate, &look(context, release))))
    }
}

async fn end(row: &HelperRow) -> Fate {
    let identity =
        Identity { pid: row.pid, start_ticks: row.start_ticks, boot_id: row.boot_id.clone() };
    let ended = async {
        match Process::adopt(&identity).map_err(|error| error.to_string())? {
            Some(process) => family::stop(&process, &row.marker, Duration::ZERO)
                .await
                .map(|_| Fate::Ended)
                .map_err(|error| error.to_string()),
            // Its own process is gone; what it started may not be.
            None => family::sweep(Vec::new(), &row.marker, Duration::ZERO)
                .await
                .map(|_| Fate::Gone)
                .map_err(|error| error.to_string()),
        }
    };
    match tokio::time::timeout(DYING, ended).await {
        Ok(Ok(fate)) => fate,
        Ok(Err(why)) => Fate::Stays(why),
        Err(_) => {
            Fate::Stays(format!("it was killed, and is not gone after {} s", DYING.as_secs()))
        }
    }
}

/// What to say of a migration that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interrupted {
    /// What became of it.
    pub(super) what: String,
    /// What to do.
    pub(super) next: String,
}

fn look(context: &Context, release: u64) -> String {
    let app = context.app();
    match context.config.repos.is_empty() {
        true => "look at the database".into(),
        false => format!("`vial migrations {app} --release {release}` shows what is applied"),
    }
}

fn interrupted(last: Option<&KeptHelper>, fate: Option<&Fate>, look: &str) -> Interrupted {
    let pid = last.map(|it| it.row.pid).unwrap_or_default();
    let ending = last.and_then(|it| it.ending.as_deref());
    let (what, next) = match (last, fate) {
        (None, _) => ("Its migration had not begun.".into(), "deploy it again".into()),
        (_, Some(Fate::Ended)) => (
            format!(
                "Its migration (process {pid}) still ran and was ended. Migrations that were \
                 through stay; the one that was running is undone where the database undoes what \
                 was not committed, as PostgreSQL does."
            ),
            format!("{look}; then deploy it again"),
        ),
        (_, Some(Fate::Stays(why))) => (
            format!("Its migration (process {pid}) could not be ended and may still run: {why}."),
            format!("end process {pid}; {look}; then deploy it again"),
        ),
        (_, Some(Fate::Gone)) => (
            format!(
                "Its migration (process {pid}) does not run any more, and nobody saw how it ended. \
                 Migrations that were through stay."
            ),
            format!("{look}; then deploy it again"),
        ),
        (Some(_), None) => (
            format!(
                "Its migration had ended before that: it {}. What it applied stays.",
                ending.unwrap_or("ended unseen")
            ),
            format!("{look}; then deploy it again"),
        ),
    };
    Interrupted { what, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ending: Option<&str>) -> KeptHelper {
        let row = HelperRow {
            purpose: MIGRATE.into(),
            deployment: Some(3),
            marker: "id.shop.0.x".into(),
            pid: 41,
            start_ticks: 7,
            boot_id: "boot".into(),
        };
        KeptHelper { id: 1, row, ending: ending.map(str::to_owned) }
    }

    #[test]
    fn an_interrupted_migration_is_told_by_what_was_done_with_it() {
        let open = kept(None);
        let said = |last: Option<&KeptHelper>, fate: Option<Fate>| {
            interrupted(last, fate.as_ref(), "look at it")
        };
        assert_eq!(said(None, None).what, "Its migration had not begun.");
        let ended = said(Some(&open), Some(Fate::Ended));
        assert!(ended.what.contains("(process 41) still ran and was ended"), "{ended:?}");
        assert_eq!(ended.next, "look at it; then deploy it again");
        let gone = said(Some(&open), Some(Fate::Gone));
        assert!(gone.what.contains("nobody saw how it ended"), "{gone:?}");
        let stays = said(Some(&open), Some(Fate::Stays("not permitted".into())));
        assert!(stays.what.contains("may still run: not permitted."), "{stays:?}");
        assert!(stays.next.starts_with("end process 41"), "{stays:?}");
        let closed = said(Some(&kept(Some("exited with status 0"))), None);
        assert!(
            closed.what.contains("it exited with status 0. What it applied stays"),
            "{closed:?}"
        );
    }

    #[tokio::test]
    async fn a_pid_that_is_anothers_now_is_left_alone() {
        let mut stranger = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let is = Identity::of(stranger.id()).unwrap().unwrap();
        let row = |start_ticks: u64, boot_id: &str| HelperRow {
            purpose: MIGRATE.into(),
            deployment: None,
            marker: format!("none.{}", stranger.id()),
            pid: is.pid,
            start_ticks,
            boot_id: boot_id.into(),
        };
        assert_eq!(end(&row(is.start_ticks - 1, &is.boot_id)).await, Fate::Gone);
        assert_eq!(end(&row(is.start_ticks, "another boot")).await, Fate::Gone);
        assert!(is.is_alive().unwrap());
        assert_eq!(end(&row(is.start_ticks, &is.boot_id)).await, Fate::Ended);
        assert!(!is.is_alive().unwrap());
        // Its status was collected by whoever ended it.
        let _ = stranger.wait();
    }
}
