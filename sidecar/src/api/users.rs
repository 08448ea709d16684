//! The dashboard's users, and the links by which they come in first.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use vial_protocol::access::{AskLink, ChangeUser, MadeLink, NewUser, User};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, required};
use super::audit::Note;
use super::peer::Peer;
use super::session::quietly;

pub(super) async fn users(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Vec<User>>, Failure> {
    peer.operates()?;
    Ok(Json(shared.gate.users().await?))
}

pub(super) async fn add(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    bytes: Bytes,
) -> Result<StatusCode, Failure> {
    let actor = peer.operates()?;
    let user: NewUser = quietly(&bytes)?;
    note.detail(format!("{} as {}", user.name, user.role));
    shared.gate.add_user(user, &actor.name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn change(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Path(name): Path<String>,
    bytes: Bytes,
) -> Result<StatusCode, Failure> {
    peer.operates()?;
    let change: ChangeUser = quietly(&bytes)?;
    let role = change.role.map(|it| format!("role {it}"));
    let password = change.password.is_some().then(|| "another password".to_owned());
    let what: Vec<String> = role.into_iter().chain(password).collect();
    note.detail(format!("{name}: {}", what.join(", ")));
    shared.gate.change_user(&name, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

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
