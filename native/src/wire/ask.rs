//! One question to the daemon.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use hyper::header::{HOST, USER_AGENT};
use hyper::{Method, Request};
use tokio::time::Instant;

use super::body::{Body, Payload};
use crate::failure::Failure;

/// What is asked, where, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) socket: PathBuf,
    /// The path and its query, percent-encoded.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) payload: Payload,
    /// How long it may take, and when that time is over.
    pub(crate) patience: Option<Duration>,
    pub(crate) deadline: Option<Instant>,
}

impl Ask {
    /// Builds the request around a body.
    pub(super) fn request(&self, body: Body) -> Result<Request<Body>, Failure> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(self.target.as_str())
            .header(HOST, "vial")
            .header(USER_AGENT, concat!("vial-nif/", env!("CARGO_PKG_VERSION")));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(body).map_err(|error| Failure::BadRequest(error.to_string()))
    }

    /// Does something of it before its time is over.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let Some(deadline) = self.deadline else { return work.await };
        match tokio::time::timeout_at(deadline, work).await {
            Ok(done) => done,
            Err(_) => Err(Failure::Timeout {
                socket: self.socket.clone(),
                millis: self.patience.unwrap_or_default().as_millis(),
            }),
        }
    }
}
