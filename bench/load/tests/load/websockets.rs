//! Each way to lose a WebSocket or a message on it is counted, with its code and time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::SOON;
use crate::server::{Server, read_request, reset, response};
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use vial_load::{Class, Report};

const INTERVAL: Duration = Duration::from_millis(20);

#[allow(clippy::result_large_err)]
fn with_version(_: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    response.headers_mut().insert("x-shop-version", HeaderValue::from_static("1.0.0"));
    response.headers_mut().insert("x-shop-slot", HeaderValue::from_static("green"));
    Ok(response)
}

/// A server of WebSockets, each of which is `talk`ed to.
async fn server<F, Fut>(talk: F) -> Server
where
    F: Fn(WebSocketStream<TcpStream>, u32) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let talk = Arc::new(talk);
    Server::start(move |stream, number| {
        let talk = talk.clone();
        async move {
            let socket = tokio_tungstenite::accept_hdr_async(stream, with_version).await.unwrap();
            talk(socket, number).await;
        }
    })
    .await
}

/// Echoes `count` messages.
async fn echo(socket: &mut WebSocketStream<TcpStream>, count: usize) {
    for _ in 0..count {
        match socket.next().await {
            Some(Ok(message @ Message::Text(_))) => {
                let _ = socket.send(message).await;
            }
            Some(Ok(_)) => {}
            _ => return,
        }
    }
}

async fn until_dropped(server: &Server, count: u32) -> Report {
    let running = server.load().websockets(count, INTERVAL).start();
    running.wait_until(SOON, |report| report.websockets.drops >= u64::from(count)).await;
    running.stop().await
}

#[tokio::test]
async fn websockets_stay_open_and_every_message_comes_back() {
    let server = server(|mut socket, _| async move { echo(&mut socket, usize::MAX).await }).await;
    let running = server.load().websockets(5, INTERVAL).start();
    running.wait_until(SOON, |report| report.websockets.echoed >= 50).await;
    let report = running.stop().await;
    let sockets = &report.websockets;
    assert!(report.is_clean(), "{report}");
    assert_eq!((sockets.opened, sockets.alive, sockets.drops), (5, 5, 0));
    assert_eq!((sockets.messages_sent, sockets.lost), (sockets.echoed, 0));
}

#[tokio::test]
async fn a_close_frame_before_the_end_is_a_drop_with_its_code_and_reason() {
    let server = server(|mut socket, _| async move {
        echo(&mut socket, 2).await;
        let frame = CloseFrame { code: 1012.into(), reason: "service restart".into() };
        socket.close(Some(frame)).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let report = until_dropped(&server, 3).await;
    let sockets = &report.websockets;
    assert_eq!((sockets.opened, sockets.alive, sockets.drops), (3, 0, 3));
    assert_eq!(sockets.dropped.len(), 3);
    for dropped in &sockets.dropped {
        assert_eq!(dropped.code, Some(1012));
        assert_eq!(dropped.reason, "service restart");
        assert_eq!(dropped.version.as_deref(), Some("1.0.0"));
        assert_eq!(dropped.slot.as_deref(), Some("green"));
        assert!(dropped.at_ms <= report.elapsed_ms);
    }
    assert!(!report.is_clean());
}

#[tokio::test]
async fn an_end_without_a_close_frame_is_a_drop_without_a_code() {
    let server = server(|mut socket, _| async move { echo(&mut socket, 1).await }).await;
    let report = until_dropped(&server, 1).await;
    let dropped = &report.websockets.dropped[0];
    assert_eq!(dropped.code, None);
    assert_eq!(dropped.reason, "the connection ended without a close frame");
}

#[tokio::test]
async fn a_reset_is_a_drop_and_says_so() {
    let server = server(|mut socket, _| async move {
        echo(&mut socket, 1).await;
        reset(socket.into_inner());
    })
    .await;
    let report = until_dropped(&server, 1).await;
    let dropped = &report.websockets.dropped[0];
    assert_eq!(dropped.code, None);
    assert!(dropped.reason.contains("reset"), "{report}");
}

#[tokio::test]
async fn messages_that_were_read_and_not_echoed_are_lost() {
    let server = server(|mut socket, _| async move {
        echo(&mut socket, 1).await;
        for _ in 0..3 {
            socket.next().await;
        }
        socket.close(None).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    })
    .await;
    let report = until_dropped(&server, 1).await;
    let sockets = &report.websockets;
    assert_eq!(sockets.echoed, 1);
    assert!(sockets.lost >= 3, "{report}");
    assert_eq!(sockets.messages_sent, sockets.echoed + sockets.lost);
    assert_eq!(sockets.dropped[0].code, None);
}

#[tokio::test]
async fn an_echo_of_something_else_is_a_failure() {
    let server = server(|mut socket, _| async move {
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                let _ = socket.send(Message::text("another's message")).await;
            }
        }
    })
    .await;
    let limit = Duration::from_millis(500);
    let running = server.load().websockets(1, INTERVAL).timeout(limit).start();
    running.wait_until(SOON, |report| report.websockets.drops > 0).await;
    let report = running.stop().await;
    let failure = &report.failures[0];
    assert_eq!(failure.class, Class::Websocket);
    assert!(failure.what.contains("awaited \"WebSocket 0, message 1\""), "{report}");
    assert_eq!(report.websockets.echoed, 0);
}

#[tokio::test]
async fn a_websocket_that_falls_silent_is_a_drop_after_the_limit() {
    let server =
        server(|mut socket, _| async move { while let Some(Ok(_)) = socket.next().await {} }).await;
    let limit = Duration::from_millis(300);
    let running = server.load().websockets(1, INTERVAL).timeout(limit).start();
    running.wait_until(SOON, |report| report.websockets.drops > 0).await;
    let report = running.stop().await;
    assert_eq!(report.websockets.dropped[0].reason, "no echo within 300ms");
    assert!(report.websockets.lost > 0);
}

#[tokio::test]
async fn a_handshake_that_is_refused_is_a_failure_with_the_status() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(&response(502, "1", b"")).await.unwrap();
    })
    .await;
    let running = server.load().websockets(2, INTERVAL).start();
    running.wait_until(SOON, |report| report.websockets.failed == 2).await;
    let report = running.stop().await;
    assert_eq!(report.websockets.opened, 0);
    assert_eq!(report.failures[0].what, "WebSocket not opened: status 502");
    assert!(!report.is_clean());
}

#[tokio::test]
async fn dropped_websockets_are_opened_again_only_where_asked_for() {
    let healed = Arc::new(AtomicBool::new(false));
    let well = healed.clone();
    let server = server(move |mut socket, number| {
        let well = well.clone();
        async move {
            if number >= 3 {
                well.store(true, Ordering::SeqCst);
                echo(&mut socket, usize::MAX).await;
            } else {
                echo(&mut socket, 1).await;
            }
        }
    })
    .await;
    let report = until_dropped(&server, 1).await;
    assert_eq!((report.websockets.opened, report.websockets.alive), (1, 0));

    let running = server.load().websockets(1, INTERVAL).reopen_websockets().start();
    running.wait_until(SOON, |report| report.websockets.echoed >= 10).await;
    let report = running.stop().await;
    assert!(healed.load(Ordering::SeqCst));
    assert_eq!((report.websockets.drops, report.websockets.opened), (2, 3), "{report}");
    assert_eq!(report.websockets.alive, 1);
}
