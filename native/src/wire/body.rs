//! What a request carries, as hyper takes it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// Bytes that are read from the disk at once.
const CHUNK: usize = 256 << 10;
/// Chunks that may wait for the socket.
const WAITING: usize = 4;

/// What a question carries.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    None,
    Bytes(Bytes),
    File(PathBuf),
}

/// Nothing, bytes in memory, or a file as it is read.
pub(super) enum Body {
    Whole(Option<Bytes>),
    File(mpsc::Receiver<io::Result<Bytes>>),
}

/// What went wrong with a file while it was sent.
pub(super) type Trouble = Arc<Mutex<Option<String>>>;

impl Body {
    /// A body for what is to be sent. A file is opened at once, so that one that is not there is
    /// told before anything is sent.
    pub(super) async fn of(payload: &Payload, trouble: &Trouble) -> Result<Body, Failure> {
        match payload {
            Payload::None => Ok(Body::Whole(None)),
            Payload::Bytes(bytes) => Ok(Body::Whole(Some(bytes.clone()))),
            Payload::File(path) => file(path.clone(), Arc::clone(trouble)).await,
        }
    }
}

async fn file(path: PathBuf, trouble: Trouble) -> Result<Body, Failure> {
    let opened = {
        let path = path.clone();
        tokio::task::spawn_blocking(move || open(&path)).await
    };
    let file = match opened {
        Ok(Ok(file)) => file,
        Ok(Err(error)) => return Err(Failure::File { path, error: error.to_string() }),
        Err(_) => return Err(Failure::Stopped),
    };
    let (chunks, receiver) = mpsc::channel(WAITING);
    drop(tokio::task::spawn_blocking(move || {
        if let Err(error) = read(file, &chunks) {
            *trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
            // A body that ends in an error is cut off, so that the daemon sees no whole archive.
            drop(chunks.blocking_send(Err(error)));
        }
    }));
    Ok(Body::File(receiver))
}

fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe would wait for its other end.
    if std::fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"))
    }
}

/// Reads until the end, or until nobody takes it any more.
fn read(mut file: File, chunks: &mpsc::Sender<io::Result<Bytes>>) -> io::Result<()> {
    loop {
        let mut chunk = vec![0; CHUNK];
        let length = file.read(&mut chunk)?;
        chunk.truncate(length);
        if length == 0 || chunks.blocking_send(Ok(Bytes::from(chunk))).is_err() {
            return Ok(());
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match &mut *self {
            Body::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Body::File(chunks) => {
                chunks.poll_recv(cx).map(|chunk| chunk.map(|chunk| chunk.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Body::File(_) => SizeHint::default(),
        }
    }
}
