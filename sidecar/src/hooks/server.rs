//! Taking connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension};
use axum::http::StatusCode;
use axum::routing::post;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::Shared;
use super::limits::Limits;
use super::receive::{Desk, Peer, receive};

/// How long a peer may take to send a request's head.
const HEAD: Duration = Duration::from_secs(10);
/// So many connections are served at once; others wait in the kernel.
const CONNECTIONS: usize = 64;
/// How long answers under way may take once the daemon stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// How long to wait when no connection can be taken, or the address is not there.
const AGAIN: Duration = Duration::from_secs(1);

/// Serves webhooks at an address until `stop` says so. Where another has the address, it is tried
/// again: apps can be deployed by hand meanwhile, so that is no reason not to start.
pub async fn serve(address: SocketAddr, shared: Shared, mut stop: watch::Receiver<bool>) {
    let connections = TaskTracker::new();
    tokio::select! {
        () = told(&mut stop) => {}
        () = work(address, shared, &connections) => {}
    }
    connections.close();
    let _ = tokio::time::timeout(FAREWELL, connections.wait()).await;
}

async fn work(address: SocketAddr, shared: Shared, connections: &TaskTracker) {
    let listener = listen(address).await;
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
                let router = router.clone().layer(Extension(Peer(from.ip())));
                connections.spawn(async move {
                    connection(stream, router).await;
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

async fn listen(address: SocketAddr) -> TcpListener {
    let mut said = false;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                tracing::info!(%address, "webhooks are taken");
                return listener;
            }
            Err(error) => {
                if !said {
                    tracing::error!(%address, %error, "webhooks cannot be taken");
                }
                said = true;
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let mut builder = http1::Builder::new();
    // One request each: a forge has no second, and who is slow holds one place at most.
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).keep_alive(false);
    let service = TowerToHyperService::new(router);
    if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
        tracing::debug!(%error, "a connection of a webhook broke off");
    }
}

async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
