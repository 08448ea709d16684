//! WebSockets that stay open, and say how and when they were ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::context::Context;
use crate::exchange::Origin;
use crate::loss::Loss;
use crate::schedule::Schedule;

const REOPEN_AFTER: Duration = Duration::from_millis(100);
/// What a polite goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// One WebSocket, and, with `reopen`, the ones that come after it.
pub async fn run(
    context: Arc<Context>,
    index: u32,
    mut schedule: Schedule,
    open_after: Duration,
    reopen: bool,
) {
    let mut wait = open_after;
    let mut number = 0;
    loop {
        tokio::select! {
            () = context.stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        match timeout(context.timeout, open(&context)).await {
            Ok(Ok((stream, origin))) => {
                context.tally.websockets(|report| {
                    report.opened += 1;
                    report.alive += 1;
                });
                let mut socket = Socket {
                    context: &context,
                    stream,
                    origin,
                    awaited: VecDeque::new(),
                    name: index,
                };
                socket.talk(&mut schedule, &mut number).await;
                socket.count_lost();
            }
            Ok(Err(what)) => not_opened(&context, what),
            Err(_) => not_opened(&context, Loss::TimedOut(context.timeout).to_string()),
        }
        if !reopen {
            return;
        }
        wait = REOPEN_AFTER;
    }
}

fn not_opened(context: &Context, what: String) {
    context.tally.websocket_failure(format!("WebSocket not opened: {what}"), None);
    context.tally.websockets(|report| report.failed += 1);
}

async fn open(context: &Context) -> Result<(WebSocketStream<TcpStream>, Origin), String> {
    let target = &context.target;
    let stream = TcpStream::connect(target.address)
        .await
        .map_err(|error| Loss::connecting(error).to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let request = format!("ws://{}/ws", target.host)
        .into_client_request()
        .map_err(|error| error.to_string())?;
    let (stream, response) =
        client_async(request, stream).await.map_err(|error| what_ended(&error))?;
    Ok((stream, Origin::of(response.headers())))
}

struct Socket<'a> {
    context: &'a Context,
    stream: WebSocketStream<TcpStream>,
    origin: Origin,
    /// Messages whose echo has not come, oldest first, and until when each may take.
    awaited: VecDeque<(String, Instant)>,
    name: u32,
}

impl Socket<'_> {
    /// Sends and checks until either side ends it, and counts how that was.
    async fn talk(&mut self, schedule: &mut Schedule, number: &mut u64) {
        loop {
            let overdue = self.awaited.front().map(|(_, until)| *until);
            tokio::select! {
                biased;
                received = self.stream.next() => {
                    if self.take(received).await.is_break() {
                        return;
                    }
                }
                () = sleep_until(overdue.unwrap_or_else(Instant::now)), if overdue.is_some() => {
                    let reason = format!("no echo within {:?}", self.context.timeout);
                    self.context.tally.dropped(None, reason, &self.origin, self.awaited.len());
                    return;
                }
                due = schedule.due() => {
                    if due.is_none() {
                        return self.say_goodbye().await;
                    }
                    *number += 1;
                    let message = format!("WebSocket {}, message {number}", self.name);
                    self.context.tally.websockets(|report| report.messages_sent += 1);
                    self.awaited.push_back((message.clone(), Instant::now() + self.context.timeout));
                    if let Err(error) = self.stream.send(Message::text(message)).await {
                        // What the other side said before it went is still to be read.
                        self.read_end(&error).await;
                        return;
                    }
                }
            }
        }
    }

    /// One thing that arrived. Breaks once the other side has ended it.
    async fn take(
        &mut self,
        received: Option<Result<Message, Error>>,
    ) -> std::ops::ControlFlow<()> {
        match received {
            Some(Ok(Message::Text(text))) => self.echoed(text.as_str()),
            Some(Ok(Message::Close(frame))) => {
                let (code, reason) = frame
                    .map_or((None, String::from("a close frame without a code")), |frame| {
                        (Some(u16::from(frame.code)), frame.reason.to_string())
                    });
                self.context.tally.dropped(code, reason, &self.origin, self.awaited.len());
                // Reading on sends our half of the goodbye.
                let _ =
                    timeout(GOODBYE, async { while let Some(Ok(_)) = self.stream.next().await {} })
                        .await;
                return std::ops::ControlFlow::Break(());
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                self.context.tally.dropped(
                    None,
                    what_ended(&error),
                    &self.origin,
                    self.awaited.len(),
                );
                return std::ops::ControlFlow::Break(());
            }
            None => {
                let reason = String::from("the connection ended without a close frame");
                self.context.tally.dropped(None, reason, &self.origin, self.awaited.len());
                return std::ops::ControlFlow::Break(());
            }
        }
        std::ops::ControlFlow::Continue(())
    }

    fn echoed(&mut self, text: &str) {
        if self.awaited.front().is_some_and(|(awaited, _)| awaited == text) {
            self.awaited.pop_front();
            self.context.tally.websockets(|report| report.echoed += 1);
        } else {
            let awaited = self.awaited.front().map_or("nothing", |(awaited, _)| awaited);
            let what = format!("a WebSocket awaited {awaited:?} and got {text:.60?}");
            self.context.tally.websocket_failure(what, self.origin.version.clone());
        }
    }

    /// After a write that failed: the close frame, if there is one, explains it.
    async fn read_end(&mut self, error: &Error) {
        let read = timeout(GOODBYE, async {
            while let Some(Ok(message)) = self.stream.next().await {
                let ended = matches!(message, Message::Close(_));
                if self.take(Some(Ok(message))).await.is_break() || ended {
                    return true;
                }
            }
            false
        });
        if !matches!(read.await, Ok(true)) {
            self.context.tally.dropped(None, what_ended(error), &self.origin, self.awaited.len());
        }
    }

    /// The load is over: waits for the last echoes, then closes.
    async fn say_goodbye(&mut self) {
        let deadline = Instant::now() + self.context.timeout.min(Duration::from_secs(5));
        while !self.awaited.is_empty() {
            match timeout_at(deadline, self.stream.next()).await {
                Ok(received) => {
                    if self.take(received).await.is_break() {
                        return;
                    }
                }
                Err(_) => break,
            }
        }
        let frame = CloseFrame { code: CloseCode::Normal, reason: "the load is over".into() };
        let _ = self.stream.close(Some(frame)).await;
        let _ =
            timeout(GOODBYE, async { while let Some(Ok(_)) = self.stream.next().await {} }).await;
    }

    fn count_lost(&mut self) {
        let lost = self.awaited.len() as u64;
        self.context.tally.websockets(|report| report.lost += lost);
    }
}

fn what_ended(error: &Error) -> String {
    match error {
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => String::from("the connection ended without a close frame"),
        Error::Io(error) => format!("{error}"),
        Error::Http(response) => format!("status {}", response.status().as_u16()),
        other => other.to_string(),
    }
}
