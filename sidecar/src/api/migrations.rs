//! What is applied to an app's databases, and moving it outside a deployment.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;
use utoipa::IntoParams;
use vial_protocol::migration::MigrationsReport;
use vial_protocol::request::{Migrate, Migrated};

use super::answer::{Failure, bad, required};
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};
use crate::app::migrations::{self, To};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// The release that is asked, by its number; the one that serves where absent.
    release: Option<u64>,
}

/// Which migrations are applied, as one release sees it.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/migrations",
    operation_id = "migrations",
    params(OfApp, Asked),
    responses(
        (
            status = 200,
            description = "As the release sees it",
            body = MigrationsReport,
        ),
        Refusals,
    )
)]
pub(super) async fn report(
    Caller { app, .. }: Caller,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<MigrationsReport>, Failure> {
    let Query(Asked { release }) = asked.map_err(|error| bad(error.body_text()))?;
    Ok(Json(migrations::report(&app, release).await?))
}

/// Moves the database by the migrations of one release.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/migrations",
    operation_id = "migrate",
    params(OfApp),
    request_body = Migrate,
    responses((status = 200, description = "What was moved", body = Migrated), Refusals)
)]
pub(super) async fn migrate(
    Caller { app, actor, .. }: Caller,
    bytes: Bytes,
) -> Result<Json<Migrated>, Failure> {
    let Migrate { release, down_to, up } = required(&bytes)?;
    let to = match (down_to, up) {
        (Some(version), false) => To::Down(version),
        (None, true) => To::Up,
        _ => return Err(bad("Either `down_to` or `up` belongs here.")),
    };
    Ok(Json(migrations::migrate(&app, &actor.display(), release, to).await?))
}
