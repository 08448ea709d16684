//! What the library in a slot's release says of its own rest.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use utoipa::IntoParams;
use vial_protocol::Slot;
use vial_protocol::standby::{Rest, Rested};

use super::answer::{Failure, bad, required};
use super::caller::Caller;
use super::openapi::Refusals;

/// The slot that an operation is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: Caller and the handler read it")]
pub(super) struct OfSlot {
    /// The app's name.
    app: String,
    /// The slot.
    slot: Slot,
}

/// Says whether the release in a slot is at rest. Where it holds still to be frozen, the answer comes
/// when it was, and so is read when it goes on; or as soon as it will not be.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/slots/{slot}/rest",
    operation_id = "rest",
    params(OfSlot),
    request_body = Rest,
    responses((status = 200, description = "It was heard", body = Rested), Refusals)
)]
pub(super) async fn rest(
    Caller { app, .. }: Caller,
    place: Result<Path<(String, Slot)>, PathRejection>,
    bytes: Bytes,
) -> Result<Json<Rested>, Failure> {
    let Path((_, slot)) = place.map_err(|_| bad("A slot is blue or green."))?;
    Ok(Json(app.rest(slot, required(&bytes)?).await?))
}
