//! Processes that were started for slots: written before they may act, closed when they ended.

use jiff::Timestamp;
use rusqlite::params;
use vial_protocol::{Release, Slot};

use super::rows::{at, json, word};
use super::{Store, StoreError};
use crate::fault;

/// A process that was started for a slot and is not known to have ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run: u64,
    /// Its slot.
    pub slot: Slot,
    /// Its release.
    pub release: u64,
    /// Its process: meaningful only together with the two below.
    pub pid: u32,
    /// When the kernel says that it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// The boot that this was in.
    pub boot_id: String,
    /// Where its output begins in the slot's log.
    pub log_offset: u64,
    /// When it started.
    pub started_at: Timestamp,
}

impl Store {
    /// Writes down a process before it is let go.
    ///
    /// # Errors
    /// Where it was not written: then the process must not be let go.
    pub async fn run_started(&self, app: &str, run: OpenRun) -> Result<(), StoreError> {
        let app = app.to_owned();
        fault::point(|| "journal: before run started".into());
        let written = self
            .run(move |connection| {
                connection
                    .prepare_cached(
                        "insert into runs (app, run, slot, release, pid, start_ticks, boot_id, \
                     log_offset, started_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    )?
                    .execute(params![
                        app,
                        run.run,
                        run.slot.as_str(),
                        run.release,
                        run.pid,
                        run.start_ticks,
                        run.boot_id,
                        run.log_offset,
                        run.started_at.as_millisecond()
                    ])?;
                Ok(())
            })
            .await;
        fault::point(|| "journal: after run started".into());
        written
    }

    /// Writes down how a process ended.
    ///
    /// # Errors
    /// Where it was not written; the next start of the daemon finds out by itself.
    pub async fn run_ended(
        &self,
        app: &str,
        run: u64,
        ending: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (app, ending) = (app.to_owned(), ending.to_owned());
        fault::point(|| "journal: before run ended".into());
        let written = self
            .run(move |connection| {
                let transaction = connection.transaction()?;
                transaction
                    .prepare_cached(
                        "update runs set ended_at = ?3, ending = ?4 where app = ?1 and run = ?2",
                    )?
                    .execute(params![app, run, now.as_millisecond(), ending])?;
                transaction
                    .prepare_cached("delete from stops where app = ?1 and run = ?2")?
                    .execute(params![app, run])?;
                transaction.commit()?;
                Ok(())
            })
            .await;
        fault::point(|| "journal: after run ended".into());
        written
    }

    /// The processes of an app that are not known to have ended.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn open_runs(&self, app: &str) -> Result<Vec<OpenRun>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select run, slot, release, pid, start_ticks, boot_id, log_offset, started_at \
                 from runs where app = ?1 and ended_at is null order by run",
            )?;
            let mut rows = statement.query([&app])?;
            let mut runs = Vec::new();
            while let Some(row) = rows.next()? {
                runs.push(OpenRun {
                    run: row.get(0)?,
                    slot: word(&row.get::<_, String>(1)?)?,
                    release: row.get(2)?,
                    pid: row.get(3)?,
                    start_ticks: row.get(4)?,
                    boot_id: row.get(5)?,
                    log_offset: row.get(6)?,
                    started_at: at(row.get(7)?)?,
                });
            }
            Ok(runs)
        })
        .await
    }

    /// Writes down a release that was unpacked and put in its place.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn release_added(&self, app: &str, release: Release) -> Result<(), StoreError> {
        let app = app.to_owned();
        fault::point(|| "journal: before release added".into());
        let written = self
            .run(move |connection| {
                let migrations = json(&release.migrations)?;
                connection
                .prepare_cached(
                    "insert into releases (app, number, name, version, sha256, size, erts, elixir, \
                     migrations, commit_id, unpacked_at) \
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
                )?
                .execute(params![
                    app,
                    release.number,
                    release.name,
                    release.version,
                    release.sha256,
                    release.size,
                    release.erts,
                    release.elixir,
                    migrations,
                    release.commit,
                    release.unpacked_at.as_millisecond()
                ])?;
                Ok(())
            })
            .await;
        fault::point(|| "journal: after release added".into());
        written
    }

    /// Writes down that releases are about to be removed from the disk.
    ///
    /// # Errors
    /// Where it was not written: then they must not be removed.
    pub async fn releases_removed(
        &self,
        app: &str,
        numbers: Vec<u64>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let app = app.to_owned();
        fault::point(|| "journal: before releases removed".into());
        let written = self
            .run(move |connection| {
                let transaction = connection.transaction()?;
                for number in &numbers {
                    transaction
                        .prepare_cached(
                            "update releases set removed_at = ?3 where app = ?1 and number = ?2",
                        )?
                        .execute(params![app, number, now.as_millisecond()])?;
                }
                transaction.commit()?;
                Ok(())
            })
            .await;
        fault::point(|| "journal: after releases removed".into());
        written
    }

    /// A setting that the daemon keeps for itself.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn setting(&self, key: &'static str) -> Result<Option<String>, StoreError> {
        self.run(move |connection| {
            let mut statement =
                connection.prepare_cached("select value from settings where key = ?1")?;
            let mut rows = statement.query([key])?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
        })
        .await
    }

    /// Sees whether something can be written.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn try_to_write(&self) -> Result<(), StoreError> {
        self.keep_setting("last try to write", Timestamp::now().to_string()).await
    }

    /// Keeps a setting.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn keep_setting(&self, key: &'static str, value: String) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "insert into settings (key, value) values (?1, ?2) \
                     on conflict (key) do update set value = excluded.value",
                )?
                .execute(params![key, value])?;
            Ok(())
        })
        .await
    }
}
