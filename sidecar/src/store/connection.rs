//! The one thread that owns the database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite_migration::SchemaVersion;
use tokio::sync::{Notify, oneshot};

use super::backup;
use super::ballast::{self, Ballast};
use super::pulse::Pulse;
use super::schema::{KNOWN, MIGRATIONS};

/// Why the database could not be opened. The operator reads it when `vial serve` ends.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later Vial has written it.
    #[error(
        "the history {path} was written by a newer Vial (schema {found}, this one knows {known}). \
         Install that version again{}",
        or_restore(path, backup.as_deref())
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: usize,
        /// The newest version that is known.
        known: usize,
        /// The newest backup beside it that this Vial could read.
        backup: Option<PathBuf>,
    },
    /// It is older, and no backup could be made before it is brought up to date.
    #[error(
        "the history {path} must be brought from schema {from} to {to}, and the backup before that \
         could not be made: {why}. Nothing was changed. Make room for {backup}, or install the \
         version before; running slots are not touched."
    )]
    Backup {
        /// The file.
        path: PathBuf,
        /// Where the backup belongs.
        backup: PathBuf,
        /// The schema that it has.
        from: usize,
        /// The schema that it would get.
        to: usize,
        /// What the system or SQLite said.
        why: String,
    },
    /// It cannot be read, or is no database.
    #[error(
        "the history {path} cannot be opened: {why}. If the file is damaged, move it aside with its \
         -wal and -shm files and restore a backup; running slots are not touched."
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        why: String,
    },
    /// The thread could not be started.
    #[error("no thread could be started for the history: {0}")]
    Thread(std::io::Error),
}

/// Why a read or a commit failed. The app's task retries commits; readers tell the caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the history could not be read or written: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The disk is full.
    #[error("the history could not be written: the disk is full")]
    Full,
    /// What stands in the database does not fit this version.
    #[error("the history holds something that this version does not know: {0}")]
    Foreign(String),
    /// The store was closed.
    #[error("the history is closed: the daemon is stopping")]
    Closed,
}

/// While some of the reserve is given up, how often to look whether it can be taken again.
const TAKE_AGAIN: Duration = Duration::from_secs(2);
fn or_restore(path: &Path, backup: Option<&Path>) -> String {
    match backup {
        Some(backup) => format!(
            ". Or go back to what was known before it: move {0} aside with its -wal and -shm files, \
             and copy {1} to {0}.",
            path.display(),
            backup.display()
        ),
        None => ".".into(),
    }
}

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle; clones share the thread.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    ballast: Arc<Ballast>,
    pulse: Arc<Pulse>,
    outbox: Arc<Notify>,
}

impl Store {
    /// Opens the database, creating or migrating it, and starts its thread.
    ///
    /// # Errors
    /// Where it is newer than this Vial, or cannot be opened.
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        Store::open_with(path, Ballast::none())
    }

    /// Gives the thread something to answer, so that [`Store::pulse`] tells whether it does.
    pub fn nudge(&self) {
        // Where the thread is gone, its pulse stands still as well.
        let _ = self.jobs.send(Box::new(|_| ()));
    }

    /// Whether the thread gets on.
    #[must_use]
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// The same, with a reserve for the time when the disk is full.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(path: &Path, ballast: Ballast) -> Result<Store, OpenError> {
        let connection = loop {
            match open(path) {
                // The log and its index are made anew, and nobody may have left them any room.
                Err(OpenError::Unreadable { .. })
                    if path.parent().is_some_and(ballast::is_full) && ballast.give() => {}
                opened => break opened?,
            }
        };
        let (jobs, queue) = mpsc::channel::<Job>();
        let ballast = Arc::new(ballast);
        let kept = ballast.clone();
        let pulse = Arc::<Pulse>::default();
        let beating = pulse.clone();
        thread::Builder::new()
            .name("store".into())
            .spawn(move || serve(connection, &queue, &kept, &beating))
            .map_err(OpenError::Thread)?;
        Ok(Store { jobs, ballast, pulse, outbox: Arc::default() })
    }

    /// Returns when something was put into the outbox since it was waited for last.
    pub async fn outbox_growth(&self) {
        self.outbox.notified().await;
    }

    pub(super) fn outbox_grew(&self) {
        self.outbox.notify_one();
    }

    /// What is kept of the disk for the time when it is full.
    #[must_use]
    pub fn ballast(&self) -> &Ballast {
        &self.ballast
    }

    /// Runs a job on the database's thread; again with some of the reserve where the disk is full.
    pub(super) async fn run<T, F>(&self, mut job: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let ballast = self.ballast.clone();
        let boxed: Job = Box::new(move |connection| {
            let done = loop {
                match job(connection).map_err(full) {
                    Err(StoreError::Full) if ballast.give() => {}
                    done => break done,
                }
            };
            // A caller that went away does not want the answer; the work is done all the same.
            let _ = tell.send(done);
        });
        self.jobs.send(boxed).map_err(|_| StoreError::Closed)?;
        told.await.map_err(|_| StoreError::Closed)?
    }
}

