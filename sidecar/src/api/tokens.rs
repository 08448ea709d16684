//! API tokens.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use vial_protocol::access::{AskToken, NewToken, Token};

use super::Shared;
use super::answer::{Failure, required};
use super::audit::Note;
use super::openapi::{ById, Refusals};
use super::peer::Peer;

/// API tokens.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    operation_id = "tokens",
    responses((status = 200, description = "Newest first", body = Vec<Token>), Refusals)
)]
pub(super) async fn tokens(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Vec<Token>>, Failure> {
    peer.operates()?;
    Ok(Json(shared.gate.tokens().await?))
}

/// Makes an API token.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    operation_id = "add_token",
    request_body = AskToken,
    responses(
        (
            status = 200,
            description = "It is made, and shown this once",
            body = NewToken,
        ),
        Refusals,
    )
)]
pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    bytes: Bytes,
) -> Result<Json<NewToken>, Failure> {
    let actor = peer.operates()?;
    let asked: AskToken = required(&bytes)?;
    note.detail(format!("{} as {} for {} days", asked.name, asked.role, asked.days));
    Ok(Json(shared.gate.add_token(asked, &actor.name).await?))
}

/// Removes an API token.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    operation_id = "remove_token",
    params(ById),
    responses((status = 204, description = "It is refused from now on"), Refusals)
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    peer.operates()?;
    let name = shared.gate.remove_token(&id).await?;
    note.detail(name);
    Ok(StatusCode::NO_CONTENT)
}
