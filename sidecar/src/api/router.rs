//! Which path is what.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::routing::{get, post, put};
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::{
    Shared, build_log, change, console, consoles, deploy, environment, events, logs, migrations,
    read, source, stream,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    Router::new()
        .route("/v1/status", get(read::status))
        .route("/v1/reload", post(change::reload))
        .route("/v1/down", post(change::down))
        .route("/v1/up", post(change::up))
        .route("/v1/events", get(events::events))
        .route("/v1/stream", get(stream::stream))
        .route("/v1/streams/{id}", put(stream::topics))
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
        .route("/v1/apps/{app}/restart", post(change::restart))
        .route("/v1/apps/{app}/cancel", post(change::cancel))
        .route("/v1/apps/{app}/stop", post(change::stop))
        .route("/v1/apps/{app}/start", post(change::start))
        .route("/v1/apps/{app}/logs", get(logs::logs))
        .route("/v1/apps/{app}/rpc", post(console::rpc))
        .route("/v1/apps/{app}/eval", post(console::eval))
        .route("/v1/apps/{app}/console", get(console::console))
        .route("/v1/apps/{app}/consoles", post(consoles::open_console))
        .route("/v1/consoles", get(consoles::consoles))
        .route("/v1/consoles/{id}", get(consoles::attach_console).delete(consoles::end_console))
        .route("/v1/apps/{app}/caddy", get(read::snippet))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(limit))
        .with_state(shared)
}

async fn nothing_here(uri: Uri) -> Failure {
    Failure(Problem::new(Code::NotFound, format!("There is nothing at {}.", uri.path())))
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
