//! A slot's log, searched from its end or taken as a file.
//!
//! What is searched is what is shown: the values of the app's environment are masked first, so that
//! no search tells whether a line has one.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::IntoResponse;
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use vial_protocol::{Code, LogChunk, LogLine, Problem, Slot};

use super::answer::{Failure, bad};
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};
use crate::app::handle::App;
use crate::log::{self, Level, Unfinished};
use crate::vault::Vault;

/// How many lines are given where the caller does not say, and the most.
const LINES: usize = 200;
const MOST: usize = 1000;
/// How long one search may take.
const TIME: Duration = Duration::from_secs(2);
/// The longest text that is looked for.
const TEXT: usize = 200;
/// How much of a file is read at once.
const BYTES: usize = 256 << 10;

/// What is looked for.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Sought {
    /// Which slot; the active one where absent.
    slot: Option<Slot>,
    /// What a line has to hold, in whatever case.
    text: Option<String>,
    /// How grave a line has to be at least, as far as its text says: `debug`, `info`, `warning` or
    /// `error`.
    level: Option<String>,
    /// Only lines before this cursor: that of the page before.
    before: Option<u64>,
    /// Only lines since this time, to about a minute.
    since: Option<Timestamp>,
    /// Only lines up to this time, to about a minute.
    until: Option<Timestamp>,
    /// How many lines: 200 where absent, at most 1,000.
    limit: Option<usize>,
}

/// Searches a slot's log from its end.
///
/// A page may have fewer lines than were asked for although there are more: a search ends after two
/// seconds and goes on with the next page.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs/search",
    operation_id = "search_logs",
    params(OfApp, Sought),
    responses(
        (
            status = 200,
            description = "The newest lines that match, oldest first; `cursor` is the `before` of \
                           the next page, and 0 after the last",
            body = LogChunk,
        ),
        Refusals,
    )
)]
pub(super) async fn search_logs(
    Caller { app, .. }: Caller,
    sought: Result<Query<Sought>, QueryRejection>,
) -> Result<Json<LogChunk>, Failure> {
    let Query(sought) = sought.map_err(|error| bad(error.body_text()))?;
    let level: Option<Level> = match sought.level.as_deref().filter(|it| !it.is_empty()) {
        Some(word) => Some(word.parse().map_err(|error| bad(format!("The level {error}.")))?),
        None => None,
    };
    let text = sought.text.unwrap_or_default().to_lowercase();
    if text.len() > TEXT {
        return Err(bad(format!("At most {TEXT} bytes of text are looked for.")));
    }
    let (slot, path, vault) = place(&app, sought.slot);
    let lines = sought.limit.unwrap_or(LINES).clamp(1, MOST);
    let (since, until, before) = (sought.since, sought.until, sought.before);
    let searched = move || {
        let (since, end) = span(&path, since, until)?;
        let before = [before, end].into_iter().flatten().min();
        let range = log::Range { since, before, lines, time: TIME };
        log::search(&path, range, |line| wanted(line, level, &text, &vault))
    };
    let found = blocking(slot, searched).await?;
    Ok(Json(LogChunk { slot, lines: found.lines, cursor: found.before, gap: 0 }))
}

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    /// Which slot; the active one where absent.
    slot: Option<Slot>,
    /// Only lines since this time, to about a minute.
    since: Option<Timestamp>,
    /// Only lines up to this time, to about a minute.
    until: Option<Timestamp>,
}

/// A slot's log as a file.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs/text",
    operation_id = "log_text",
    params(OfApp, Part),
    responses(
        (status = 200, description = "Lines", body = String, content_type = "text/plain"),
        Refusals,
    )
)]
pub(super) async fn log_text(
    Caller { app, .. }: Caller,
    part: Result<Query<Part>, QueryRejection>,
) -> Result<impl IntoResponse, Failure> {
    let Query(Part { slot, since, until }) = part.map_err(|error| bad(error.body_text()))?;
    let (slot, path, vault) = place(&app, slot);
    let whole = path.clone();
    let (since, end) = blocking(slot, move || {
        let (since, end) = span(&whole, since, until)?;
        Ok((since, end.map_or_else(|| log::len(&whole), Ok)?))
    })
    .await?;
    let reading = Reading { path, vault, cursor: since, end };
    let body = Body::from_stream(stream::try_unfold(reading, Reading::next));
    let name = format!("attachment; filename=\"{}-{slot}.log\"", app.name());
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8".into()), (CONTENT_DISPOSITION, name)], body))
}

fn place(app: &App, slot: Option<Slot>) -> (Slot, PathBuf, Arc<Vault>) {
    let slot = slot.or(app.status().active).unwrap_or(Slot::Blue);
    let context = app.context();
    (slot, context.layout.log(slot), context.vault.clone())
}

/// The offsets of a span of time.
fn span(
    path: &Path,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> io::Result<(u64, Option<u64>)> {
    let since = since.map_or(Ok(0), |time| log::offset_at(path, time))?;
    let until = until.map(|time| log::offset_by(path, time)).transpose()?;
    Ok((since, until))
}

/// Whether a line is looked for; it is masked then.
fn wanted(line: &mut LogLine, level: Option<Level>, text: &str, vault: &Vault) -> bool {
    if level.is_some_and(|least| Level::of(&line.text).is_none_or(|it| it < least)) {
        return false;
    }
    if let Cow::Owned(masked) = vault.mask(&line.text) {
        line.text = masked;
    }
    text.is_empty() || line.text.to_lowercase().contains(text)
}

async fn blocking<T: Send + 'static>(
    slot: Slot,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await.map_err(io::Error::other);
    done.flatten().map_err(|error| {
        Problem::new(Code::Internal, format!("{slot}'s log cannot be read: {error}."))
            .next("`vial doctor`")
    })
}

/// A part of a log that is being sent.
struct Reading {
    path: PathBuf,
    vault: Arc<Vault>,
    cursor: u64,
    end: u64,
}

impl Reading {
    async fn next(mut self) -> io::Result<Option<(Bytes, Reading)>> {
        if self.cursor >= self.end {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            let read = |unfinished| log::read(&self.path, self.cursor, BYTES, unfinished);
            let mut part = read(Unfinished::Wait)?;
            if part.cursor == self.cursor {
                // The last line has no end.
                part = read(Unfinished::Take)?;
            }
            let mut text = String::new();
            for line in part.lines.iter().filter(|line| line.at < self.end) {
                text.push_str(&self.vault.mask(&line.text));
                text.push('\n');
            }
            // Where nothing comes any more, this is the end.
            self.cursor = if part.cursor > self.cursor { part.cursor } else { self.end };
            Ok((Bytes::from(text), self))
        });
        read.await.map_err(io::Error::other)?.map(Some)
    }
}
