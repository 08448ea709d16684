//! What a deployment's build printed: all that is kept of it, or as it comes.

use std::io;
use std::path::Path;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path as Params, Query, State};
use axum::response::{IntoResponse, Response, sse};
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use vial_protocol::{BuildChunk, Code, Event, Problem};

use super::Shared;
use super::answer::{Failure, bad};
use super::build_reader::{BuildReader, built, chunk, is_over, log_of, missing, read};
use super::caller::Caller;
use super::events::{encode, stream};
use super::openapi::{OfDeployment, Refusals};
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
    responses(
        (
            status = 200,
            description = "Lines; with `follow`, events that hold such lines",
            content((BuildChunk = "application/json"), (Event = "text/event-stream")),
        ),
        Refusals,
    )
)]
pub(super) async fn build_log(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
    Params((_, number)): Params<(String, String)>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(wanted) = wanted.map_err(|error| bad(error.body_text()))?;
    let number = number.parse().map_err(|_| missing(app.name()))?;
    built(&shared, &app, number).await?;
    let path = log_of(&app, number);
    let (over, follows) = (is_over(&app, number), wanted.follow);
    let first = read(move || wanted.first(&path));
    let first = first.await.map_err(|error| unreadable(number, &error))?;
    let chunk = chunk(number, first, over);
    if !follows {
        return Ok(Json(chunk).into_response());
    }
    let (tell, told) = mpsc::channel(4);
    let reader = BuildReader::new(app, number, chunk.cursor);
    tokio::spawn(async move { follow(reader, chunk, &tell).await });
    Ok(stream(told).into_response())
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

async fn follow(mut reader: BuildReader, mut told: BuildChunk, tell: &mpsc::Sender<sse::Event>) {
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
        told = tokio::select! {
            more = reader.more(BYTES) => match more {
                Ok(more) => more,
                Err(_) => return,
            },
            () = tell.closed() => return,
        };
    }
}
