//! What only looks.

use axum::Json;
use axum::extract::{Extension, Path, Query, State};
use serde::Deserialize;
use vial_protocol::{AppStatus, Code, DaemonStatus, Deployment, Plan, Problem};

use super::Shared;
use super::answer::{Failure, bad};
use super::peer::Peer;
use crate::app::admission::RollbackAsk;
use crate::app::handle::{Actor, App};

impl Shared {
    /// An app that the peer may act on, and as whom.
    pub(super) fn app(&self, name: &str, peer: &Peer) -> Result<(App, Actor), Failure> {
        let registry = self.apps.borrow().clone();
        let Some(app) = registry.apps.get(name) else { return Err(self.unknown(name, peer)) };
        let actor = peer.acts_on(app)?;
        Ok((app.clone(), actor))
    }

    fn unknown(&self, name: &str, peer: &Peer) -> Failure {
        let registry = self.apps.borrow().clone();
        let seen: Vec<&str> =
            registry.apps.values().filter(|app| peer.sees(app)).map(App::name).collect();
        let near = seen.iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
        let next = match (near, seen.is_empty()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, true) => {
                "no app is configured: `vial init NAME` writes its file, `vial reload` reads it"
                    .into()
            }
            (None, false) => format!("there is: {}", seen.join(", ")),
        };
        // What was asked for is the caller's own text: shortened, it is safe to say again.
        let name: String = name.chars().filter(|it| !it.is_control()).take(40).collect();
        Failure(Problem::new(Code::UnknownApp, format!("No app is called `{name}`.")).next(next))
    }
}

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

pub(super) async fn app(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
) -> Result<Json<AppStatus>, Failure> {
    let (app, _) = shared.app(&name, &peer)?;
    Ok(Json(AppStatus::clone(&app.status())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    before: Option<u64>,
    limit: Option<usize>,
}

pub(super) async fn deployments(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    page: Result<Query<Page>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Vec<Deployment>>, Failure> {
    let (app, _) = shared.app(&name, &peer)?;
    let Query(page) = page.map_err(|error| bad(error.body_text()))?;
    let limit = page.limit.unwrap_or(50).min(1000);
    Ok(Json(shared.store.deployments(app.name(), page.before, limit).await?))
}

pub(super) async fn deployment(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path((name, number)): Path<(String, String)>,
) -> Result<Json<Deployment>, Failure> {
    let (app, _) = shared.app(&name, &peer)?;
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
}

pub(super) async fn plan(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Plan>, Failure> {
    let (app, _) = shared.app(&name, &peer)?;
    let Query(Wanted { to, cancel }) = wanted.map_err(|error| bad(error.body_text()))?;
    Ok(Json(app.plan(RollbackAsk { to, cancel, digest: None }).await?))
}

pub(super) async fn snippet(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(name): Path<String>,
) -> Result<String, Failure> {
    let (app, _) = shared.app(&name, &peer)?;
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
