//! Taking connections.

use std::time::Duration;

use axum::extract::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use super::Shared;
use super::peer::Peer;
use super::router::router;

/// How long a peer may take to send a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// How long answers under way may take once the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long to wait when no connection can be taken: too many files are open.
const AGAIN: Duration = Duration::from_millis(100);

/// Serves the API until `stop` says so.
pub async fn serve(listener: UnixListener, shared: Shared, mut stop: watch::Receiver<bool>) {
    let operators = shared.host.operators_group.clone();
    let router = router(shared);
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = told(&mut stop) => break,
            taken = listener.accept() => match taken {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::error!(%error, "a connection could not be taken");
                    tokio::time::sleep(AGAIN).await;
                    continue;
                }
            },
        };
        let peer = match Peer::of(&stream, &operators) {
            Ok(peer) => peer,
            Err(error) => {
                tracing::debug!(%error, "a peer was gone before it was known");
                continue;
            }
        };
        let service = router.clone().layer(Extension(peer));
        connections.spawn(connection(stream, service, stop.clone()));
    }
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
}

async fn connection(stream: UnixStream, router: axum::Router, mut stop: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 << 10);
    let serving = builder
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .with_upgrades();
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
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
