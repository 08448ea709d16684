//! Health checks, against a real server that misbehaves in the ways that releases do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use vial::slot::Exit;
use vial::slot::health::{
    Answer, Check, CommandCheck, Probe, Unhealthy, VerifyFailure, once, until_healthy, verify,
};

const SOON: Duration = Duration::from_secs(10);

/// A server that answers each connection with the next of some bytes, and the last ever after.
struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

async fn server(answers: &[&str]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let mut answers: Vec<String> = answers.iter().rev().map(|answer| (*answer).into()).collect();
    let heard = Arc::clone(&requests);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answers.last().unwrap().clone();
            if answers.len() > 1 {
                answers.pop();
            }
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            heard.lock().unwrap().push(String::from_utf8_lossy(&buffer[..count]).into_owned());
            if answer == "hang" {
                tokio::spawn(async move {
                    let _held = stream;
                    pending::<()>().await;
                });
                continue;
            }
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Server { port, requests }
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

fn probe(port: u16) -> Probe {
    let (path, host) = ("/health?full=1".to_owned(), "shop.example.com".to_owned());
    Probe::Http(Check { port, path, status: 200, host })
}

async fn detail(answer: &str) -> String {
    let server = server(&[answer]).await;
    match once(&probe(server.port), Duration::from_millis(200)).await {
        Answer::NotYet { detail } => detail,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_release_is_asked_as_caddy_would_ask_it() {
    let server = server(&[OK]).await;
    assert!(matches!(once(&probe(server.port), SOON).await, Answer::Healthy { .. }));
    let request = server.requests.lock().unwrap()[0].to_lowercase();
    assert!(request.starts_with("get /health?full=1 http/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nhost: shop.example.com\r\n"), "{request}");
    assert!(request.contains("\r\nx-forwarded-proto: https\r\n"), "{request}");
}

#[tokio::test]
async fn what_is_not_healthy_is_named() {
    assert_eq!(detail(BUSY).await, "503");
    assert_eq!(detail("HTTP/1.1 204 No Content\r\n\r\n").await, "204");
    assert_eq!(detail("hang").await, "timed out after 200 ms");
    assert_eq!(detail("").await, "the connection was closed before the answer ended");
    assert_eq!(detail("SSH-2.0-OpenSSH_9.2\r\n").await, "the answer is not HTTP");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nok";
    assert_eq!(detail(cut).await, "the connection was closed before the answer ended");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let answer = once(&probe(port), SOON).await;
    assert_eq!(answer, Answer::Refused);
    assert_eq!(answer.wrong(), Some("connection refused"));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_and_a_head_without_end_refused() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20));
    let server_of_long = server(&[&long]).await;
    assert!(matches!(once(&probe(server_of_long.port), SOON).await, Answer::Healthy { .. }));
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(1 << 20));
    assert_eq!(detail(&head).await, "the answer is not HTTP");
}

#[tokio::test]
async fn early_errors_mean_not_yet_and_only_successes_in_a_row_count() {
    let server = server(&[BUSY, "", OK, BUSY, OK, OK, OK]).await;
    let healthy = until_healthy(&probe(server.port), 3, SOON, pending()).await.unwrap();
    assert!(healthy.waited < Duration::from_secs(2), "{healthy:?}");
    assert_eq!(server.requests.lock().unwrap().len(), 7);
}

#[tokio::test]
async fn a_process_that_listens_late_is_noticed_at_once() {
    // Bound at once, so that nobody else takes the port; nobody is answered before it listens.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    let late = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let listener = socket.listen(16).unwrap();
        let listening = Instant::now();
        while let Ok((mut stream, _)) = listener.accept().await {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(OK.as_bytes()).await.unwrap();
            if listening.elapsed() > SOON {
                break;
            }
        }
    };
    let probe = probe(port);
    tokio::select! {
        healthy = until_healthy(&probe, 1, SOON, pending()) => {
            assert!(healthy.unwrap().waited >= Duration::from_millis(300));
        }
        () = late => panic!("never asked"),
    }
}

#[tokio::test]
async fn the_end_of_the_process_ends_the_wait_at_once() {
    let server = server(&["hang"]).await;
    let exited = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Exit::Status(1)
    };
    let began = Instant::now();
    let failure = until_healthy(&probe(server.port), 1, SOON, exited).await.unwrap_err();
    assert_eq!(failure, Unhealthy::Exited(Exit::Status(1)));
    assert_eq!(failure.to_string(), "It exited with status 1 before it was healthy.");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn the_deadline_tells_what_was_seen_last() {
    let server = server(&[BUSY]).await;
    let deadline = Duration::from_millis(200);
    let failure = until_healthy(&probe(server.port), 1, deadline, pending()).await.unwrap_err();
    assert_eq!(failure, Unhealthy::Deadline { waited: deadline, detail: "503".into() });
    let silent = self::server(&["hang"]).await;
    let failure = until_healthy(&probe(silent.port), 1, deadline, pending()).await.unwrap_err();
    assert_eq!(failure, Unhealthy::Deadline { waited: deadline, detail: "no answer came".into() });
}

#[tokio::test]
async fn a_path_to_verify_must_answer_below_400() {
    let good =
        server(&["HTTP/1.1 302 Found\r\nlocation: /login\r\ncontent-length: 0\r\n\r\n"]).await;
    assert_eq!(verify(good.port, "/", "localhost").await.unwrap(), 302);
    let bad = server(&["HTTP/1.1 500 Oh\r\n\r\n<h1>\x1b[31mundefined column</h1>"]).await;
    let failure = verify(bad.port, "/login", "localhost").await.unwrap_err();
    assert_eq!(failure.to_string(), "/login answered 500, and must answer below 400.");
    let VerifyFailure::Status { excerpt, .. } = failure else { panic!("{failure}") };
    assert_eq!(excerpt, "<h1>[31mundefined column</h1>");
    let closed = server(&[""]).await;
    let failure = verify(closed.port, "/", "localhost").await.unwrap_err().to_string();
    assert_eq!(failure, "/ was not answered: the connection was closed before the answer ended.");
    let nonsense = verify(good.port, "no path\r\nx: y", "localhost").await.unwrap_err();
    assert!(matches!(nonsense, VerifyFailure::NoAnswer { .. }));
}

#[tokio::test]
async fn a_worker_is_healthy_when_its_command_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("healthy");
    let check = |script: String| {
        Probe::Command(CommandCheck {
            binary: env!("CARGO_BIN_EXE_vial").into(),
            program: "sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            cwd: "/".into(),
            user: None,
            run_id: format!("check-{}", folder.path().display()),
        })
    };
    let by_mark = check(format!("test -e {}", mark.display()));
    let not_yet = Answer::NotYet { detail: "sh exited with status 1".into() };
    assert_eq!(once(&by_mark, SOON).await, not_yet);
    std::fs::write(&mark, "").unwrap();
    until_healthy(&by_mark, 2, SOON, pending()).await.unwrap();
    let Answer::NotYet { detail } =
        once(&check("sleep 1000".into()), Duration::from_millis(300)).await
    else {
        panic!("healthy")
    };
    assert!(detail.starts_with("sh did not end within "), "{detail}");
}
