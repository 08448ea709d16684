//! What an app's slots used lately.

use axum::Json;
use axum::extract::State;
use vial_protocol::live::Metrics;
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::Failure;
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};

/// What an app's slots used in the last ten minutes.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/metrics",
    operation_id = "metrics",
    params(OfApp),
    responses((status = 200, description = "Oldest first", body = Metrics), Refusals)
)]
pub(super) async fn metrics(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
) -> Result<Json<Metrics>, Failure> {
    let stopping = || Problem::new(Code::ShuttingDown, "The daemon is stopping.");
    Ok(Json(shared.metrics.recent(app.name()).await.ok_or_else(stopping)?))
}
