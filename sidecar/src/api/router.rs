//! Which path is what: each handler says its own, and that is the API's description too.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::{delete, get, patch, post};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::door::door;
use super::{
    Shared, audit, build_log, change, console, consoles, deploy, environment, events, logs,
    migrations, openapi, pages, read, session, source, stream, tokens, users,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    Router::from(routes())
        .route("/v1/apps/{app}/env/values", get(environment::reveal))
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
        .fallback(pages::elsewhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(shared.clone(), door))
        .with_state(shared)
}

/// Every operation, with its description.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(openapi::openapi))
        .routes(routes!(read::status))
        .routes(routes!(change::reload))
        .routes(routes!(change::down))
        .routes(routes!(change::up))
        .routes(routes!(events::events))
        .routes(routes!(stream::stream))
        .routes(routes!(stream::topics))
        .routes(routes!(read::app))
        .routes(routes!(read::deployments, deploy::deploy))
        .routes(routes!(read::deployment))
        .routes(routes!(build_log::build_log))
        .routes(routes!(change::build))
        .routes(routes!(source::switch))
        .routes(routes!(source::secret))
        .routes(routes!(source::repository))
        .routes(routes!(read::plan, change::rollback))
        .routes(routes!(migrations::report, migrations::migrate))
        .routes(routes!(environment::show, environment::set, environment::unset))
        .routes(routes!(change::restart))
        .routes(routes!(change::cancel))
        .routes(routes!(change::stop))
        .routes(routes!(change::start))
        .routes(routes!(logs::logs))
        .routes(routes!(console::rpc))
        .routes(routes!(console::eval))
        .routes(routes!(console::console))
        .routes(routes!(consoles::open_console))
        .routes(routes!(consoles::consoles))
        .routes(routes!(consoles::attach_console, consoles::end_console))
        .routes(routes!(read::snippet))
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
