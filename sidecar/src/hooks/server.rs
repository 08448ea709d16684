//! Taking connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::Shared;
use super::limits::Limits;
use super::receive::{Desk, Peer, receive};
use crate::listen::{self, Requests};

/// So many connections are served at once; others wait in the kernel.
const CONNECTIONS: usize = 64;
/// How long to wait when no connection can be taken.
const AGAIN: Duration = Duration::from_secs(1);

/// Serves webhooks at an address until `stop` says so.
pub async fn serve(address: SocketAddr, shared: Shared, mut stop: watch::Receiver<bool>) {
    let connections = TaskTracker::new();
    let stopped = stop.clone();
    tokio::select! {
        () = listen::told(&mut stop) => {}
        () = work(address, shared, &connections, stopped) => {}
    }
    listen::farewell(connections).await;
}

async fn work(
    address: SocketAddr,
    shared: Shared,
    connections: &TaskTracker,
    stop: watch::Receiver<bool>,
) {
    let listener = listen::tcp(address, "webhooks").await;
    let desk = Desk { shared, limits: Arc::new(Limits::new()) };
    let router = Router::new()
        .route("/hooks/{app}", post(receive))
        .fallback(|| async { StatusCode::NOT_FOUND })
        // The body is read by hand, up to a limit of its own.
        .layer(DefaultBodyLimit::disable())
        .with_state(desk);
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(turn) = room.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, from)) => {
                let (router, stop) = (router.clone(), stop.clone());
                connections.spawn(async move {
                    // One request each: a forge has no second, and who is slow holds one place at
                    // most.
                    listen::serve(stream, router, Peer(from.ip()), Requests::One, stop).await;
                    drop(turn);
                });
            }
            Err(error) => {
                tracing::error!(%error, "a connection of a webhook could not be taken");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}
