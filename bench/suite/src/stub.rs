//! A release without a BEAM: it starts in milliseconds, so that a hundred apps fit on a small
//! machine, and a hundred rollbacks into minutes. What is measured with it is Vial, not a release.
//!
//! It answers as the shop does, and ends as the shop does: on SIGTERM it takes no more connections,
//! finishes what is in flight, says 1012 to its WebSockets, and exits with 0.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use vial_demo::trouble::{Trouble, trying};

/// How long it waits for its WebSockets to say goodbye.
const GOODBYE: Duration = Duration::from_secs(1);
/// The code with which the shop says goodbye.
const SERVICE_RESTART: u16 = 1012;

/// Makes a release whose script hands over to `stub`, as an archive below `folder`.
///
/// # Errors
/// Where the system does not let us.
pub fn archive(stub: &Path, name: &str, version: u32, folder: &Path) -> Result<PathBuf, Trouble> {
    let root = release(stub, name, version, folder)?;
    let archive = folder.join(format!("{name}-{version}.tar.gz"));
    let out = fs::File::create(&archive).map_err(trying(archive.display().to_string()))?;
    vial::release::pack(&root, out).map_err(|error| Trouble::Io {
        what: "a stub's archive".into(),
        source: io::Error::other(error),
    })?;
    Ok(archive)
}

/// The same, as a folder.
///
/// # Errors
/// Where the system does not let us.
pub fn release(stub: &Path, name: &str, version: u32, folder: &Path) -> Result<PathBuf, Trouble> {
    let version = format!("{version}.0.0");
    let root = folder.join(format!("{name}-{version}"));
    let write = |path: &str, text: &str| {
        let path = root.join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&path, text)
    };
    let script = format!("#!/bin/sh\nexec {} --version {version} \"$@\"\n", stub.display());
    let program = format!("bin/{name}");
    write(&program, &script)
        .and_then(|()| fs::set_permissions(root.join(&program), Permissions::from_mode(0o755)))
        .and_then(|()| write("releases/start_erl.data", &format!("13.1 {version}")))
        .and_then(|()| write(&format!("releases/{version}/start.boot"), ""))
        .map_err(trying("a stub release"))?;
    Ok(root)
}

/// Runs it: `--version V start`.
///
/// # Errors
/// Where it cannot serve.
pub fn run(mut args: impl Iterator<Item = String>) -> Result<(), String> {
    let mut version = String::from("0.0.0");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--version" => version = args.next().unwrap_or(version),
            "start" => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let served = runtime.map(|it| it.block_on(serve(&version)));
                return served.flatten().map_err(|error| error.to_string());
            }
            other => return Err(format!("`{other}` is not for a stub")),
        }
    }
    Err("it starts with `start`".into())
}

#[derive(Clone)]
struct Running {
    stopping: CancellationToken,
    sockets: TaskTracker,
}

async fn serve(version: &str) -> io::Result<()> {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let port: u16 = variable("PORT").parse().map_err(io::Error::other)?;
    let marks = HeaderMap::from_iter([
        mark("x-shop-version", version)?,
        mark("x-shop-slot", &variable("VIAL_SLOT"))?,
    ]);
    let running = Running { stopping: CancellationToken::new(), sockets: TaskTracker::new() };
    let router = Router::new()
        .route("/", get(async || "a stub\n"))
        .route("/health", get(async || "ok\n"))
        .route("/slow", get(slow))
        .route("/echo", post(async |body: Bytes| body))
        .route("/ws", any(websocket))
        .layer(axum::middleware::map_response(move |mut response: axum::response::Response| {
            let marks = marks.clone();
            async move {
                response.headers_mut().extend(marks);
                response
            }
        }))
        .with_state(running.clone());
    let mut told = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {port}");
    let stopping = running.stopping.clone();
    axum::serve(listener, router)
        .with_graceful_shutdown(async move {
            told.recv().await;
            stopping.cancel();
        })
        .await?;
    running.sockets.close();
    let _ = timeout(GOODBYE, running.sockets.wait()).await;
    Ok(())
}

fn mark(name: &'static str, value: &str) -> io::Result<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(value).map_err(io::Error::other)?;
    Ok((HeaderName::from_static(name), value))
}

#[derive(Deserialize)]
struct Slow {
    ms: u64,
}

async fn slow(Query(Slow { ms }): Query<Slow>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    "slow\n"
}

async fn websocket(State(running): State<Running>, asked: WebSocketUpgrade) -> impl IntoResponse {
    asked.on_upgrade(move |socket| {
        let sockets = running.sockets.clone();
        sockets.track_future(echo(socket, running.stopping))
    })
}

async fn echo(mut socket: WebSocket, stopping: CancellationToken) {
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = stopping.cancelled() => {
                let frame = CloseFrame { code: SERVICE_RESTART, reason: "restart".into() };
                let _ = socket.send(Message::Close(Some(frame))).await;
                let _ = timeout(GOODBYE, async { while socket.recv().await.is_some() {} }).await;
                return;
            }
        };
        match message {
            Some(Ok(text @ Message::Text(_))) => {
                if socket.send(text).await.is_err() {
                    return;
                }
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            _ => return,
        }
    }
}
