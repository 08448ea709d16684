//! The dashboard's one stream: all that a browser's pages follow.
//!
//! ```text
//! GET /v1/stream ──▶ Streams::open ──▶ task ──▶ apps     every app's status, the newest only
//!                        ▲               │  ──▶ topics   logs, builds, metrics, the audit log
//! PUT /v1/streams/{id} ──┘ (a watch)     ▼
//!                                   room of a few events ──▶ the browser
//! ```
//!
//! [`streams`] knows which are open and whose they are; [`task`] is one stream. It asks what it
//! follows for the next event only when there is room for one, so that a slow browser makes nothing
//! grow: of an app it is told the newest status, and logs wait for it at their cursor. [`apps`] is
//! what comes unasked, [`topics`] what a page asks for ([`trail`] the audit log), [`followed`]
//! holds both.

mod apps;
mod followed;
mod streams;
mod task;
mod topics;
mod trail;

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use tokio::sync::mpsc;
use vial_protocol::live::{Live, Topics};

use super::Shared;
use super::answer::{Failure, required};
use super::events::{self, Events};
use super::openapi::{ById, Refusals};
use super::peer::Peer;
use streams::Wanted;

pub use streams::Streams;

/// How many events wait for a browser. Few, because one of them may be as large as a read of a log.
const ROOM: usize = 4;

/// All that a browser's pages follow, in one stream.
#[utoipa::path(
    get,
    path = "/v1/stream",
    operation_id = "stream",
    responses(
        (
            status = 200,
            description = "Server-sent events",
            body = Live,
            content_type = "text/event-stream",
        ),
        Refusals,
    )
)]
pub(super) async fn stream(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Events, Failure> {
    let opened = shared.streams.open(&peer.identity())?;
    let (tell, told) = mpsc::channel(ROOM);
    tokio::spawn(task::run(shared, peer, opened, tell));
    Ok(events::stream(told))
}

/// What a stream brings beside the apps' status.
#[utoipa::path(
    put,
    path = "/v1/streams/{id}",
    operation_id = "topics",
    params(ById),
    request_body = Topics,
    responses((status = 204, description = "The stream brings it from now on"), Refusals)
)]
pub(super) async fn topics(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, Failure> {
    let wanted: Topics = required(&bytes)?;
    topics::check(&wanted, &peer)?;
    // Read before the answer: whoever reads the audit log after that misses no row between the two.
    let audit_after = if wanted.audit { trail::newest(&shared.store).await? } else { 0 };
    shared.streams.set(&id, &peer.identity(), Wanted { topics: wanted, audit_after })?;
    Ok(StatusCode::NO_CONTENT)
}
