//! A small app: its name, a slow answer, a stream and a WebSocket echo.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Request};
use axum::middleware::{self, Next};
use axum::routing::get;
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running upstream.
pub struct Upstream {
    pub port: u16,
    /// How many requests came with a probe's header.
    probed: Arc<AtomicUsize>,
    /// How many requests came for `/` by HEAD.
    heads: Arc<AtomicUsize>,
    server: JoinHandle<()>,
}

impl Upstream {
    pub async fn start(name: &'static str) -> Upstream {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (probed, heads) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let seen = (probed.clone(), heads.clone());
        let app = Router::new()
            .route("/", get(move || async move { name }))
            .route(
                "/slow/{ms}",
                get(move |Path(ms): Path<u64>| async move {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                    name
                }),
            )
            .route("/stream", get(|| async { ticks() }))
            .route(
                "/ws",
                get(|upgrade: WebSocketUpgrade| async move {
                    upgrade.on_upgrade(async |mut socket| {
                        while let Some(Ok(message)) = socket.recv().await {
                            if socket.send(message).await.is_err() {
                                break;
                            }
                        }
                    })
                }),
            )
            .fallback(move || async move { name })
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                let (probed, heads) = seen.clone();
                async move {
                    if request.headers().contains_key("vial-probe") {
                        probed.fetch_add(1, Ordering::SeqCst);
                    }
                    if request.method() == "HEAD" {
                        heads.fetch_add(1, Ordering::SeqCst);
                    }
                    next.run(request).await
                }
            }));
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Upstream { port, probed, heads, server }
    }

    pub fn probed(&self) -> usize {
        self.probed.load(Ordering::SeqCst)
    }

    pub fn heads(&self) -> usize {
        self.heads.load(Ordering::SeqCst)
    }

    /// Stops listening, so that the port refuses connections.
    pub async fn stop(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A line each 20 ms, without end.
fn ticks() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, std::io::Error>(Bytes::from_static(b"tick\n")), ()))
    }))
}
