//! What only looks.

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use serde::Deserialize;
use vial_protocol::{
    AppStatus, Code, DaemonStatus, Deployment, EnvironmentChoice, MigrationChoice, Plan, Problem,
};

use super::Shared;
use super::answer::{Failure, bad};
use super::caller::Caller;
use super::peer::Peer;
use crate::app::admission::RollbackAsk;

pub(super) async fn status(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Json<DaemonStatus> {
    let registry = shared.apps.borrow().clone();
    let apps = registry
        .apps
        .values()
        .filter(|app| peer.sees(app))
        .map(|app| AppStatus::clone(&app.status()))
        .collect();
    let told = peer.operates().is_ok();
    let problems = registry.problems.iter().chain(&registry.warnings).filter(|_| told);
    Json(DaemonStatus {
        version: vial_protocol::VERSION.into(),
        pid: std::process::id(),
        started_at: shared.started_at,
        apps,
        problems: problems.cloned().collect(),
    })
}

pub(super) async fn app(caller: Caller) -> Result<Json<AppStatus>, Failure> {
    Ok(Json(AppStatus::clone(&caller.app.status())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn deployments(
    State(shared): State<Shared>,
    Caller { app, .. }: Caller,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Deployment>>, Failure> {
    let Query(page) = page.map_err(|error| bad(error.body_text()))?;
    let limit = page.limit.unwrap_or(50).min(1000);
    Ok(Json(shared.store.deployments(app.name(), page.before, limit).await?))
}

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    to: Option<u64>,
    #[serde(default)]
    cancel: bool,
    migrations: Option<MigrationChoice>,
    #[serde(default)]
    env: EnvironmentChoice,
    #[serde(default)]
    force: bool,
}

pub(super) async fn plan(
    Caller { app, .. }: Caller,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Plan>, Failure> {
    let Query(Wanted { to, cancel, migrations, env, force }) =
        wanted.map_err(|error| bad(error.body_text()))?;
    let ask = RollbackAsk { to, cancel, digest: None, migrations, env, force };
    Ok(Json(app.plan(ask).await?))
}

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
