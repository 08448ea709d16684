//! Streaming a release to the daemon.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Method;
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;
use vial_protocol::request::{Accepted, Deploy};

use super::error::ClientError;
use super::http::{Body, Client, app_path, new_key, request, with_query};

/// What writes the archive's bytes, on a thread that may block.
pub type Source = Box<dyn FnOnce(&mut dyn Write) -> io::Result<()> + Send>;

/// Bytes that are sent at once.
const CHUNK: usize = 256 * 1024;

/// A release on its way to the daemon.
pub struct Upload {
    source: Source,
    sent: Arc<AtomicU64>,
}

impl Upload {
    /// An upload of what `source` writes: a tar archive, gzipped or plain.
    pub fn new(source: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static) -> Self {
        Upload { source: Box::new(source), sent: Arc::default() }
    }

    /// Counts the bytes as they are sent, for whoever shows them.
    #[must_use]
    pub fn sent(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }
}

impl Client {
    /// Deploys a release. The answer comes once the daemon has the whole archive and has taken
    /// it; a refusal may come before, and ends the upload.
    ///
    /// # Errors
    /// See [`ClientError`]; [`ClientError::Source`] where the release could not be read.
    pub async fn deploy(
        &self,
        app: &str,
        asked: &Deploy,
        upload: Upload,
    ) -> Result<Accepted, ClientError> {
        let query = [
            ("reason", asked.reason.clone()),
            ("allow_destructive", asked.allow_destructive.then(|| "true".to_owned())),
        ];
        let target = with_query(app_path(app, "/deployments"), &query);
        let failure = Arc::new(Mutex::new(None));
        let body = body(upload, Arc::clone(&failure));
        let request = request(Method::POST, &target, Some(&new_key()?), body)?;
        let answered = async { self.read(self.send(request).await?).await }.await;
        let failed = failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (answered, failed) {
            (Ok(bytes), _) => serde_json::from_slice(&bytes)
                .map_err(|error| ClientError::Protocol(error.to_string())),
            // The daemon's own words come before a source that stopped because of them.
            (Err(ClientError::Refused(problem)), None) => Err(ClientError::Refused(problem)),
            (Err(_), Some(error)) => Err(ClientError::Source(error)),
            (Err(error), None) => Err(error),
        }
    }
}

fn body(upload: Upload, failure: Arc<Mutex<Option<io::Error>>>) -> Body {
    let (chunks, mut receiver) = mpsc::channel(4);
    // Detached: a source that waits for its own input must not hold up an answer.
    drop(tokio::task::spawn_blocking(move || {
        let mut writer = Chunks { chunks, buffer: Vec::with_capacity(CHUNK), sent: upload.sent };
        let written = (upload.source)(&mut writer).and_then(|()| writer.flush());
        if let Err(error) = written
            && !writer.chunks.is_closed()
        {
            let told = io::Error::new(error.kind(), error.to_string());
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            // A body that ends in an error is cut off, so that the daemon sees no whole archive.
            drop(writer.chunks.blocking_send(Err(told)));
        }
    }));
    StreamBody::new(stream::poll_fn(move |cx| receiver.poll_recv(cx))).boxed_unsync()
}

/// A writer whose bytes go into a request's body.
struct Chunks {
    chunks: mpsc::Sender<io::Result<Frame<Bytes>>>,
    buffer: Vec<u8>,
    sent: Arc<AtomicU64>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() == CHUNK {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK));
        let length = chunk.len() as u64;
        self.chunks
            .blocking_send(Ok(Frame::data(Bytes::from(chunk))))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        self.sent.fetch_add(length, Ordering::Relaxed);
        Ok(())
    }
}
