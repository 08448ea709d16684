//! A slot's log: part of it, or as it grows.

use std::path::PathBuf;

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::sync::mpsc;
use vial_protocol::{Code, Event, LogChunk, Problem, Slot};

use super::answer::{Failure, bad};
use super::caller::Caller;
use super::events::{encode, stream};
use crate::slot::follow::Follower;
use crate::slot::log::{self, LogRead, Unfinished};

/// How many lines are given where the caller does not say.
const LINES: usize = 100;
/// The most lines at once.
const MOST: usize = 10_000;
/// The most bytes at once.
const BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    slot: Option<Slot>,
    lines: Option<usize>,
    cursor: Option<u64>,
    #[serde(default)]
    follow: bool,
}

pub(super) async fn logs(
    Caller { app, .. }: Caller,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(wanted) = wanted.map_err(|error| bad(error.body_text()))?;
    let slot = wanted.slot.or(app.status().active).unwrap_or(Slot::Blue);
    let path = app.context().layout.log(slot);
    let first = {
        let path = path.clone();
        let lines = wanted.lines.unwrap_or(LINES).min(MOST);
        tokio::task::spawn_blocking(move || match wanted.cursor {
            Some(cursor) => log::read(&path, cursor, BYTES, Unfinished::Wait),
            None => log::tail(&path, lines, 0),
        })
        .await
        .map_err(|error| Problem::new(Code::Internal, error.to_string()))?
    };
    let first = first.or_else(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Ok(LogRead::default()),
        _ => Err(Problem::new(Code::Internal, format!("{slot}'s log cannot be read: {error}."))
            .next("`vial doctor`")),
    })?;
    let first = LogChunk { slot, lines: first.lines, cursor: first.cursor };
    if !wanted.follow {
        return Ok(Json(first).into_response());
    }
    let (tell, told) = mpsc::channel(16);
    tokio::spawn(follow(path, first, tell));
    Ok(stream(told).into_response())
}

async fn follow(
    path: PathBuf,
    mut chunk: LogChunk,
    tell: mpsc::Sender<axum::response::sse::Event>,
) {
    let slot = chunk.slot;
    let Ok(mut follower) = Follower::new(&path) else { return };
    loop {
        let cursor = chunk.cursor;
        if let Some(event) = encode(&Event::Log(chunk), cursor)
            && tell.send(event).await.is_err()
        {
            return;
        }
        let read = loop {
            tokio::select! {
                grew = follower.grown(cursor) => if grew.is_err() { return },
                () = tell.closed() => return,
            }
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || {
                log::read(&path, cursor, BYTES, Unfinished::Wait)
            })
            .await;
            match read {
                Ok(Ok(read)) if read.cursor > cursor => break read,
                // Half a line: the rest is on its way.
                Ok(Ok(_)) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                _ => return,
            }
        };
        chunk = LogChunk { slot, lines: read.lines, cursor: read.cursor };
    }
}
