//! Between a WebSocket and a console: what a page or the command line sends, and the page's side of
//! a console that outlives it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use vial_protocol::console::ConsoleSaid;

use crate::console::{Page, Said, Typed};
use crate::slot::terminal::Size;

/// The longest message that is taken: pages paste in pieces.
const LONGEST: usize = 256 << 10;
/// Closes a page's WebSocket where another page took its console over.
const TAKEN_OVER: u16 = 4001;
/// How often a page is asked whether it is there. A browser answers by itself.
const PING: Duration = Duration::from_secs(20);
/// How many of those may stay without an answer: then the network lost it.
const MISSED: u32 = 3;
/// How long a console has to say that it ends with the session; then the page is closed anyway.
const LAST_WORD: Duration = Duration::from_millis(500);
/// No terminal is larger. What asks for more wants only memory.
const LARGEST: u16 = 2000;

/// What came from the other side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// It was typed.
    Keys(Bytes),
    /// The terminal there has another size.
    Resize(Size),
    /// Nothing that concerns the console.
    Nothing,
    /// The other side is gone.
    Gone,
}

#[derive(Deserialize)]
struct Frame {
    resize: Option<Window>,
}

#[derive(Deserialize)]
struct Window {
    rows: u16,
    cols: u16,
}

/// What a message says.
pub(super) fn received(message: Option<Result<Message, axum::Error>>) -> Received {
    match message {
        Some(Ok(Message::Binary(bytes))) => Received::Keys(bytes),
        Some(Ok(Message::Text(text))) => match serde_json::from_str(text.as_str()) {
            Ok(Frame { resize: Some(Window { rows, cols }) }) => {
                Received::Resize(size(Some(rows), Some(cols)))
            }
            _ => Received::Nothing,
        },
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Received::Nothing,
        Some(Ok(Message::Close(_)) | Err(_)) | None => Received::Gone,
    }
}

/// A terminal's size, as it was asked for within reason.
pub(super) fn size(rows: Option<u16>, columns: Option<u16>) -> Size {
    let within = |it: u16| it.clamp(1, LARGEST);
    Size { rows: within(rows.unwrap_or(24)), columns: within(columns.unwrap_or(80)) }
}

/// A console's WebSocket, with its messages kept small.
pub(super) fn small(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(LONGEST).max_frame_size(LONGEST)
}

/// Carries what is said and typed between a page and its console, until one of them ends or the
/// page's session does. Both ways go on by themselves: neither waits for the other.
pub(super) async fn bridge(socket: WebSocket, page: Page, ended: CancellationToken) {
    let (mut to, from) = socket.split();
    let heard = AtomicBool::new(true);
    let Page { said, typed, open: _open } = page;
    let over = async {
        ended.cancelled().await;
        tokio::time::sleep(LAST_WORD).await;
    };
    let last = tokio::select! {
        last = say(&mut to, said, &heard) => last,
        () = take(from, typed, &heard) => None,
        () = over => Some(close(close_code::POLICY, "the session has ended")),
    };
    if let Some(last) = last {
        let _ = tokio::time::timeout(LAST_WORD, to.send(last)).await;
    }
}

/// Tells the page what the console says; the message to close with, where the page is there.
async fn say(
    to: &mut SplitSink<WebSocket, Message>,
    mut said: mpsc::Receiver<Said>,
    heard: &AtomicBool,
) -> Option<Message> {
    let mut pings = tokio::time::interval(PING);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut missed = 0;
    loop {
        let message = tokio::select! {
            said = said.recv() => match said {
                Some(Said::Printed(bytes)) => Message::Binary(bytes),
                Some(Said::At(at)) => text(&ConsoleSaid::At(at))?,
                Some(Said::Ended(why)) => {
                    to.send(text(&ConsoleSaid::Ended { why })?).await.ok()?;
                    return Some(close(close_code::NORMAL, "ended"));
                }
                None => return Some(close(TAKEN_OVER, "taken over")),
            },
            _ = pings.tick() => {
                missed = if heard.swap(false, Ordering::Relaxed) { 0 } else { missed + 1 };
                if missed >= MISSED {
                    return None;
                }
                Message::Ping(Bytes::new())
            }
        };
        to.send(message).await.ok()?;
    }
}

/// Takes what the page sends, until it is gone.
async fn take(mut from: SplitStream<WebSocket>, typed: mpsc::Sender<Typed>, heard: &AtomicBool) {
    loop {
        let message = from.next().await;
        heard.store(true, Ordering::Relaxed);
        let typing = match received(message) {
            Received::Keys(keys) => Typed::Keys(keys),
            Received::Resize(size) => Typed::Resize(size),
            Received::Nothing => continue,
            Received::Gone => return,
        };
        if typed.send(typing).await.is_err() {
            // The console has more to say than it takes: why it ended, or that it was taken over.
            return std::future::pending().await;
        }
    }
}

fn text(said: &ConsoleSaid) -> Option<Message> {
    match serde_json::to_string(said) {
        Ok(text) => Some(Message::Text(text.into())),
        Err(error) => {
            tracing::error!(%error, "what a console says could not be written");
            None
        }
    }
}

fn close(code: u16, reason: &'static str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Received {
        received(Some(Ok(Message::Text(text.into()))))
    }

    #[test]
    fn a_size_is_kept_within_reason() {
        assert_eq!(
            text(r#"{"resize":{"rows":40,"cols":120}}"#),
            Received::Resize(Size { rows: 40, columns: 120 })
        );
        assert_eq!(
            text(r#"{"resize":{"rows":0,"cols":65535}}"#),
            Received::Resize(Size { rows: 1, columns: LARGEST })
        );
    }

    #[test]
    fn what_is_not_understood_does_nothing() {
        for wrong in ["", "{}", "[]", r#"{"resize":{"rows":-1,"cols":2}}"#, r#"{"resize":7}"#] {
            assert_eq!(text(wrong), Received::Nothing, "{wrong}");
        }
        assert_eq!(received(None), Received::Gone);
    }
}
