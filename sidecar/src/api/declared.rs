//! Operations that are described before they are answered: the pages' types are made of them. Each
//! leaves this file for its handler; what a handler describes is not taken from here.

#![expect(dead_code, reason = "described, and answered elsewhere once it is")]

use jiff::Timestamp;
use utoipa::{IntoParams, OpenApi};
use vial_protocol::Slot;
use vial_protocol::access::{
    AskLink, AskToken, ChangeUser, FirstLogin, Login, MadeLink, NewToken, NewUser, Password,
    Session, Token, User, Whoami,
};
use vial_protocol::audit::Audit;
use vial_protocol::live::Metrics;
use vial_protocol::settings::Settings;
use vial_protocol::{Environment, LogChunk};

use super::openapi::{ById, OfApp, Refusals};

#[derive(OpenApi)]
#[openapi(paths(
    metrics,
    settings,
    search_logs,
    log_text,
    reveal,
    login,
    whoami,
    logout,
    confirm,
    first_login,
    change_password,
    sessions,
    end_session,
    users,
    add_user,
    change_user,
    remove_user,
    tokens,
    add_token,
    remove_token,
    add_link,
    audit
))]
pub(super) struct Declared;

#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
struct ByName {
    /// The user's name.
    name: String,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct Rows {
    /// Only rows about this app.
    app: Option<String>,
    /// Only rows before this one.
    before: Option<u64>,
    /// How many: 50 where absent, at most 1,000.
    limit: Option<usize>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct Sought {
    /// Which slot; the active one where absent.
    slot: Option<Slot>,
    /// What a line has to hold, in whatever case.
    text: Option<String>,
    /// How grave a line has to be at least: `debug`, `info`, `warning` or `error`.
    level: Option<String>,
    /// Only lines before this cursor: that of the page before.
    before: Option<u64>,
    /// Only lines since this time.
    since: Option<Timestamp>,
    /// Only lines until this time.
    until: Option<Timestamp>,
    /// How many lines: 200 where absent, at most 1,000.
    limit: Option<usize>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct Span {
    /// Which slot; the active one where absent.
    slot: Option<Slot>,
    /// Only lines since this time.
    since: Option<Timestamp>,
    /// Only lines until this time.
    until: Option<Timestamp>,
}

/// What an app's slots used lately.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/metrics",
    operation_id = "metrics",
    params(OfApp),
    responses((status = 200, description = "Of the last ten minutes", body = Metrics), Refusals)
)]
fn metrics() {}

/// The configuration of an app.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/settings",
    operation_id = "settings",
    params(OfApp),
    responses((status = 200, description = "As the daemon has read it", body = Settings), Refusals)
)]
fn settings() {}

/// Searches a slot's log, from its end.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs/search",
    operation_id = "search_logs",
    params(OfApp, Sought),
    responses((status = 200, description = "Lines that match, oldest first; `cursor` is the `before` of the next page", body = LogChunk), Refusals)
)]
fn search_logs() {}

/// A slot's log as a file.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/logs/text",
    operation_id = "log_text",
    params(OfApp, Span),
    responses((status = 200, description = "Lines", body = String, content_type = "text/plain"), Refusals)
)]
fn log_text() {}

/// The variables that releases start with, and their values.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/env/values",
    operation_id = "reveal",
    params(OfApp),
    responses((status = 200, description = "With values", body = Environment), Refusals)
)]
fn reveal() {}

/// Logs in.
#[utoipa::path(
    post,
    path = "/v1/session",
    operation_id = "login",
    request_body = Login,
    responses((status = 200, description = "Who it is; the cookie is set", body = Whoami), Refusals),
    security(())
)]
fn login() {}

/// Who asks, and what they may do.
#[utoipa::path(
    get,
    path = "/v1/session",
    operation_id = "whoami",
    responses((status = 200, description = "Who it is", body = Whoami), Refusals)
)]
fn whoami() {}

/// Logs out.
#[utoipa::path(
    delete,
    path = "/v1/session",
    operation_id = "logout",
    responses((status = 204, description = "The session has ended"), Refusals)
)]
fn logout() {}

/// Gives the password once more, for what needs it fresh.
#[utoipa::path(
    post,
    path = "/v1/session/password",
    operation_id = "confirm",
    request_body = Password,
    responses((status = 200, description = "The password counts as fresh", body = Whoami), Refusals)
)]
fn confirm() {}

/// Logs in by a link that serves once.
#[utoipa::path(
    post,
    path = "/v1/session/link",
    operation_id = "first_login",
    request_body = FirstLogin,
    responses((status = 200, description = "Who it is; the cookie is set", body = Whoami), Refusals),
    security(())
)]
fn first_login() {}

/// Changes one's own password.
#[utoipa::path(
    post,
    path = "/v1/password",
    operation_id = "change_password",
    request_body = Password,
    responses((status = 204, description = "It is changed"), Refusals)
)]
fn change_password() {}

/// Sessions: one's own, or everybody's for an admin.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "sessions",
    responses((status = 200, description = "Newest first", body = Vec<Session>), Refusals)
)]
fn sessions() {}

/// Ends a session with its streams and consoles.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    operation_id = "end_session",
    params(ById),
    responses((status = 204, description = "It has ended"), Refusals)
)]
fn end_session() {}

/// Who may log in.
#[utoipa::path(
    get,
    path = "/v1/users",
    operation_id = "users",
    responses((status = 200, description = "By name", body = Vec<User>), Refusals)
)]
fn users() {}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/v1/users",
    operation_id = "add_user",
    request_body = NewUser,
    responses((status = 200, description = "It is made", body = User), Refusals)
)]
fn add_user() {}

/// Changes a user, and ends their sessions.
#[utoipa::path(
    patch,
    path = "/v1/users/{name}",
    operation_id = "change_user",
    params(ByName),
    request_body = ChangeUser,
    responses((status = 200, description = "It is changed", body = User), Refusals)
)]
fn change_user() {}

/// Removes a user.
#[utoipa::path(
    delete,
    path = "/v1/users/{name}",
    operation_id = "remove_user",
    params(ByName),
    responses((status = 204, description = "It is gone"), Refusals)
)]
fn remove_user() {}

/// API tokens.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    operation_id = "tokens",
    responses((status = 200, description = "Newest first", body = Vec<Token>), Refusals)
)]
fn tokens() {}

/// Makes an API token.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    operation_id = "add_token",
    request_body = AskToken,
    responses((status = 200, description = "It is made, and shown this once", body = NewToken), Refusals)
)]
fn add_token() {}

/// Removes an API token.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{id}",
    operation_id = "remove_token",
    params(ById),
    responses((status = 204, description = "It is refused from now on"), Refusals)
)]
fn remove_token() {}

/// Makes a first-login link.
#[utoipa::path(
    post,
    path = "/v1/links",
    operation_id = "add_link",
    request_body = AskLink,
    responses((status = 200, description = "It serves once", body = MadeLink), Refusals)
)]
fn add_link() {}

/// Who did what.
#[utoipa::path(
    get,
    path = "/v1/audit",
    operation_id = "audit",
    params(Rows),
    responses((status = 200, description = "Newest first", body = Vec<Audit>), Refusals)
)]
fn audit() {}
