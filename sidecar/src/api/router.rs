//! Which path is what.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware;
use axum::response::Response;
use axum::routing::{delete, get, patch, post};
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::door::door;
use super::way::Way;
use super::{
    Shared, audit, build_log, change, console, deploy, environment, events, logs, migrations,
    pages, read, session, source, tokens, users,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    Router::new()
        .route("/v1/status", get(read::status))
        .route("/v1/reload", post(change::reload))
        .route("/v1/down", post(change::down))
        .route("/v1/up", post(change::up))
        .route("/v1/events", get(events::events))
        .route("/v1/apps/{app}", get(read::app))
        .route("/v1/apps/{app}/deployments", get(read::deployments).post(deploy::deploy))
        .route("/v1/apps/{app}/deployments/{number}", get(read::deployment))
        .route("/v1/apps/{app}/deployments/{number}/log", get(build_log::build_log))
        .route("/v1/apps/{app}/builds", post(change::build))
        .route("/v1/apps/{app}/auto-deploy", post(source::switch))
        .route("/v1/apps/{app}/auto-deploy/secret", post(source::secret))
        .route("/v1/apps/{app}/repository", post(source::repository))
        .route("/v1/apps/{app}/rollback", get(read::plan).post(change::rollback))
        .route("/v1/apps/{app}/migrations", get(migrations::report).post(migrations::migrate))
        .route(
            "/v1/apps/{app}/env",
            get(environment::show).put(environment::set).delete(environment::unset),
        )
        .route("/v1/apps/{app}/env/values", get(environment::reveal))
        .route("/v1/apps/{app}/restart", post(change::restart))
        .route("/v1/apps/{app}/cancel", post(change::cancel))
        .route("/v1/apps/{app}/stop", post(change::stop))
        .route("/v1/apps/{app}/start", post(change::start))
        .route("/v1/apps/{app}/logs", get(logs::logs))
        .route("/v1/apps/{app}/rpc", post(console::rpc))
        .route("/v1/apps/{app}/eval", post(console::eval))
        .route("/v1/apps/{app}/console", get(console::console))
        .route("/v1/apps/{app}/caddy", get(read::snippet))
        .route("/v1/session", get(session::whoami).post(session::login).delete(session::logout))
        .route("/v1/session/password", post(session::confirm))
        .route("/v1/session/link", post(session::first_login))
        .route("/v1/password", post(session::change_password))
        .route("/v1/sessions", get(session::sessions))
        .route("/v1/sessions/{id}", delete(session::end))
        .route("/v1/users", get(users::users).post(users::add))
        .route("/v1/users/{name}", patch(users::change).delete(users::remove))
        .route("/v1/tokens", get(tokens::tokens).post(tokens::add))
        .route("/v1/tokens/{id}", delete(tokens::remove))
        .route("/v1/links", post(users::link))
        .route("/v1/audit", get(audit::audit))
        .fallback(elsewhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(shared.clone(), door))
        .with_state(shared)
}

/// Beside the API: pages at the dashboard's address, nothing on the socket.
async fn elsewhere(
    way: Option<Extension<Way>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match way {
        Some(_) => pages::page(&method, &uri, &headers),
        None => pages::nothing(&uri),
    }
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
