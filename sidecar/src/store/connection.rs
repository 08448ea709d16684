//! The one thread that owns the database.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite_migration::SchemaVersion;
use tokio::sync::oneshot;

use super::ballast::{self, Ballast};
use super::schema::{KNOWN, MIGRATIONS};

/// Why the database could not be opened. The operator reads it when `vial serve` ends.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A later Vial has written it.
    #[error(
        "the history {path} was written by a newer Vial (schema {found}, this one knows {known}). \
         Install that version again, or restore the backup that it made beside the file."
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: usize,
        /// The newest version that is known.
        known: usize,
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

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A handle; clones share the thread.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    ballast: Arc<Ballast>,
}

impl Store {
    /// Opens the database, creating or migrating it, and starts its thread.
    ///
    /// # Errors
    /// Where it is newer than this Vial, or cannot be opened.
    pub fn open(path: &Path) -> Result<Store, OpenError> {
        Store::open_with(path, Ballast::none())
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
        thread::Builder::new()
            .name("store".into())
            .spawn(move || serve(connection, &queue, &kept))
            .map_err(OpenError::Thread)?;
        Ok(Store { jobs, ballast })
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

fn serve(mut connection: Connection, queue: &mpsc::Receiver<Job>, ballast: &Ballast) {
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
    }
}

fn open(path: &Path) -> Result<Connection, OpenError> {
    let unreadable = |why: rusqlite::Error| OpenError::Unreadable {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let mut connection = Connection::open(path).map_err(unreadable)?;
    // Before anything is written: a newer Vial's history stays as it is.
    refuse_newer(path, &connection)?;
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
    MIGRATIONS
        .to_latest(&mut connection)
        .map_err(|why| OpenError::Unreadable { path: path.to_owned(), why: why.to_string() })?;
    Ok(connection)
}

fn refuse_newer(path: &Path, connection: &Connection) -> Result<(), OpenError> {
    match MIGRATIONS.current_version(connection) {
        Ok(SchemaVersion::Outside(found)) => {
            Err(OpenError::Newer { path: path.to_owned(), found: found.get(), known: KNOWN })
        }
        Ok(_) => Ok(()),
        Err(why) => Err(OpenError::Unreadable { path: path.to_owned(), why: why.to_string() }),
    }
}
