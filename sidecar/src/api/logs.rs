//! A slot's log: part of it, or as it grows.

use std::io;
use std::path::Path;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::mpsc;
use utoipa::IntoParams;
use vial_protocol::{Code, Event, LogChunk, Problem, Slot};

use super::answer::{Failure, bad};
use super::caller::Caller;
use super::events::{encode, stream};
use super::log_reader::{LogReader, chunk};
use super::openapi::{OfApp, Refusals};
use crate::log::{self, LogRead, Unfinished};

/// How many lines are given where the caller does not say.
const LINES: usize = 100;
/// The most lines at once.
const MOST: usize = 10_000;
/// The most bytes at once.
const BYTES: usize = 1 << 20;

/// From a cursor on; else all since a time, or so many of the last lines.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Which slot; the active one where absent.
    slot: Option<Slot>,
    /// So many of the last lines: 100 where absent, at most 10,000.
    lines: Option<usize>,
    /// From this cursor on.
    cursor: Option<u64>,
    /// From this time on.
    since: Option<Timestamp>,
    /// Whether to go on with what is written, as server-sent events.
    #[serde(default)]
    follow: bool,
}

/// Part of a slot's log, or the log as it grows.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs",
    operation_id = "logs",
    params(OfApp, Wanted),
    responses(
        (
            status = 200,
            description = "Lines; with `follow`, events that hold such lines",
            content((LogChunk = "application/json"), (Event = "text/event-stream")),
        ),
        Refusals,
    )
)]
pub(super) async fn logs(
    Caller { app, .. }: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(wanted) = wanted.map_err(|error| bad(error.body_text()))?;
    let slot = wanted.slot.or(app.status().active).unwrap_or(Slot::Blue);
    let context = app.context();
    let path = context.layout.log(slot);
    let follows = wanted.follow;
    let first = tokio::task::spawn_blocking(move || wanted.first(&path))
        .await
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))?;
    let first = first.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(LogRead::default()),
        _ => Err(Problem::new(Code::Internal, format!("{slot}'s log cannot be read: {error}."))
            .next("`vial doctor`")),
    })?;
    let first = chunk(slot, first, &context.vault);
    if !follows {
        return Ok(Json(first).into_response());
    }
    // Few, because one of them is as large as a read.
    let (tell, told) = mpsc::channel(4);
    let reader = LogReader::new(&app, slot, first.cursor);
    tokio::spawn(follow(reader, first, tell));
    Ok(stream(told).into_response())
}

impl Wanted {
    fn first(&self, path: &Path) -> io::Result<LogRead> {
        if let Some(cursor) = self.cursor {
            return log::read(path, cursor, BYTES, Unfinished::Wait);
        }
        let since = self.since.map_or(Ok(0), |time| log::offset_at(path, time))?;
        if self.since.is_some() && self.lines.is_none() {
            return log::read(path, since, BYTES, Unfinished::Wait);
        }
        // The rest of a line that is followed comes as part of it.
        let unfinished = if self.follow { Unfinished::Wait } else { Unfinished::Take };
        log::tail(path, self.lines.unwrap_or(LINES).min(MOST), since, unfinished)
    }
}

async fn follow(
    mut reader: LogReader,
    mut told: LogChunk,
    tell: mpsc::Sender<axum::response::sse::Event>,
) {
    loop {
        let cursor = told.cursor;
        if let Some(event) = encode(&Event::Log(told), cursor)
            && tell.send(event).await.is_err()
        {
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
