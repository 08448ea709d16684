//! Connections that are kept between calls.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use serde::Deserialize;
use tokio::time::Instant;

use super::ask::Ask;
use super::body::{Body, Payload, Trouble};
use super::connect::{Connection, connect, translate};
use super::read::read;
use crate::failure::Failure;

/// How many connections to one daemon may wait for the next call.
const KEPT: usize = 64;
/// How long the question for the daemon's version may take.
const BRIEFLY: Duration = Duration::from_secs(1);

/// The connections that no call uses right now, by socket.
#[derive(Clone, Default)]
pub(crate) struct Pool {
    idle: Arc<Mutex<HashMap<PathBuf, Vec<Connection>>>>,
}

/// How a request over a connection failed.
enum Lost {
    /// The daemon got nothing of it.
    Unsent(Request<Body>),
    /// It may have got it.
    Perhaps(Failure),
}

impl Pool {
    /// Asks, and returns the answer's body.
    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Bytes, Failure> {
        let trouble = Trouble::default();
        let asked = ask.in_time(self.exchange(ask, &trouble)).await;
        let failed = trouble.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (asked, failed, &ask.payload) {
            // The daemon's own words come before a file that nobody read on because of them.
            (Err(failure), Some(error), Payload::File(path))
                if !matches!(failure, Failure::Refused(_)) =>
            {
                Err(Failure::File { path: path.clone(), error })
            }
            (asked, ..) => asked,
        }
    }

    /// The version of the daemon behind a socket, if it says so.
    pub(crate) async fn version(&self, socket: &Path) -> Option<String> {
        #[derive(Deserialize)]
        struct Said {
            version: String,
        }
        let ask = Ask {
            method: Method::GET,
            socket: socket.into(),
            target: "/v1/status".into(),
            headers: Vec::new(),
            payload: Payload::None,
            patience: Some(BRIEFLY),
            deadline: Some(Instant::now() + BRIEFLY),
        };
        let bytes = self.ask(&ask).await.ok()?;
        serde_json::from_slice(&bytes).ok().map(|Said { version }| version)
    }

    async fn exchange(&self, ask: &Ask, trouble: &Trouble) -> Result<Bytes, Failure> {
        let mut request = ask.request(Body::of(&ask.payload, trouble).await?)?;
        // A change has a new connection: over one that the daemon closes in this very moment nobody
        // could tell whether it got the change, and it must not be asked for twice.
        let kept = if ask.method == Method::GET { self.take(&ask.socket) } else { None };
        if let Some(mut connection) = kept {
            match send(&mut connection, request, &ask.socket).await {
                Ok(response) => return self.finish(ask, connection, response).await,
                Err(Lost::Unsent(back)) => request = back,
                // It died while nobody used it, or with the daemon: to look again is harmless.
                Err(Lost::Perhaps(Failure::Disconnected { .. })) => {
                    request = ask.request(Body::of(&ask.payload, trouble).await?)?;
                }
                Err(Lost::Perhaps(failure)) => return Err(failure),
            }
        }
        let mut connection = connect(&ask.socket).await?;
        match send(&mut connection, request, &ask.socket).await {
            Ok(response) => self.finish(ask, connection, response).await,
            Err(Lost::Perhaps(failure)) => Err(failure),
            Err(Lost::Unsent(_)) => Err(Failure::Disconnected { socket: ask.socket.clone() }),
        }
    }

    async fn finish(
        &self,
        ask: &Ask,
        connection: Connection,
        response: Response<Incoming>,
    ) -> Result<Bytes, Failure> {
        let answer = read(&ask.socket, response).await;
        if matches!(answer, Ok(_) | Err(Failure::Refused(_))) {
            self.keep(&ask.socket, connection);
        }
        answer
    }

    fn take(&self, socket: &Path) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.get_mut(socket)?;
        while let Some(connection) = kept.pop() {
            if !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, socket: &Path, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle.entry(socket.into()).or_default();
        if kept.len() >= KEPT {
            kept.retain(|connection| !connection.sender.is_closed());
        }
        if kept.len() < KEPT && !connection.sender.is_closed() {
            kept.push(connection);
        }
    }
}

async fn send(
    connection: &mut Connection,
    request: Request<Body>,
    socket: &Path,
) -> Result<Response<Incoming>, Lost> {
    if connection.sender.ready().await.is_err() {
        return Err(Lost::Unsent(request));
    }
    connection.sender.try_send_request(request).await.map_err(|mut error| {
        match error.take_message() {
            Some(request) => Lost::Unsent(request),
            None => Lost::Perhaps(translate(socket, error.error())),
        }
    })
}
