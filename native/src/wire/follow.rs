//! A stream of events, on a connection of its own.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use vial_protocol::{Event, VERSION};

use super::ask::Ask;
use super::body::{Body, Trouble};
use super::connect::{Connection, bad_answer, connect, translate};
use super::read::read;
use super::sse::Parser;
use crate::failure::Failure;

/// The daemon sends a comment every 15 s; three missed ones mean that it hangs.
const SILENCE: Duration = Duration::from_secs(45);

/// An open stream. Dropping it closes its connection.
pub(crate) struct Following {
    socket: PathBuf,
    body: Incoming,
    parser: Parser,
    ready: VecDeque<String>,
    _connection: Connection,
}

/// Opens a stream, before the time of its question is over.
pub(crate) async fn follow(ask: &Ask) -> Result<Following, Failure> {
    ask.in_time(open(ask)).await
}

async fn open(ask: &Ask) -> Result<Following, Failure> {
    let socket = &ask.socket;
    let request = ask.request(Body::of(&ask.payload, &Trouble::default()).await?)?;
    let mut connection = connect(socket).await?;
    let sent = connection.sender.send_request(request).await;
    let response = sent.map_err(|error| translate(socket, &error))?;
    if !is_stream(&response) {
        let bytes = read(socket, response).await?;
        return Err(bad_answer(socket, &format!("{} bytes instead of a stream", bytes.len())));
    }
    Ok(Following {
        socket: socket.clone(),
        body: response.into_body(),
        parser: Parser::default(),
        ready: VecDeque::new(),
        _connection: connection,
    })
}

fn is_stream(response: &Response<Incoming>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    response.status().is_success() && kind.is_some_and(|it| it.starts_with("text/event-stream"))
}

impl Following {
    /// What comes next; absent once the daemon has ended the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, Failure> {
        loop {
            if let Some(data) = self.ready.pop_front() {
                return serde_json::from_str(&data).map(Some).map_err(|error| {
                    let what = format!("{error}, in an event for version {VERSION}");
                    bad_answer(&self.socket, &what)
                });
            }
            let frame = match tokio::time::timeout(SILENCE, self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(translate(&self.socket, &error)),
                Ok(None) => return Ok(None),
                Err(_) => {
                    return Err(Failure::Timeout {
                        socket: self.socket.clone(),
                        millis: SILENCE.as_millis(),
                    });
                }
            };
            if let Ok(bytes) = frame.into_data() {
                let fed = self.parser.feed(&bytes, &mut self.ready);
                fed.map_err(|what| bad_answer(&self.socket, what))?;
            }
        }
    }
}
