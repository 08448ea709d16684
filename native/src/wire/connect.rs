//! A connection to the daemon.

use std::io;
use std::path::Path;
use std::time::Duration;

use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::task::AbortHandle;
use vial_link::Link;

use super::body::Body;

use crate::failure::{Failure, Why};

/// More than the head of any answer.
const LARGEST_HEAD: usize = 64 << 10;

/// One connection, and the task that moves its bytes; it is closed when this is dropped.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Body>,
    task: AbortHandle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connects. A daemon whose queue of callers is full is asked again for as long as the caller has
/// patience.
pub(super) async fn connect(socket: &Path) -> Result<Connection, Failure> {
    let mut pause = Duration::from_millis(1);
    let stream = loop {
        match UnixStream::connect(socket).await {
            Ok(stream) => break stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(100));
            }
            Err(error) => return Err(unreachable(socket, &error)),
        }
    };
    let shaken = Builder::new()
        .max_buf_size(LARGEST_HEAD)
        .handshake(TokioIo::new(Link::new(stream)))
        .await
        .map_err(|error| translate(socket, &error));
    let (sender, connection) = shaken?;
    // How it ended is told again by the request or by the answer's body.
    let task = tokio::spawn(async move { drop(connection.await) }).abort_handle();
    Ok(Connection { sender, task })
}

fn unreachable(socket: &Path, error: &io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::NotFound => Why::Missing,
        io::ErrorKind::PermissionDenied => Why::Denied,
        io::ErrorKind::ConnectionRefused => Why::Stale,
        _ => Why::System(error.to_string()),
    };
    Failure::Unreachable { socket: socket.into(), why }
}

/// What hyper says, in Vial's words.
pub(super) fn translate(socket: &Path, error: &hyper::Error) -> Failure {
    if error.is_parse() {
        return bad_answer(socket, &format!("it is not HTTP ({error})"));
    }
    if error.is_user() {
        return Failure::BadRequest(error.to_string());
    }
    Failure::Disconnected { socket: socket.into() }
}

/// An answer that makes no sense.
pub(super) fn bad_answer(socket: &Path, what: &str) -> Failure {
    Failure::BadAnswer { socket: socket.into(), what: what.into(), daemon: None }
}
