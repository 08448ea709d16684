//! What only looks.

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use vial_protocol::{
    AppStatus, Code, DaemonStatus, Deployment, EnvironmentChoice, MigrationChoice, Plan, Problem,
};

use super::Shared;
use super::answer::{Failure, bad};
use super::caller::Caller;
use super::openapi::{OfApp, OfDeployment, Refusals};
use super::peer::Peer;
use crate::app::handle::App;
use crate::app::published::Published;
use crate::app::request::RollbackAsk;

/// What the daemon knows now: every app that the caller may see.
#[utoipa::path(
    get,
    path = "/v1/status",
    operation_id = "status",
    responses(
        (
            status = 200,
            description = "All that the caller may see",
            body = DaemonStatus,
        ),
        Refusals,
    )
)]
pub(super) async fn status(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Response {
    let registry = shared.apps.borrow().clone();
    let seen = registry.apps.values().filter(|app| peer.sees(app));
    let apps: Vec<_> = seen.map(App::status).collect();
    let told = peer.operates().is_ok();
    let problems = registry.problems.iter().chain(&registry.warnings).filter(|_| told);
    Json(All {
        version: vial_protocol::VERSION,
        pid: std::process::id(),
        started_at: shared.started_at,
        apps: apps.iter().map(AsRef::as_ref).collect(),
        problems: problems.collect(),
    })
    .into_response()
}

/// A [`DaemonStatus`] of what others own: the apps of a host are not copied for each reader.
#[derive(Serialize)]
struct All<'a> {
    version: &'a str,
    pid: u32,
    started_at: Timestamp,
    apps: Vec<&'a Published>,
    problems: Vec<&'a Problem>,
}

/// One app, now.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}",
    operation_id = "app",
    params(OfApp),
    responses((status = 200, description = "As it is now", body = AppStatus), Refusals)
)]
pub(super) async fn app(caller: Caller) -> Response {
    Json(&*caller.app.status()).into_response()
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Only deployments before this one.
    before: Option<u64>,
    /// How many: 50 where absent, at most 1,000.
    limit: Option<usize>,
}

/// The history of an app, without steps.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/deployments",
    operation_id = "deployments",
    params(OfApp, Page),
    responses((status = 200, description = "Newest first", body = Vec<Deployment>), Refusals)
)]
pub(super) async fn deployments(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Deployment>>, Failure> {
    let Query(page) = page.map_err(|error| bad(error.body_text()))?;
    let limit = page.limit.unwrap_or(50).min(1000);
    Ok(Json(shared.store.deployments(app.name(), page.before, limit).await?))
}

/// One deployment, with its steps.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/deployments/{number}",
    operation_id = "deployment",
    params(OfDeployment),
    responses((status = 200, description = "With its steps", body = Deployment), Refusals)
)]
pub(super) async fn deployment(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
    Path((_, number)): Path<(String, String)>,
) -> Result<Json<Deployment>, Failure> {
    let missing = || {
        Problem::new(Code::NotFound, format!("{} has no such deployment.", app.name()))
            .next(format!("`vial history {}`", app.name()))
    };
    let number = number.parse().map_err(|_| missing())?;
    let found = shared.store.deployment(app.name(), number).await?;
    Ok(Json(found.ok_or_else(missing)?))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The deployment whose release shall serve; the previous release where absent.
    to: Option<u64>,
    /// Whether a deployment in progress would be cancelled first.
    #[serde(default)]
    cancel: bool,
    /// What shall become of the migrations that the target does not know.
    migrations: Option<MigrationChoice>,
    /// Which values its release starts with.
    #[serde(default)]
    env: EnvironmentChoice,
    /// Whether Vial shall go ahead where it would ask.
    #[serde(default)]
    force: bool,
}

/// What a rollback would do, if it were asked for now.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/rollback",
    operation_id = "plan",
    params(OfApp, Wanted),
    responses((status = 200, description = "What it would do", body = Plan), Refusals)
)]
pub(super) async fn plan(
    Caller { app, .. }: Caller,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Plan>, Failure> {
    let Query(Wanted { to, cancel, migrations, env, force }) =
        wanted.map_err(|error| bad(error.body_text()))?;
    let ask = RollbackAsk { to, cancel, digest: None, migrations, env, force };
    Ok(Json(app.plan(ask).await?))
}

/// The lines that the app needs in the Caddyfile.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/caddy",
    operation_id = "snippet",
    params(OfApp),
    responses(
        (
            status = 200,
            description = "Lines for a site block",
            body = String,
            content_type = "text/plain",
        ),
        Refusals,
    )
)]
pub(super) async fn snippet(Caller { app, .. }: Caller) -> Result<String, Failure> {
    let name = app.name();
    let context = app.context();
    let Some(route) = &context.route else {
        return Err(Failure(
            Problem::new(
                Code::Configuration,
                format!(
                    "{name} is a worker: it has no `hosts`, so that Caddy has nothing to know."
                ),
            )
            .next("add `hosts` and `ports` to its file, then `vial reload`"),
        ));
    };
    let text = route.snippet().map_err(|error| {
        Failure(Problem::new(Code::Route, error.to_string()).next("`vial doctor`"))
    })?;
    Ok(format!(
        "# In the Caddyfile, inside {}'s site block:\n#     {}\n\n{text}",
        name,
        route.settings().import_line()
    ))
}
