//! Reading what a build prints on from a cursor, until the build is over.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;
use vial_protocol::{BuildChunk, Code, Problem, Status};

use super::Shared;
use super::answer::Failure;
use crate::app::handle::App;
use crate::app::published::Published;
use crate::build::Place;
use crate::log::follow::Follower;
use crate::log::{self, LogRead, Unfinished};

/// What a deployment's build prints, from a cursor on.
pub(super) struct BuildReader {
    app: App,
    number: u64,
    path: PathBuf,
    cursor: u64,
    status: watch::Receiver<Arc<Published>>,
    follower: Option<Follower>,
}

impl BuildReader {
    /// Reads what follows `cursor`.
    pub(super) fn new(app: App, number: u64, cursor: u64) -> BuildReader {
        let status = app.subscribe();
        let path = log_of(&app, number);
        BuildReader { app, number, path, cursor, status, follower: None }
    }

    /// What comes next, about `most` bytes, once there is any; the last one says that it is. May be
    /// dropped and called again without losing anything.
    ///
    /// # Errors
    /// Where the log cannot be watched or read, or the app was given up.
    pub(super) async fn more(&mut self, most: usize) -> io::Result<BuildChunk> {
        loop {
            // Asked before the log is read: what is written until it is over is read then.
            self.status.mark_unchanged();
            let over = is_over(&self.app, self.number);
            let (path, cursor) = (self.path.clone(), self.cursor);
            let now = read(move || log::read(&path, cursor, most, Unfinished::Wait)).await?;
            let told = chunk(self.number, now, over);
            if told.ended || !told.lines.is_empty() {
                self.cursor = told.cursor;
                return Ok(told);
            }
            if self.follower.is_none() && self.path.exists() {
                self.follower = Some(Follower::new(&self.path)?);
            }
            tokio::select! {
                changed = self.status.changed() => changed.map_err(io::Error::other)?,
                grew = grown(self.follower.as_mut(), cursor) => grew?,
            }
        }
    }
}

/// Where the log of a deployment's build is.
pub(super) fn log_of(app: &App, number: u64) -> PathBuf {
    Place::new(app.context().layout.root()).log(number)
}

/// Refuses a deployment that is not there, or built nothing.
pub(super) async fn built(shared: &Shared, app: &App, number: u64) -> Result<(), Failure> {
    let name = app.name();
    let found = shared.store.deployment(name, number).await?.ok_or_else(|| missing(name))?;
    match found.build {
        Some(_) => Ok(()),
        None => Err(Failure(
            Problem::new(Code::NotFound, format!("#{number} of {name} built nothing."))
                .next(format!("`vial show {name} {number}`")),
        )),
    }
}

/// That there is no such deployment.
pub(super) fn missing(app: &str) -> Problem {
    Problem::new(Code::NotFound, format!("{app} has no such deployment."))
        .next(format!("`vial history {app}`"))
}

/// Reads a log that need not be there yet.
pub(super) async fn read(
    work: impl FnOnce() -> io::Result<LogRead> + Send + 'static,
) -> io::Result<LogRead> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(LogRead::default()),
        Ok(read) => read,
        Err(panic) => Err(io::Error::other(panic)),
    }
}

/// What was read, which was all only where nothing came of it.
pub(super) fn chunk(number: u64, read: LogRead, over: bool) -> BuildChunk {
    let ended = over && read.lines.is_empty();
    BuildChunk { number, lines: read.lines, cursor: read.cursor, ended }
}

/// Whether nothing is written to the log of a build any more.
pub(super) fn is_over(app: &App, number: u64) -> bool {
    let status = app.status();
    let mut going = status.deployment.iter().chain(&status.queued);
    !going.any(|it| it.number == number && it.status <= Status::Building)
}

/// Where the log is not there yet, the build waits for its turn, and the status says when that comes.
async fn grown(follower: Option<&mut Follower>, from: u64) -> io::Result<()> {
    match follower {
        Some(follower) => follower.grown(from).await,
        None => std::future::pending().await,
    }
}
