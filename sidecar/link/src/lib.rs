//! The socket as bytes, so that an answer which comes early is heard.
//!
//! A daemon that refuses an upload answers before it has read the whole, and closes. Whoever still
//! writes then gets EPIPE or ECONNRESET, while the answer lies unread in the socket. Here a failed
//! write only waits, and reading decides: it finds the answer, or the end.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

/// A connection whose writes never fail because the peer has stopped reading.
#[derive(Debug)]
pub struct Link {
    stream: UnixStream,
    deaf: bool,
}

impl Link {
    /// Over a connection to the daemon's socket.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        Link { stream, deaf: false }
    }

    /// Turns "the peer is gone" into waiting. No waker is needed: the reading half is always
    /// polled beside this one, and it sees the end of the connection.
    fn forgive(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Err(error)) if peer_left(&error) => {
                self.deaf = true;
                Poll::Pending
            }
            other => other,
        }
    }
}

fn peer_left(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            // The peer closed with bytes of ours unread: to a reader that is the end.
            Poll::Ready(Err(error)) if peer_left(&error) => Poll::Ready(Ok(())),
            other => other,
        }
    }
}

impl AsyncWrite for Link {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.forgive(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.deaf {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.forgive(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(cx) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::NotConnected => {
                Poll::Ready(Ok(()))
            }
            other => other,
        }
    }
}
