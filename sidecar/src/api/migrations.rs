//! What is applied to an app's databases, and moving it outside a deployment.

use axum::Json;
use axum::body::Bytes;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::Deserialize;
use vial_protocol::migration::MigrationsReport;
use vial_protocol::request::{Migrate, Migrated};

use super::answer::{Failure, bad, required};
use super::caller::Caller;
use crate::app::migrations::{self, To};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    release: Option<u64>,
}

pub(super) async fn report(
    Caller { app, .. }: Caller,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<MigrationsReport>, Failure> {
    let Query(Asked { release }) = asked.map_err(|error| bad(error.body_text()))?;
    Ok(Json(migrations::report(&app, release).await?))
}

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
