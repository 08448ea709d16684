//! The dashboard's users, and the links by which they come in first.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use utoipa::IntoParams;
use vial_protocol::access::{AskLink, ChangeUser, MadeLink, NewUser, User};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, required};
use super::audit::Note;
use super::openapi::Refusals;
use super::peer::Peer;
use super::session::quietly;

/// Whom an operation is about.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "only described: the handlers read it")]
pub(super) struct ByName {
    /// The user's name.
    name: String,
}

/// Who may log in.
#[utoipa::path(
    get,
    path = "/v1/users",
    operation_id = "users",
    responses((status = 200, description = "By name", body = Vec<User>), Refusals)
)]
pub(super) async fn users(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Vec<User>>, Failure> {
    peer.operates()?;
    Ok(Json(shared.gate.users().await?))
}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/v1/users",
    operation_id = "add_user",
    request_body = NewUser,
    responses((status = 200, description = "It is made", body = User), Refusals)
)]
pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    bytes: Bytes,
) -> Result<Json<User>, Failure> {
    let actor = peer.operates()?;
    let user: NewUser = quietly(&bytes)?;
    note.detail(format!("{} as {}", user.name, user.role));
    Ok(Json(shared.gate.add_user(user, &actor.name).await?))
}

/// Changes a user, and ends their sessions.
#[utoipa::path(
    patch,
    path = "/v1/users/{name}",
    operation_id = "change_user",
    params(ByName),
    request_body = ChangeUser,
    responses((status = 200, description = "It is changed", body = User), Refusals)
)]
pub(super) async fn change(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Result<Json<User>, Failure> {
    peer.operates()?;
    let change: ChangeUser = quietly(&bytes)?;
    let role = change.role.map(|it| format!("role {it}"));
    let password = change.password.is_some().then(|| "another password".to_owned());
    let what: Vec<String> = role.into_iter().chain(password).collect();
    note.detail(format!("{name}: {}", what.join(", ")));
    Ok(Json(shared.gate.change_user(&name, change).await?))
}

/// Removes a user.
#[utoipa::path(
    delete,
    path = "/v1/users/{name}",
    operation_id = "remove_user",
    params(ByName),
    responses((status = 204, description = "It is gone"), Refusals)
)]
pub(super) async fn remove(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failure> {
    peer.operates()?;
    note.detail(&name);
    shared.gate.remove_user(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a first-login link.
#[utoipa::path(
    post,
    path = "/v1/links",
    operation_id = "add_link",
    request_body = AskLink,
    responses((status = 200, description = "It serves once", body = MadeLink), Refusals)
)]
pub(super) async fn link(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    bytes: Bytes,
) -> Result<Json<MadeLink>, Failure> {
    let actor = peer.operates()?;
    let asked: AskLink = required(&bytes)?;
    note.detail(format!("{} as {}", asked.name, asked.role));
    let Some(dashboard) = &shared.host.dashboard else {
        let message = "There is no dashboard on this host: nothing would answer such a link.";
        let next = format!(
            "add `listen` to `[dashboard]` in {}, then start the daemon again",
            shared.host.file.display()
        );
        return Err(Failure(Problem::new(Code::Configuration, message).next(next)));
    };
    let (token, expires_at) = shared.gate.add_link(asked, &actor.name).await?;
    Ok(Json(MadeLink { url: format!("{}/first#{token}", dashboard.url()), expires_at }))
}
