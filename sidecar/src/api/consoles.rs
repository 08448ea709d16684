//! Consoles in the browser.
//!
//! They outlive the page that opened them for a minute: see [`crate::console`]. Those of the command
//! line are in [`super::console`].

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use vial_protocol::console::{Console, OpenConsole};
use vial_protocol::{Code, Problem, Slot};

use super::Shared;
use super::answer::{Failure, bad, body};
use super::audit::Note;
use super::bridge;
use super::caller::Caller;
use super::console::place;
use super::openapi::{ById, OfApp, Refusals};
use super::peer::Peer;
use crate::app::handle::App;
use crate::app::programs;
use crate::console::{Limits, Parts};
use crate::gate::Guest;
use crate::slot::terminal::Size;
use crate::store::audit::Entry;

/// What the browser's terminal is.
const TERM: &str = "xterm-256color";

/// Opens a console.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/consoles",
    operation_id = "open_console",
    params(OfApp),
    request_body = OpenConsole,
    responses((status = 200, description = "It is open", body = Console), Refusals)
)]
pub(super) async fn open_console(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Extension(note): Extension<Note>,
    Caller { app, actor, .. }: Caller,
    bytes: Bytes,
) -> Result<Json<Console>, Failure> {
    let asked: OpenConsole = body(&bytes)?;
    let guest = from_a_browser(&peer)?;
    let owner = peer.identity();
    // Before anything is started: what there is no place for costs nothing.
    let reserved = shared.consoles.place(&owner)?;
    let size = bridge::size(asked.rows, asked.cols);
    let (on, opened) = start(&app, &asked, size).await?;
    let limits = Limits::USUAL;
    let console = Console {
        id: reserved.id().to_owned(),
        app: app.name().to_owned(),
        slot: on.slot,
        release: on.release,
        label: on.label,
        node: on.node,
        user: actor.name.clone(),
        opened_at: Timestamp::now(),
        kept_ms: millis(limits.kept),
        idle_ms: millis(limits.idle),
    };
    let what = described(&console);
    note.detail(&what);
    tracing::info!(app = console.app, actor = actor.name, console = what, "console opens");
    let entry = Entry {
        actor: actor.name,
        by: Some(guest.by),
        from: Some(guest.address.to_string()),
        action: "console_ended".to_owned(),
        app: Some(console.app.clone()),
        detail: None,
        outcome: "ok".to_owned(),
    };
    let trail = shared.audit.clone();
    let running = opened.running;
    let parts = Parts {
        terminal: opened.terminal,
        end: Box::new(move || running.end().boxed()),
        gone: match on.slot {
            Some(slot) => gone(app, slot, on.pid).boxed(),
            None => std::future::pending().boxed(),
        },
        session: peer.ended(),
        ended: Box::new(move |why| {
            async move {
                tracing::info!(
                    app = entry.app,
                    actor = entry.actor,
                    console = what,
                    why,
                    "console closes"
                );
                trail.write(Entry { detail: Some(format!("{what}: {why}")), ..entry }).await;
            }
            .boxed()
        }),
        limits,
    };
    reserved.open(console.clone(), parts);
    Ok(Json(console))
}

/// Consoles of the command line end with their connection, and are opened otherwise.
fn from_a_browser(peer: &Peer) -> Result<Guest, Problem> {
    peer.guest().cloned().ok_or_else(|| {
        Problem::new(Code::Forbidden, "Consoles like this one are for browsers.")
            .next("`vial console`")
    })
}

/// A console as the log and the audit log name it.
fn described(console: &Console) -> String {
    let Console { id, label, .. } = console;
    let place = match console.slot {
        Some(slot) => format!("the {slot} slot"),
        None => "a node of its own".to_owned(),
    };
    format!("{id} on {label} in {place}")
}

/// What a console is on.
struct On {
    slot: Option<Slot>,
    pid: Option<u32>,
    release: u64,
    label: String,
    node: Option<String>,
}

async fn start(
    app: &App,
    asked: &OpenConsole,
    size: Size,
) -> Result<(On, programs::Console), Failure> {
    let context = app.context();
    if let Some(number) = asked.release {
        if asked.slot.is_some() {
            return Err(bad(
                "A console is on a slot, or a clean one on a release: name one of them.",
            ));
        }
        let there = app.whereabouts(Some(number), None).await?;
        let opened = programs::clean_console(&context, &there, size, TERM).await?;
        let (release, label) = (there.release.number, there.label);
        return Ok((On { slot: None, pid: None, release, label, node: None }, opened));
    }
    let (slot, release) = place(app, asked.slot, true)?;
    let status = app.status();
    let there = status.slot(slot);
    let on = On {
        slot: Some(slot),
        pid: there.and_then(|it| it.pid),
        release,
        label: there.and_then(|it| it.release.as_ref()).map(|it| it.label()).unwrap_or_default(),
        node: there.map(|it| it.node.clone()),
    };
    Ok((on, programs::console(&context, slot, size, TERM).await?))
}

/// Waits until a slot has another process than the one that a console is on, and says so.
async fn gone(app: App, slot: Slot, pid: Option<u32>) -> String {
    let mut status = app.subscribe();
    loop {
        let now = status.borrow_and_update().clone();
        if let Some(there) = now.slot(slot).filter(|it| it.pid != pid) {
            let how = there.last_exit.as_ref().map(|it| format!(" It {it}.")).unwrap_or_default();
            return format!("The node that it was on, in the {slot} slot, has stopped.{how}");
        }
        if status.changed().await.is_err() {
            // The app is given up; its slots run on.
            return std::future::pending().await;
        }
    }
}

/// The consoles that are open.
#[utoipa::path(
    get,
    path = "/v1/consoles",
    operation_id = "consoles",
    responses((status = 200, description = "The caller's own", body = Vec<Console>), Refusals)
)]
pub(super) async fn consoles(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
) -> Json<Vec<Console>> {
    Json(shared.consoles.of(&peer.identity()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Attach {
    /// How much of what was printed the page has; nothing where absent.
    cursor: Option<u64>,
}

/// Shows a console on a page.
#[utoipa::path(
    get,
    path = "/v1/consoles/{id}",
    operation_id = "attach_console",
    params(ById, Attach),
    responses(
        (
            status = 101,
            description = "A WebSocket: bytes of the terminal as binary messages, ConsoleSaid as text",
        ),
        Refusals,
    )
)]
pub(super) async fn attach_console(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
    attach: Result<Query<Attach>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let Query(Attach { cursor }) = attach.map_err(|error| bad(error.body_text()))?;
    let page = shared.consoles.attach(&id, &peer.identity(), cursor).await?;
    let ended = peer.ended();
    Ok(bridge::small(upgrade).on_upgrade(move |socket| bridge::bridge(socket, page, ended)))
}

/// Ends a console.
#[utoipa::path(
    delete,
    path = "/v1/consoles/{id}",
    operation_id = "end_console",
    params(ById),
    responses((status = 204, description = "It has ended"), Refusals)
)]
pub(super) async fn end_console(
    State(shared): State<Shared>,
    Extension(peer): Extension<Peer>,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    let why = "It was ended by its user.".to_owned();
    shared.consoles.end(&id, &peer.identity(), why).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
