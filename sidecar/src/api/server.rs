//! Taking connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::Shared;
use super::door::Line;
use super::pages;
use super::peer::Peer;
use super::router::router;
use crate::listen::{self, Requests};

/// How long to wait when no connection can be taken: too many files are open.
const AGAIN: Duration = Duration::from_millis(100);
/// So many connections to the dashboard are served at once; others wait in the kernel.
const CONNECTIONS: usize = 1024;

/// Serves the API on the socket until `stop` says so.
pub async fn serve(listener: UnixListener, shared: Shared, mut stop: watch::Receiver<bool>) {
    let operators = shared.host.operators_group.clone();
    let router = router(shared);
    let connections = TaskTracker::new();
    loop {
        let stream = tokio::select! {
            () = listen::told(&mut stop) => break,
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
        let line = Line::Socket(peer);
        connections.spawn(listen::serve(
            stream,
            router.clone(),
            line,
            Requests::Many,
            stop.clone(),
        ));
    }
    listen::farewell(connections).await;
}

/// Serves the dashboard at its address until `stop` says so.
pub async fn serve_dashboard(address: SocketAddr, shared: Shared, mut stop: watch::Receiver<bool>) {
    let connections = TaskTracker::new();
    let stopped = stop.clone();
    tokio::select! {
        () = listen::told(&mut stop) => {}
        () = take(address, shared, &connections, stopped) => {}
    }
    listen::farewell(connections).await;
}

async fn take(
    address: SocketAddr,
    shared: Shared,
    connections: &TaskTracker,
    stop: watch::Receiver<bool>,
) {
    let listener = listen::tcp(address, "dashboard").await;
    let router = router(shared).layer(axum::middleware::from_fn(pages::guarded));
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(turn) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => {
                // What is told live is small and shall be there at once.
                let _ = stream.set_nodelay(true);
                let (router, stop, line) = (router.clone(), stop.clone(), Line::Tcp(from.ip()));
                connections.spawn(async move {
                    listen::serve(stream, router, line, Requests::Many, stop).await;
                    drop(turn);
                });
            }
            Err(error) => {
                tracing::error!(%error, "a connection to the dashboard could not be taken");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
