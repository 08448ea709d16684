//! Which path is what: each handler says its own, and that is the API's description too.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Method, Uri};
use axum::middleware;
use axum::routing::MethodRouter;
use utoipa::Path as _;
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vial_protocol::{Code, Problem};

use super::answer::Failure;
use super::door::door;
use super::{
    Shared, audit, build_log, change, console, consoles, deploy, environment, events, logs,
    metrics, migrations, openapi, pages, read, rest, search, session, settings, source, stream,
    tokens, users,
};

pub(super) fn router(shared: Shared) -> Router {
    let limit = usize::try_from(shared.host.limits.request_bytes).unwrap_or(usize::MAX);
    served()
        .fallback(pages::elsewhere)
        .method_not_allowed_fallback(not_so)
        .layer(DefaultBodyLimit::max(limit))
        .layer(middleware::from_fn_with_state(shared.clone(), door))
        .with_state(shared)
}

/// Every operation, those of one path together, as a list for another macro.
macro_rules! operations {
    ($with:ident) => {
        $with! {
            [openapi::openapi]
            [read::status]
            [change::reload]
            [change::down]
            [change::up]
            [events::events]
            [stream::stream]
            [stream::topics]
            [read::app]
            [settings::settings]
            [metrics::metrics]
            [read::deployments, deploy::deploy]
            [read::deployment]
            [build_log::build_log]
            [change::build]
            [source::switch]
            [source::secret]
            [source::repository]
            [read::plan, change::rollback]
            [migrations::report, migrations::migrate]
            [environment::show, environment::set, environment::unset]
            [change::restart]
            [change::cancel]
            [change::stop]
            [change::start]
            [change::standby]
            [rest::rest]
            [logs::logs]
            [search::search_logs]
            [search::log_text]
            [console::rpc]
            [console::eval]
            [console::console]
            [consoles::open_console]
            [consoles::consoles]
            [consoles::attach_console, consoles::end_console]
            [read::snippet]
            [environment::reveal]
            [session::whoami, session::login, session::logout]
            [session::confirm]
            [session::first_login]
            [session::change_password]
            [session::sessions]
            [session::end]
            [users::users, users::add]
            [users::change, users::remove]
            [users::link]
            [tokens::tokens, tokens::add]
            [tokens::remove]
            [audit::audit]
        }
    };
}

/// What answers them. The descriptions stay unread: all of them at once take megabytes, and the daemon
/// serves the document that it was built with.
fn served() -> Router<Shared> {
    macro_rules! serve {
        ($([$($module:ident::$handler:ident),+])*) => {
            pastey::paste! {
                Router::new()$($(.route(
                    &$module::[<__path_ $handler>]::path(),
                    $module::[<__path_ $handler>]::methods().iter().fold(
                        MethodRouter::new(),
                        |router, method| router.on(method.to_method_filter(), $module::$handler),
                    ),
                ))+)*
            }
        };
    }
    operations!(serve)
}

/// The same with their descriptions.
pub(super) fn described() -> OpenApiRouter<Shared> {
    macro_rules! describe {
        ($([$($module:ident::$handler:ident),+])*) => {
            OpenApiRouter::default()$(.routes(routes!($($module::$handler),+)))*
        };
    }
    operations!(describe)
}

async fn not_so(method: Method, uri: Uri) -> Failure {
    Failure(Problem::new(Code::BadRequest, format!("{method} is not answered at {}.", uri.path())))
}
