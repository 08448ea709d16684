//! What a deployment's build printed: all that is kept of it, or as it comes.

use std::io;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as Params, Query, State};
use axum::response::{IntoResponse, Response, sse};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use vial_protocol::{BuildChunk, Code, Event, Problem, Status};

use super::Shared;
use super::answer::{Failure, bad};
use super::caller::Caller;
use super::events::{encode, stream};
use super::openapi::{OfDeployment, Refusals};
use crate::app::handle::App;
use crate::build::Place;
use crate::log::follow::Follower;
use crate::log::{self, LogRead, Unfinished};

/// The most bytes at once.
const BYTES: usize = 1 << 20;
/// The most lines at once.
const MOST: usize = 10_000;

/// From a cursor on, or so many of the last lines; else from the beginning.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// So many of the last lines.
    lines: Option<usize>,
    /// From where on.
    cursor: Option<u64>,
    /// Whether to go on with what is printed, as server-sent events.
    #[serde(default)]
    follow: bool,
}

/// What a deployment's build printed.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/deployments/{number}/log",
    operation_id = "build_log",
    params(OfDeployment, Wanted),
    responses((status = 200, description = "Lines; with `follow`, events that hold such lines", content((BuildChunk = "application/json"), (Event = "text/event-stream"))), Refusals)
)]
pub(super) async fn build_log(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
    Params((_, number)): Params<(String, String)>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(wanted) = wanted.map_err(|error| bad(error.body_text()))?;
    let number = built(&shared, &app, &number).await?;
    let path = Place::new(app.context().layout.root()).log(number);
    let (over, follows) = (is_over(&app, number), wanted.follow);
    let first = {
        let path = path.clone();
        read(move || wanted.first(&path)).await.map_err(|error| unreadable(number, &error))?
    };
    let chunk = chunk(number, first, over);
    if !follows {
        return Ok(Json(chunk).into_response());
    }
    let (tell, told) = mpsc::channel(4);
    tokio::spawn(async move { follow(app, path, chunk, &tell).await });
    Ok(stream(told).into_response())
}

/// The deployment that a path names, if it builds something.
async fn built(shared: &Shared, app: &App, number: &str) -> Result<u64, Failure> {
    let name = app.name();
    let missing = || {
        Problem::new(Code::NotFound, format!("{name} has no such deployment."))
            .next(format!("`vial history {name}`"))
    };
    let number = number.parse().map_err(|_| missing())?;
    let found = shared.store.deployment(name, number).await?.ok_or_else(missing)?;
    match found.build {
        Some(_) => Ok(number),
        None => Err(Failure(
            Problem::new(Code::NotFound, format!("#{number} of {name} built nothing."))
                .next(format!("`vial show {name} {number}`")),
        )),
    }
}

impl Wanted {
    fn first(&self, path: &Path) -> io::Result<LogRead> {
        match (self.cursor, self.lines) {
            (None, Some(lines)) => log::tail(path, lines.min(MOST), 0, Unfinished::Wait),
            (cursor, _) => log::read(path, cursor.unwrap_or(0), BYTES, Unfinished::Wait),
        }
    }
}

fn unreadable(number: u64, error: &io::Error) -> Problem {
    Problem::new(Code::Internal, format!("The log of #{number} cannot be read: {error}."))
        .next("`vial doctor`")
}

async fn read(work: impl FnOnce() -> io::Result<LogRead> + Send + 'static) -> io::Result<LogRead> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Ok(LogRead::default()),
        Ok(read) => read,
        Err(panic) => Err(io::Error::other(panic)),
    }
}

/// What was read, which was all only where nothing came of it.
fn chunk(number: u64, read: LogRead, over: bool) -> BuildChunk {
    let ended = over && read.lines.is_empty();
    BuildChunk { number, lines: read.lines, cursor: read.cursor, ended }
}

/// Whether nothing is written to the log of a build any more.
fn is_over(app: &App, number: u64) -> bool {
    let status = app.status();
    let mut going = status.deployment.iter().chain(&status.queued);
    !going.any(|it| it.number == number && it.status <= Status::Building)
}

async fn follow(app: App, path: PathBuf, mut told: BuildChunk, tell: &mpsc::Sender<sse::Event>) {
    let number = told.number;
    let mut status = app.subscribe();
    let mut follower = None;
    loop {
        let (cursor, ended) = (told.cursor, told.ended);
        if (ended || !told.lines.is_empty())
            && let Some(event) = encode(&Event::BuildLog(told), cursor)
            && tell.send(event).await.is_err()
        {
            return;
        }
        if ended {
            return;
        }
        // Asked before the log is read: what is written until it is over is read then.
        status.mark_unchanged();
        let over = is_over(&app, number);
        let from = path.clone();
        let Ok(now) = read(move || log::read(&from, cursor, BYTES, Unfinished::Wait)).await else {
            return;
        };
        let nothing = now.lines.is_empty();
        told = chunk(number, now, over);
        if !nothing || over {
            continue;
        }
        if follower.is_none() && path.exists() {
            follower = Follower::new(&path).ok();
        }
        tokio::select! {
            changed = status.changed() => if changed.is_err() { return },
            grew = grown(&mut follower, cursor) => if grew.is_err() { return },
            () = tell.closed() => return,
        }
    }
}

/// Where the log is not there yet, the build waits for its turn, and the status says when that comes.
async fn grown(follower: &mut Option<Follower>, from: u64) -> io::Result<()> {
    match follower {
        Some(follower) => follower.grown(from).await,
        None => std::future::pending().await,
    }
}
