//! What runs in a release for a person: an expression, or a console on a terminal.
//!
//! The daemon runs it, as the app's user and with the node's own name and cookie: a caller needs
//! neither, and never sees them.

use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, Query};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use vial_protocol::request::{Evaluate, Evaluated};
use vial_protocol::{Code, Problem, Release, Slot, SlotState, SlotStatus};

use super::answer::{Failure, bad, required};
use super::bridge::{Received, received, size};
use super::caller::Caller;
use super::openapi::{OfApp, Refusals};
use super::peer::Peer;
use crate::app::handle::App;
use crate::app::helpers::Purpose;
use crate::app::programs::{self, Evaluation};
use crate::slot::Exit;
use crate::slot::terminal::Terminal as Screen;

/// How long whoever reads nothing is told that it has ended.
const LAST_WORD: Duration = Duration::from_secs(5);
/// How long an expression may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Evaluates an expression in the running release.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/rpc",
    operation_id = "rpc",
    params(OfApp),
    request_body = Evaluate,
    responses((status = 200, description = "What came of it", body = Evaluated), Refusals)
)]
pub(super) async fn rpc(caller: Caller, bytes: Bytes) -> Result<Json<Evaluated>, Failure> {
    evaluate(caller, &bytes, Evaluation::Rpc).await
}

/// Evaluates an expression in a process of its own.
#[utoipa::path(
    post,
    path = "/v1/apps/{app}/eval",
    operation_id = "eval",
    params(OfApp),
    request_body = Evaluate,
    responses((status = 200, description = "What came of it", body = Evaluated), Refusals)
)]
pub(super) async fn eval(caller: Caller, bytes: Bytes) -> Result<Json<Evaluated>, Failure> {
    evaluate(caller, &bytes, Evaluation::Eval).await
}

async fn evaluate(
    Caller { app, actor, .. }: Caller,
    bytes: &[u8],
    how: Evaluation,
) -> Result<Json<Evaluated>, Failure> {
    let asked: Evaluate = required(bytes)?;
    let (slot, release) = place(&app, asked.slot, how == Evaluation::Rpc)?;
    let (name, actor) = (app.name(), actor.name);
    tracing::info!(app = name, actor, slot = slot.as_str(), how = how.verb(), "evaluates");
    let purpose = match how {
        Evaluation::Rpc => Purpose::Rpc,
        Evaluation::Eval => Purpose::Eval,
    };
    let context = app.context();
    let done =
        programs::evaluate(&context, slot, release, how, &asked.expression, (purpose, LIMIT))
            .await?;
    Ok(Json(Evaluated {
        status: match done.exit {
            Exit::Status(status) => Some(status),
            _ => None,
        },
        output: done.output,
        truncated: done.truncated,
    }))
}

/// The slot to speak to and its release.
pub(super) fn place(
    app: &App,
    wanted: Option<Slot>,
    running: bool,
) -> Result<(Slot, u64), Problem> {
    let status = app.status();
    let Some(slot) = wanted.or(status.active) else {
        return Err(Problem::new(
            Code::NothingDeployed,
            format!("{} has no live release.", app.name()),
        )
        .next(format!("`vial deploy {} PATH`", app.name())));
    };
    let there = status.slot(slot);
    let release = there.and_then(|it| it.release.as_ref()).map(|it| it.number);
    let runs = there.is_some_and(|it| matches!(it.state, SlotState::Running | SlotState::Starting));
    if let Some(why) = there.filter(|_| running).and_then(|it| rests(app.name(), it)) {
        return Err(why);
    }
    match release {
        Some(release) if runs || !running => Ok((slot, release)),
        _ => Err(Problem::new(
            Code::NotRunning,
            format!("Nothing runs in the {slot} slot of {}.", app.name()),
        )
        .next(format!("`vial status {}` shows both slots", app.name()))),
    }
}

