//! What changes something, but for a deploy.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use tokio::sync::oneshot;
use vial_protocol::request::{Accepted, IDEMPOTENCY_KEY, Restart, Rollback};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, bad, body};
use super::peer::Peer;
use crate::app::admission::RollbackAsk;
use crate::app::handle::{Request, What};
use crate::app::registry::Report;

/// A reason is for the history, not for essays.
const REASON: usize = 1000;

type Answered = Result<(StatusCode, Json<Accepted>), Failure>;

/// The idempotency key of a request.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    value
        .to_str()
        .ok()
        .filter(|key| (1..=64).contains(&key.len()) && key.bytes().all(|it| it.is_ascii_graphic()))
        .map(|key| Some(key.to_owned()))
        .ok_or_else(|| bad("The idempotency key must be 1 to 64 printable ASCII characters."))
}

/// A reason, as far as it is kept.
pub(super) fn reason(text: Option<String>) -> Result<Option<String>, Failure> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match &text {
        Some(text) if text.chars().count() > REASON => {
            Err(bad(format!("A reason may have {REASON} characters at most.")))
        }
        _ => Ok(text),
    }
}

async fn ask(
    shared: &Shared,
    peer: &Peer,
    name: &str,
    headers: &HeaderMap,
    reason: Option<String>,
    what: What,
) -> Answered {
    let (app, actor) = shared.app(name, peer)?;
    let request = Request { actor, reason, key: key(headers)?, what };
    Ok((StatusCode::ACCEPTED, Json(app.ask(request).await?)))
}

pub(super) async fn rollback(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answered {
    let Rollback { to, reason: why, cancel, digest } = body(&bytes)?;
    let what = What::Rollback(RollbackAsk { to, cancel, digest });
    ask(&shared, &peer, &name, &headers, reason(why)?, what).await
}

pub(super) async fn restart(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answered {
    let Restart { in_place, reason: why } = body(&bytes)?;
    ask(&shared, &peer, &name, &headers, reason(why)?, What::Restart { in_place }).await
}

pub(super) async fn cancel(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answered {
    ask(&shared, &peer, &name, &headers, None, What::Cancel).await
}

pub(super) async fn stop(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answered {
    ask(&shared, &peer, &name, &headers, None, What::Stop).await
}

pub(super) async fn start(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Answered {
    ask(&shared, &peer, &name, &headers, None, What::Start).await
}

pub(super) async fn reload(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Report>, Failure> {
    peer.operates()?;
    let (tell, told) = oneshot::channel();
    let stopping = || Problem::new(Code::ShuttingDown, "The daemon is stopping.");
    shared.reload.send(tell).await.map_err(|_| stopping())?;
    Ok(Json(told.await.map_err(|_| stopping())?))
}
