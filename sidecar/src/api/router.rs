//! Which path is what: each handler says its own, and that is the API's description too.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::door::door;
use super::{
    Shared, audit, build_log, change, console, consoles, deploy, environment, events, logs,
    metrics, migrations, openapi, pages, read, search, session, settings, source, stream, tokens,
    users,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    Router::from(routes())
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
        .routes(routes!(settings::settings))
        .routes(routes!(metrics::metrics))
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
        .routes(routes!(search::search_logs))
        .routes(routes!(search::log_text))
        .routes(routes!(console::rpc))
        .routes(routes!(console::eval))
        .routes(routes!(console::console))
        .routes(routes!(consoles::open_console))
        .routes(routes!(consoles::consoles))
        .routes(routes!(consoles::attach_console, consoles::end_console))
        .routes(routes!(read::snippet))
        .routes(routes!(environment::reveal))
        .routes(routes!(session::whoami, session::login, session::logout))
        .routes(routes!(session::confirm))
        .routes(routes!(session::first_login))
        .routes(routes!(session::change_password))
        .routes(routes!(session::sessions))
        .routes(routes!(session::end))
        .routes(routes!(users::users, users::add))
        .routes(routes!(users::change, users::remove))
        .routes(routes!(users::link))
        .routes(routes!(tokens::tokens, tokens::add))
        .routes(routes!(tokens::remove))
        .routes(routes!(audit::audit))
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