/// Why nothing speaks to a release that is frozen, or about to be: a frozen node answers nothing, and
/// whoever waits for it waits until it is thawed.
fn rests(app: &str, there: &SlotStatus) -> Option<Problem> {
    let how = match there.state {
        SlotState::Frozen => "is frozen: it answers nothing until it is thawed",
        SlotState::Resting => "comes to rest, to be frozen: it takes nothing new",
        _ => return None,
    };
    let release = there.release.as_ref().map_or_else(|| "The release".into(), Release::label);
    let message = format!("{release}, in the {} slot of {app}, {how}.", there.slot);
    let next = format!(
        "`vial standby {app} warm` lets it run without traffic, `vial logs {app} \
                        --slot {}` shows what it wrote",
        there.slot
    );
    Some(Problem::new(Code::NotRunning, message).next(next))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Terminal {
    /// The slot whose node it is on; the active one where absent.
    slot: Option<Slot>,
    /// A clean IEx on this retained release instead.
    release: Option<u64>,
    /// The height; 24 where absent.
    rows: Option<u16>,
    /// The width; 80 where absent.
    cols: Option<u16>,
    /// What the terminal is called; `xterm` where absent.
    term: Option<String>,
}

/// A console of the release, for the command line.
#[utoipa::path(
    get,
    path = "/v1/apps/{app}/console",
    operation_id = "console",
    params(OfApp, Terminal),
    responses(
        (
            status = 101,
            description = "A WebSocket: bytes of the terminal as binary messages",
        ),
        Refusals,
    )
)]
pub(super) async fn console(
    Extension(peer): Extension<Peer>,
    Caller { app, actor, .. }: Caller,
    asked: Result<Query<Terminal>, QueryRejection>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Failure> {
    let name = app.name().to_owned();
    let Query(asked) = asked.map_err(|error| bad(error.body_text()))?;
    let size = size(asked.rows, asked.cols);
    let term = asked.term.filter(|term| {
        term.len() <= 40
            && term.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.+".contains(&it))
    });
    let term = term.unwrap_or_else(|| "xterm".into());
    let context = app.context();
    let (console, on) = match asked.release {
        Some(number) => {
            let place = app.whereabouts(Some(number), None).await?;
            let on = format!("release #{}", place.release.number);
            (programs::clean_console(&context, &place, size, &term).await?, on)
        }
        None => {
            let (slot, _) = place(&app, asked.slot, true)?;
            (programs::console(&context, slot, size, &term).await?, slot.to_string())
        }
    };
    tracing::info!(app = name, actor = actor.name, on, "console opens");
    let over = peer.ended();
    Ok(upgrade.on_upgrade(async move |socket| {
        bridge(socket, console, over).await;
        tracing::info!(app = name, actor = actor.name, on, "console closes");
    }))
}

#[derive(Serialize)]
struct Said {
    exit: Ended,
}

#[derive(Serialize)]
struct Ended {
    status: Option<i32>,
}

/// Carries bytes between the caller and the terminal until one of them ends, or `over` says so.
async fn bridge(mut socket: WebSocket, console: programs::Console, over: CancellationToken) {
    let programs::Console { terminal, running } = console;
    tokio::select! {
        () = carry(&mut socket, terminal) => {}
        () = over.cancelled() => {}
    }
    let exit = running.end().await;
    let status = match exit {
        Exit::Status(status) => Some(status),
        _ => None,
    };
    if let Ok(text) = serde_json::to_string(&Said { exit: Ended { status } }) {
        // Whoever reads nothing any more learns it by the end of the connection.
        let _ = timeout(LAST_WORD, async {
            let _ = socket.send(Message::Text(text.into())).await;
            let _ = socket.send(Message::Close(None)).await;
        })
        .await;
    }
}

/// Hangs up at its end, so that what still runs on the terminal ends.
async fn carry(socket: &mut WebSocket, terminal: Screen) {
    let mut buffer = vec![0; 16 << 10];
    // Of what was typed, the rest that the terminal has no room for yet: it is read on meanwhile, or
    // a program that writes and the caller would wait for each other.
    let mut keys = Bytes::new();
    loop {
        tokio::select! {
            read = terminal.read(&mut buffer) => match read {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let bytes = Bytes::copy_from_slice(&buffer[..count]);
                    if socket.send(Message::Binary(bytes)).await.is_err() {
                        break;
                    }
                }
            },
            taken = terminal.write(&keys), if !keys.is_empty() => match taken {
                Ok(count) => keys = keys.slice(count..),
                Err(_) => break,
            },
            message = socket.recv(), if keys.is_empty() => match received(message) {
                Received::Keys(typed) => keys = typed,
                Received::Resize(size) => if terminal.resize(size).is_err() {
                    break;
                },
                Received::Nothing => {}
                Received::Gone => break,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn why(state: SlotState) -> Option<Problem> {
        let there = json!({
            "slot": "green",
            "state": state,
            "release": {
                "number": 5, "name": "shop", "version": "1.4.2", "sha256": "", "size": 1,
                "erts": null, "elixir": null, "migrations": [],
                "unpacked_at": "2026-03-01T03:00:00Z",
            },
            "port": 4001, "node": "shop_green@127.0.0.1", "pid": 41, "since": null, "restarts": 0,
            "health": null, "last_exit": null,
        });
        rests("shop", &serde_json::from_value(there).unwrap())
    }

    #[test]
    fn nothing_is_asked_of_a_release_that_is_frozen_or_about_to_be() {
        let frozen = why(SlotState::Frozen).unwrap();
        assert_eq!(frozen.code, Code::NotRunning);
        assert_eq!(
            frozen.message,
            "v1.4.2, in the green slot of shop, is frozen: it answers nothing until it is thawed."
        );
        assert!(frozen.next.unwrap().starts_with("`vial standby shop warm`"));
        assert!(why(SlotState::Resting).unwrap().message.contains("takes nothing new"));
    }

    #[test]
    fn a_release_that_runs_is_asked_and_what_does_not_run_is_refused_elsewhere() {
        for state in [SlotState::Running, SlotState::Starting, SlotState::Stopped] {
            assert!(why(state).is_none(), "{state:?}");
        }
    }
}
