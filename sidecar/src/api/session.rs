//! Logging in and out, and the sessions that there are.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use vial_protocol::access::{FirstLogin, Known, Login, Password, Role, Session, Whoami};
use vial_protocol::{Code, Problem};

use super::Shared;
use super::answer::{Failure, bad, too_soon};
use super::audit::Note;
use super::cookie;
use super::openapi::{ById, Refusals};
use super::peer::Peer;
use super::way::Way;
use crate::gate::{Denied, Guest, LoggedIn, LoginFrom};

/// A request's body that holds a password. What serde says of a wrong one may quote it.
pub(super) fn quietly<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        bad(format!(
            "The request's body is not what is expected here: look at line {}, column {}.",
            error.line(),
            error.column()
        ))
    })
}

/// Logs in.
#[utoipa::path(
    post,
    path = "/v1/session",
    operation_id = "login",
    request_body = Login,
    responses(
        (
            status = 200,
            description = "Who it is; the cookie is set",
            body = Whoami,
        ),
        Refusals,
    ),
    security(())
)]
pub(super) async fn login(
    State(shared): State<Shared>,
    Extension(way): Extension<Way>,
    Extension(note): Extension<Note>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let logged_in = async {
        let Login { name, password } = quietly(&bytes)?;
        note.actor(&name);
        attempt(&shared, &note, Some(&name), &way)?;
        let from = from(&way, &headers);
        Ok(shared.gate.log_in(&name, password, from).await?)
    };
    entered(logged_in.await, &way, &note)
}

/// Logs in by a link that serves once.
#[utoipa::path(
    post,
    path = "/v1/session/link",
    operation_id = "first_login",
    request_body = FirstLogin,
    responses(
        (
            status = 200,
            description = "Who it is; the cookie is set",
            body = Whoami,
        ),
        Refusals,
    ),
    security(())
)]
pub(super) async fn first_login(
    State(shared): State<Shared>,
    Extension(way): Extension<Way>,
    Extension(note): Extension<Note>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Response {
    let logged_in = async {
        let FirstLogin { token, password } = quietly(&bytes)?;
        attempt(&shared, &note, None, &way)?;
        let from = from(&way, &headers);
        Ok(shared.gate.first_login(&token, password, from).await?)
    };
    entered(logged_in.await, &way, &note)
}

/// Who asks, and what they may do.
#[utoipa::path(
    get,
    path = "/v1/session",
    operation_id = "whoami",
    responses((status = 200, description = "Who it is", body = Whoami), Refusals)
)]
pub(super) async fn whoami(Extension(peer): Extension<Peer>) -> Json<Whoami> {
    Json(match peer.guest() {
        Some(guest) => of_guest(guest),
        None => Whoami {
            name: peer.name().to_owned(),
            role: if peer.operates().is_ok() { Role::Admin } else { Role::Viewer },
            by: Known::Socket,
            session: None,
            expires_at: None,
            fresh_until: None,
        },
    })
}

/// Logs out.
#[utoipa::path(
    delete,
    path = "/v1/session",
    operation_id = "logout",
    responses((status = 204, description = "The session has ended"), Refusals)
)]
pub(super) async fn logout(
    State(shared): State<Shared>,
    Extension(way): Extension<Way>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Failure> {
    let guest = session(&peer)?;
    let ended = shared.gate.end_session(&guest.id, Some(guest.name.clone())).await;
    match ended {
        // Another tab was quicker.
        Ok(_) | Err(Denied::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    if let Some(cookie) = cookie::clear(way.secure) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Gives the password once more, for what needs it fresh.
#[utoipa::path(
    post,
    path = "/v1/session/password",
    operation_id = "confirm",
    request_body = Password,
    responses((status = 200, description = "The password counts as fresh", body = Whoami), Refusals)
)]
pub(super) async fn confirm(
    State(shared): State<Shared>,
    Extension(way): Extension<Way>,
    Extension(note): Extension<Note>,
    Extension(peer): Extension<Peer>,
    bytes: Bytes,
) -> Response {
    let confirmed = async {
        let guest = session(&peer)?;
        let Password { password } = quietly(&bytes)?;
        attempt(&shared, &note, Some(&guest.name), &way)?;
        let until = shared.gate.confirm(guest, password).await?;
        Ok(Whoami { fresh_until: Some(until), ..of_guest(guest) })
    };
    told(confirmed.await.map(Json), &note)
}

/// Changes one's own password.
#[utoipa::path(
    post,
    path = "/v1/password",
    operation_id = "change_password",
    request_body = Password,
    responses((status = 204, description = "It is changed"), Refusals)
)]
pub(super) async fn change_password(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    bytes: Bytes,
) -> Result<StatusCode, Failure> {
    let guest = session(&peer)?;
    let Password { password } = quietly(&bytes)?;
    shared.gate.change_password(guest, password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sessions: one's own, or everybody's for an admin.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "sessions",
    responses((status = 200, description = "Used last first", body = Vec<Session>), Refusals)
)]
pub(super) async fn sessions(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Result<Json<Vec<Session>>, Failure> {
    let current = peer.guest().map(|it| it.id.as_str());
    Ok(Json(shared.gate.sessions(own(&peer)?, current).await?))
}

/// Ends a session with its streams and consoles.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}",
    operation_id = "end_session",
    params(ById),
    responses((status = 204, description = "It has ended"), Refusals)
)]
pub(super) async fn end(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let whose = shared.gate.end_session(&id, own(&peer)?).await?;
    note.detail(format!("of {whose}"));
    Ok(StatusCode::NO_CONTENT)
}

