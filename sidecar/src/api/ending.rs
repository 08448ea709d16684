//! An answer that ends with the session or the token of whoever asked.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// The same answer, which ends when the token does.
pub(super) fn with(response: Response, ended: CancellationToken) -> Response {
    use http_body::Body as _;
    // What is there as a whole is told as a whole: also to whoever just ended their own session.
    if response.body().is_end_stream() || response.body().size_hint().exact().is_some() {
        return response;
    }
    let kind = response.headers().get(header::CONTENT_TYPE);
    let stream = kind.is_some_and(|it| it.as_bytes().starts_with(b"text/event-stream"));
    response.map(|body| {
        Body::new(Ending { body, ended: Box::pin(ended.cancelled_owned()), stream, over: false })
    })
}

struct Ending {
    body: Body,
    ended: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Whether it may end anywhere; what else ends early is broken off, so that nobody takes a part
    /// for all.
    stream: bool,
    over: bool,
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over {
            return Poll::Ready(None);
        }
        if self.ended.as_mut().poll(context).is_ready() {
            self.over = true;
            let broken = || axum::Error::new("the session has ended");
            return Poll::Ready((!self.stream).then(|| Err(broken())));
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
