//! The ways in which a request is lost, told apart as precisely as the client can see them.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

/// Why a request counts as lost. Its text is what a report's reader sees.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    #[error("connection refused")]
    Refused,
    #[error("not connected: {0}")]
    NotConnected(io::Error),
    #[error("the connection ended before the response")]
    EndedBeforeResponse,
    #[error("the connection was reset before the response")]
    ResetBeforeResponse,
    #[error("the connection ended within the response's body, after {0} bytes of it")]
    EndedInBody(u64),
    #[error("the connection was reset within the response's body, after {0} bytes of it")]
    ResetInBody(u64),
    #[error("status {0}")]
    Status(u16),
    #[error("no whole response within {0:?}")]
    TimedOut(Duration),
    #[error("the answer was not what had been sent: {0} bytes came back")]
    WrongAnswer(usize),
    #[error("{0}")]
    Other(String),
}

impl Loss {
    /// A connection that could not be made.
    pub fn connecting(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionRefused => Self::Refused,
            _ => Self::NotConnected(error),
        }
    }

    /// A request that got no head of a response.
    pub fn before_response(error: &hyper::Error) -> Self {
        match end(error) {
            Some(End::Eof) => Self::EndedBeforeResponse,
            Some(End::Reset) => Self::ResetBeforeResponse,
            None => Self::Other(whole(error)),
        }
    }

    /// A body that ended too early.
    pub fn in_body(error: &hyper::Error, received: u64) -> Self {
        match end(error) {
            Some(End::Eof) => Self::EndedInBody(received),
            Some(End::Reset) => Self::ResetInBody(received),
            None => Self::Other(whole(error)),
        }
    }
}

enum End {
    Eof,
    Reset,
}

fn end(error: &hyper::Error) -> Option<End> {
    // Canceled: it ended before anything of the request was written.
    if error.is_incomplete_message() || error.is_canceled() {
        return Some(End::Eof);
    }
    match error.source()?.downcast_ref::<io::Error>()?.kind() {
        ErrorKind::UnexpectedEof => Some(End::Eof),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Some(End::Reset)
        }
        _ => None,
    }
}

/// hyper's `Display` tells only the outermost error.
fn whole(error: &hyper::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    text
}
