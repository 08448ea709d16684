//! Which path is what: each handler says its own, and that is the API's description too.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::{
    Shared, build_log, change, console, deploy, environment, events, logs, migrations, openapi,
    read, source,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    Router::from(routes())
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(limit))
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
        .routes(routes!(read::snippet))
}

async fn nothing_here(uri: Uri) -> Failure {
    Failure(Problem::new(Code::NotFound, format!("There is nothing at {}.", uri.path())))
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