/// Whose sessions alone somebody sees: their own, unless they may see all.
fn own(peer: &Peer) -> Result<Option<String>, Failure> {
    match peer.guest() {
        _ if peer.operates().is_ok() => Ok(None),
        Some(guest) if guest.by == Known::Session => Ok(Some(guest.name.clone())),
        // A token has none; it is not the user whose name it may have.
        _ => Ok(Some(String::new())),
    }
}

fn session(peer: &Peer) -> Result<&Guest, Failure> {
    peer.guest().filter(|it| it.by == Known::Session).ok_or_else(|| {
        let message = "This is for a person who has logged in.";
        Failure(Problem::new(Code::Forbidden, message).next("log in to the dashboard"))
    })
}

fn of_guest(guest: &Guest) -> Whoami {
    Whoami {
        name: guest.name.clone(),
        role: guest.role,
        by: guest.by,
        session: (guest.by == Known::Session).then(|| guest.id.clone()),
        expires_at: Some(guest.expires_at),
        fresh_until: guest.fresh_until,
    }
}

fn from(way: &Way, headers: &HeaderMap) -> LoginFrom {
    let agent = headers.get(header::USER_AGENT).and_then(|it| it.to_str().ok());
    LoginFrom { address: way.address, agent: agent.unwrap_or_default().to_owned() }
}

/// Counts an attempt. One that comes too soon has no row: they would fill the log.
fn attempt(shared: &Shared, note: &Note, name: Option<&str>, way: &Way) -> Result<(), Denied> {
    let attempt = shared.gate.attempt(name, way.address);
    if attempt.is_err() {
        note.silent();
    }
    attempt
}

/// The answer to a login, with its cookie.
fn entered(logged_in: Result<LoggedIn, Refused>, way: &Way, note: &Note) -> Response {
    let answer = logged_in.map(|it| {
        note.actor(&it.name);
        let cookie = cookie::set(&it.cookie, way.secure);
        let whoami = Whoami {
            name: it.name,
            role: it.role,
            by: Known::Session,
            session: Some(it.id),
            expires_at: Some(it.expires_at),
            fresh_until: None,
        };
        let mut response = Json(whoami).into_response();
        if let Some(cookie) = cookie {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    });
    told(answer, note)
}

/// Why something with a password was refused, and how long to wait where it came too soon.
enum Refused {
    Failed(Failure),
    TooSoon(std::time::Duration),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused::Failed(failure)
    }
}

impl From<Denied> for Refused {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::TooSoon(wait) => Refused::TooSoon(wait),
            denied => Refused::Failed(denied.into()),
        }
    }
}

fn told(answer: Result<impl IntoResponse, Refused>, note: &Note) -> Response {
    match answer {
        Ok(answer) => answer.into_response(),
        Err(Refused::Failed(failure)) => failure.into_response(),
        Err(Refused::TooSoon(wait)) => {
            note.silent();
            let mut response = Failure(too_soon(wait)).into_response();
            let seconds = HeaderValue::from(wait.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
            response
        }
    }
}
