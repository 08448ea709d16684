//! Taking connections on a TCP address, and serving HTTP/1.1 on a connection of whatever kind.
//!
//! A leaf: what is answered, and to whom, the caller knows. The API's socket, the dashboard's address
//! and that of the webhooks are all served by this.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How long a peer may take to send a request's head, and how long it may send none.
const HEAD: Duration = Duration::from_secs(10);
/// More than any head that is meant well.
const HEAD_BYTES: usize = 64 << 10;
/// How long answers under way may take once the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long to wait when the address is not there.
const AGAIN: Duration = Duration::from_secs(1);

/// Listens on an address. Where another has it, it is tried again: apps can be worked with by the
/// command line meanwhile, so that is no reason not to start. `what` is what the log calls it.
pub async fn tcp(address: SocketAddr, what: &str) -> TcpListener {
    let mut said = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                tracing::info!(%address, "{what}: listening");
                return listener;
            }
            Err(error) => {
                if !said {
                    tracing::error!(%address, %error, "{what}: the address cannot be had");
                }
                said = true;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// How requests come over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// One, and then it is closed.
    One,
    /// One after another, until either end has had enough.
    Many,
}

/// Answers what comes over a connection, with `peer` among each request's extensions. Once the daemon
/// stops, what is under way is answered still.
pub async fn serve<S, P>(
    stream: S,
    router: Router,
    peer: P,
    requests: Requests,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    P: Clone + Send + Sync + 'static,
{
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES);
    builder.keep_alive(requests == Requests::Many);
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer.clone());
        router.clone().oneshot(request)
    });
    let serving = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        () = told(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Waits until the daemon stops.
pub async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Lets connections end, for a moment.
pub async fn farewell(connections: TaskTracker) {
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
}