fn full(error: StoreError) -> StoreError {
    match error {
        StoreError::Sqlite(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == rusqlite::ErrorCode::DiskFull =>
        {
            StoreError::Full
        }
        other => other,
    }
}

fn serve(
    mut connection: Connection,
    queue: &mpsc::Receiver<Job>,
    ballast: &Ballast,
    pulse: &Pulse,
) {
    pulse.is_of_this_thread();
    loop {
        // Nothing wakes this thread while the reserve is whole.
        let job = match ballast.is_whole() {
            true => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => queue.recv_timeout(TAKE_AGAIN),
        };
        match job {
            Ok(job) => job(&mut connection),
            Err(RecvTimeoutError::Timeout) => ballast.take(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
        pulse.beat();
    }
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    let unreadable = |why: rusqlite::Error| OpenError::Unreadable {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let mut connection = Connection::open(path).map_err(unreadable)?;
    // Before anything is written: a newer Vial's history stays as it is.
    let older = refuse_newer(path, &connection)?;
    connection
        .execute_batch(
            "pragma journal_mode = wal;
             pragma synchronous = full;
             pragma foreign_keys = on;
             pragma busy_timeout = 5000;
             pragma cache_size = -1024;
             pragma journal_size_limit = 1048576;",
        )
        .map_err(unreadable)?;
    if let Some(from) = older {
        back_up(path, &connection, from)?;
    }
    MIGRATIONS
        .to_latest(&mut connection)
        .map_err(|why| OpenError::Unreadable { path: path.to_owned(), why: why.to_string() })?;
    look_for_damage(path, &connection);
    Ok(connection)
}

/// Refuses what a newer Vial has written. The schema of what is to be migrated, where it has one:
/// an empty file has nothing to lose.
fn refuse_newer(path: &Path, connection: &Connection) -> Result<Option<usize>, OpenError> {
    match MIGRATIONS.current_version(connection) {
        Ok(SchemaVersion::Outside(found)) => Err(OpenError::Newer {
            path: path.to_owned(),
            found: found.get(),
            known: KNOWN,
            backup: backup::newest(path, KNOWN),
        }),
        Ok(SchemaVersion::Inside(found)) => Ok(Some(found.get()).filter(|it| *it < KNOWN)),
        Ok(SchemaVersion::NoneSet) => Ok(None),
        Err(why) => Err(OpenError::Unreadable { path: path.to_owned(), why: why.to_string() }),
    }
}

fn back_up(path: &Path, connection: &Connection, from: usize) -> Result<(), OpenError> {
    let made = backup::make(path, connection, from).map_err(|why| OpenError::Backup {
        path: path.to_owned(),
        backup: backup::path(path, from),
        from,
        to: KNOWN,
        why: why.to_string(),
    })?;
    tracing::info!(backup = %made.display(), from, to = KNOWN, "the history is brought up to date");
    Ok(())
}

/// Says where a history is damaged, and opens it all the same: with a daemon that does not start,
/// nobody would start a slot again that exits. `vial serve --check` refuses it, so that no upgrade
/// is made on top of it.
fn look_for_damage(path: &Path, connection: &Connection) {
    match backup::damage(connection) {
        Ok(None) => {}
        Ok(Some(found)) => tracing::error!(
            history = %path.display(),
            found,
            "the history is damaged: restore a backup, or look at the disk"
        ),
        Err(error) => tracing::error!(history = %path.display(), %error, "not looked for damage"),
    }
}
