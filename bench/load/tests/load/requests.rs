//! Each way to lose a request is counted as one lost request, and says what happened.

use std::time::Duration;

use crate::SOON;
use crate::server::{Server, read_request, reset, response, serve_well};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use vial_load::{Class, Load, Report, Target};

fn whats(report: &Report) -> Vec<&str> {
    report.failures.iter().map(|failure| failure.what.as_str()).collect()
}

/// Sends until something is counted as failed.
async fn until_failed(load: Load) -> Report {
    let running = load.start();
    running.wait_until(SOON, |report| report.failed() > 0).await;
    running.stop().await
}

#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let target = Target { address, host: String::from("shop.test") };
    let report = until_failed(Load::new(target).keep_alive(50, 1).fresh(50)).await;
    assert!(whats(&report).iter().all(|what| *what == "connection refused"), "{report}");
    assert_eq!(report.failed(), report.sent());
    assert!(report.versions.is_empty());
}

#[tokio::test]
async fn a_502_is_a_failure_and_names_the_status_and_who_answered() {
    let server = Server::start(|mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            stream.write_all(&response(502, "3.0.0", b"bad gateway")).await.unwrap();
        }
    })
    .await;
    let report = until_failed(server.load().keep_alive(50, 1)).await;
    assert_eq!(whats(&report)[0], "status 502");
    assert_eq!(report.failures[0].version.as_deref(), Some("3.0.0"));
    assert_eq!(report.versions["3.0.0"].failed, report.failed());
    assert!(!report.is_clean());
}

#[tokio::test]
async fn which_status_is_a_failure_can_be_set() {
    async fn not_found(mut stream: tokio::net::TcpStream, _number: u32) {
        while read_request(&mut stream).await.is_some() {
            stream.write_all(&response(404, "1", b"")).await.unwrap();
        }
    }
    let server = Server::start(not_found).await;
    let lenient = server.load().keep_alive(100, 1).start();
    lenient.wait_until(SOON, |report| report.sent() >= 3).await;
    assert!(lenient.stop().await.is_clean());

    let report = until_failed(server.load().keep_alive(100, 1).expect_status_below(400)).await;
    assert_eq!(whats(&report)[0], "status 404");
}

#[tokio::test]
async fn a_connection_closed_before_the_response_is_a_failure() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
    })
    .await;
    let report = until_failed(server.load().keep_alive(50, 1).fresh(50).post(50)).await;
    assert!(
        whats(&report).iter().all(|what| *what == "the connection ended before the response"),
        "{report}"
    );
    assert_eq!(report.failed(), report.sent());
}

#[tokio::test]
async fn a_kept_connection_closed_on_a_request_is_a_failure_and_no_reconnect() {
    // Each connection answers once and ends when the second request has been read.
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(&response(200, "1", b"ok")).await.unwrap();
        read_request(&mut stream).await;
    })
    .await;
    let running = server.load().keep_alive(100, 1).start();
    running.wait_until(SOON, |report| report.failed() >= 3).await;
    let report = running.stop().await;
    let counts = &report.classes[&Class::KeepAlive];
    assert_eq!(counts.reconnects, 0);
    assert!(counts.ok.abs_diff(counts.failed) <= 1, "{report}");
    assert_eq!(whats(&report)[0], "the connection ended before the response");
}

#[tokio::test]
async fn a_reset_before_the_response_is_a_failure() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        reset(stream);
    })
    .await;
    let report = until_failed(server.load().keep_alive(50, 1)).await;
    assert_eq!(whats(&report)[0], "the connection was reset before the response");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure_and_says_where() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-shop-version: 2\r\ncontent-length: 100\r\n\r\nhalf")
            .await
            .unwrap();
    })
    .await;
    let report = until_failed(server.load().keep_alive(50, 1).fresh(50)).await;
    for what in whats(&report) {
        assert_eq!(what, "the connection ended within the response's body, after 4 bytes of it");
    }
    assert_eq!(report.failures[0].version.as_deref(), Some("2"));
    assert_eq!(report.ok(), 0);
}

#[tokio::test]
async fn a_chunked_body_without_its_end_is_a_failure() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n")
            .await
            .unwrap();
    })
    .await;
    let report = until_failed(server.load().fresh(50)).await;
    assert!(whats(&report)[0].contains("after 4 bytes"), "{report}");
}

#[tokio::test]
async fn an_answer_that_is_not_what_was_posted_is_a_failure() {
    let server = Server::start(|mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            stream.write_all(&response(200, "1", b"another's order")).await.unwrap();
        }
    })
    .await;
    let report = until_failed(server.load().post(50)).await;
    assert_eq!(whats(&report)[0], "the answer was not what had been sent: 15 bytes came back");
}

#[tokio::test]
async fn what_is_not_http_is_a_failure() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n\r\n").await.unwrap();
    })
    .await;
    let report = until_failed(server.load().fresh(50)).await;
    assert!(whats(&report)[0].starts_with("invalid HTTP version parsed"), "{report}");
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_failure_after_the_limit() {
    let server =
        Server::start(
            |mut stream, _| async move { while read_request(&mut stream).await.is_some() {} },
        )
        .await;
    let limit = Duration::from_millis(200);
    let report = until_failed(server.load().keep_alive(50, 1).fresh(50).timeout(limit)).await;
    assert!(
        whats(&report).iter().all(|what| *what == "no whole response within 200ms"),
        "{report}"
    );
    assert_eq!(report.failed(), report.sent());
}

#[tokio::test]
async fn connections_closed_while_idle_are_reconnects_and_not_failures() {
    // Each connection answers twice; then it is closed without a word, as proxies do.
    let server = Server::start(|mut stream, _| async move {
        for _ in 0..2 {
            let Some((_, body)) = read_request(&mut stream).await else { return };
            stream.write_all(&response(200, "1", &body)).await.unwrap();
        }
    })
    .await;
    let running = server.load().keep_alive(50, 2).post(50).start();
    running
        .wait_until(SOON, |report| {
            report.classes.len() == 2 && report.classes.values().all(|class| class.reconnects >= 3)
        })
        .await;
    let report = running.stop().await;
    assert!(report.is_clean(), "{report}");
    for class in [Class::KeepAlive, Class::Post] {
        assert!(report.classes[&class].reconnects >= 3, "{report}");
    }
}

#[tokio::test]
async fn a_reconnect_that_is_refused_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = Target { address: listener.local_addr().unwrap(), host: String::from("shop") };
    let running = Load::new(target).keep_alive(20, 1).start();
    let (mut stream, _) = listener.accept().await.unwrap();
    drop(listener);
    read_request(&mut stream).await;
    stream.write_all(&response(200, "1", b"")).await.unwrap();
    drop(stream);
    running.wait_until(SOON, |report| report.failed() >= 1).await;
    let report = running.stop().await;
    let counts = &report.classes[&Class::KeepAlive];
    assert_eq!((counts.ok, counts.reconnects), (1, 1), "{report}");
    assert_eq!(whats(&report)[0], "connection refused");
}

#[tokio::test]
async fn a_host_that_cannot_be_sent_is_named() {
    let server = Server::start(|stream, _| serve_well(stream, "1")).await;
    let target = Target { address: server.address, host: String::from("shop\r\nX: y") };
    let report = until_failed(Load::new(target).keep_alive(20, 1).fresh(20)).await;
    assert!(whats(&report)[0].contains("cannot be a Host header"), "{report}");
}
