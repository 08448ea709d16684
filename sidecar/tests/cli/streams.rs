//! Logs, watching, scripts and consoles; and a daemon that is not there.

use std::io::{self, Cursor, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::fake::{Fake, app_event, daemon, deployment, events, refused, shop, shop_with, vial};
use axum::extract::RawQuery;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::{broadcast, mpsc};
use vial::cli::command::console::{End, Raw, Told, bridge};
use vial::cli::exit::Exit;
use vial::client::console::{Place, Size};
use vial::client::{Client, ClientError};
use vial_protocol::request::{Evaluate, Evaluated};
use vial_protocol::{Code, Event, Kind, LogChunk, LogLine, Problem, Slot, Status};

fn chunk(at: u64, lines: &[&str]) -> LogChunk {
    let lines: Vec<LogLine> =
        lines.iter().map(|text| LogLine { at, text: (*text).into() }).collect();
    LogChunk { slot: Slot::Green, lines, cursor: at + 10, gap: 0 }
}

#[tokio::test]
async fn a_daemon_that_is_not_there_is_told_apart_from_one_that_left_its_socket() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.sock");
    let stale = folder.path().join("stale.sock");
    drop(StdListener::bind(&stale).unwrap());
    for (path, said, next) in [
        (&missing, "there is no socket at", "`systemctl start vial`"),
        (&stale, "nothing listens on", "`systemctl restart vial`"),
    ] {
        for arguments in ["status", "rollback shop", "logs shop -f", "deploy shop -", "reload"] {
            let ran = vial(path, arguments).run().await;
            assert_eq!((ran.exit.code(), ran.out.as_str()), (4, ""), "{arguments}");
            assert!(ran.err.starts_with("The daemon is not running: "), "{}", ran.err);
            assert!(ran.err.contains(said) && ran.err.contains(next), "{}", ran.err);
            assert!(ran.err.contains(path.to_str().unwrap()), "{}", ran.err);
        }
        let ran = vial(path, "status --json").run().await;
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!((ran.exit, &json["code"]), (Exit::Unreachable, &"unreachable".into()));
    }
}

#[tokio::test]
async fn what_is_not_a_daemon_is_not_obeyed() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\noops",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.sock");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 512];
            assert!(stream.read(&mut head).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        });
        let ran = vial(&path, "status").run().await;
        assert_eq!(ran.exit, Exit::Failed, "{answer}");
        assert!(ran.err.contains("does not understand"), "{}", ran.err);
        server.await.unwrap();
    }
}

#[tokio::test]
async fn a_log_is_printed_without_what_a_terminal_would_obey() {
    let fake = Fake::new(Router::new().route(
        "/v1/apps/shop/logs",
        get(|RawQuery(query): RawQuery| async move {
            assert_eq!(query.as_deref(), Some("slot=green&lines=2"));
            Json(chunk(0, &["\x1b[31mone\x1b[0m", "two\x1b[2J\x1b]0;t\x07"]))
        }),
    ));
    let ran = vial(&fake.path(), "logs shop -s green -n 2").run().await;
    assert_eq!((ran.exit, ran.out.as_str()), (Exit::Done, "one\ntwo\n"));
}

#[tokio::test]
async fn a_followed_log_goes_on_where_it_was_when_the_daemon_comes_back() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let routes = |line: &'static str, at: u64| {
        let asked = Arc::clone(&asked);
        Router::new().route(
            "/v1/apps/shop/logs",
            get(move |RawQuery(query): RawQuery| async move {
                asked.lock().unwrap().push(query.unwrap());
                let later = broadcast::channel(1).0;
                let answer = events(vec![Event::Log(chunk(at, &[line]))], Some(later.subscribe()));
                // Kept open until the server ends.
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop(later);
                });
                answer
            }),
        )
    };
    let mut fake = Fake::new(routes("one", 0));
    let run = vial(&fake.path(), "logs shop -f --lines 5");
    let (out, interrupt) = (run.out.clone(), run.interrupt.clone());
    let running = tokio::spawn(run.run());
    let until = async |text: &str| {
        while !out.text().contains(text) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    until("one\n").await;
    fake.die().await;
    fake.come_back(routes("two", 10));
    until("two\n").await;
    interrupt.cancel();
    let ran = running.await.unwrap();
    assert_eq!((ran.exit.code(), ran.out.as_str()), (130, "one\ntwo\n"));
    assert!(ran.err.contains("connection to the daemon lost. Reconnecting…"));
    assert_eq!(*asked.lock().unwrap(), ["lines=5&follow=true", "slot=green&cursor=10&follow=true"]);
}

#[tokio::test]
async fn watching_elsewhere_than_on_a_terminal_prints_a_line_a_change() {
    let changes = broadcast::channel(4).0;
    let sender = changes.clone();
    let fake = Fake::new(
        Router::new().route("/v1/status", get(|| async { Json(daemon(vec![shop()])) })).route(
            "/v1/events",
            get(move || async move { events(vec![app_event(shop())], Some(sender.subscribe())) }),
        ),
    );
    let run = vial(&fake.path(), "status shop --watch");
    let (out, interrupt) = (run.out.clone(), run.interrupt.clone());
    let running = tokio::spawn(run.run());
    while changes.receiver_count() == 0 || out.text().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    changes.send(app_event(shop_with(deployment(Kind::Deploy, Status::Starting)))).unwrap();
    while out.text().lines().count() < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    interrupt.cancel();
    let ran = running.await.unwrap();
    assert_eq!(ran.exit, Exit::Interrupted);
    assert_eq!(
        ran.out,
        "\
03:15:00 shop: v2.0.0 serves since 03:12:01 (2 m ago) from green
03:15:00 shop: v2.0.0 serves since 03:12:01 (2 m ago) from green; #7 deploy of v2.0.0 by anna: \
         Deploying (starting) for 3 m 00 s
"
    );
}

fn script(output: &'static str, status: Option<i32>) -> Router {
    Router::new().route(
        "/v1/apps/shop/rpc",
        post(move |Json(asked): Json<Evaluate>| async move {
            assert_eq!(asked, Evaluate { expression: "-1 + 1".into(), slot: Some(Slot::Blue) });
            Json(Evaluated { output: output.into(), status, truncated: status.is_none() })
        }),
    )
}

#[tokio::test]
async fn a_script_s_status_is_passed_on_and_its_output_too() {
    for (status, code) in [(Some(0), 0), (Some(3), 3), (Some(255), 255), (Some(-9), 1), (None, 1)] {
        let fake = Fake::new(script("\x1b[2Jraw\x00", status));
        let run = || vial(&fake.path(), "rpc shop --slot blue").argument("-1 + 1");
        let ran = run().run().await;
        assert_eq!((ran.exit.code(), ran.out.as_str()), (code, "\x1b[2Jraw\x00"));
        assert_eq!(ran.err.contains("ended by a signal"), status.is_none());
        let ran = run().on_terminal().run().await;
        assert_eq!((ran.exit.code(), ran.out.as_str()), (code, "raw\n"));
    }
}

#[tokio::test]
async fn what_the_daemon_did_is_said_and_what_it_could_not_read_is_named() {
    let fake = Fake::new(
        Router::new()
            .route("/v1/apps/shop/cancel", post(|| async { crate::fake::accepted(Some(7), "Cancelled #7.") }))
            .route("/v1/apps/shop/start", post(|| async { crate::fake::accepted(None, "shop starts.") }))
            .route("/v1/apps/shop/caddy", get(|| async { "shop.example.com {\n}\n" }))
            .route("/v1/reload", post(|| async {
                Json(serde_json::json!({
                    "problems": [Problem::new(Code::Configuration, "shop.toml: unknown key `prots`.")
                        .next("write `ports`")],
                    "warnings": ["api: bake is 0 s"],
                }))
            })),
    );
    for (arguments, code, out, err) in [
        ("cancel shop", 0, "Cancelled #7.\n", ""),
        ("start shop", 0, "shop starts.\n", ""),
        ("caddy snippet shop", 0, "shop.example.com {\n}\n", ""),
        (
            "reload",
            1,
            "",
            "shop.toml: unknown key `prots`.\nNext: write `ports`\nWarning: api: bake is 0 s\nWhat is \
             named above goes on as it was; the rest was read again.\n",
        ),
    ] {
        let ran = vial(&fake.path(), arguments).run().await;
        assert_eq!((ran.exit.code(), ran.out.as_str(), ran.err.as_str()), (code, out, err));
    }
}

/// Standard output whose reader has left.
struct Left;

impl Write for Left {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure() {
    let fake = Fake::new(
        Router::new().route("/v1/apps/shop/logs", get(|| async { Json(chunk(0, &["one"])) })),
    );
    let ran = vial(&fake.path(), "logs shop").writing(Left).run().await;
    assert_eq!((ran.exit, ran.err.as_str()), (Exit::Done, ""));
}

const SIZE: Size = Size { rows: 24, cols: 80 };

/// A console that echoes in capitals, tells the sizes it was given, and ends at `q`.
fn echo(told: mpsc::UnboundedSender<String>) -> Router {
    Router::new().route(
        "/v1/apps/shop/console",
        any(move |RawQuery(query): RawQuery, upgrade: WebSocketUpgrade| async move {
            told.send(query.unwrap()).unwrap();
            upgrade.on_upgrade(async move |mut socket| {
                while let Some(Ok(message)) = socket.next().await {
                    match message {
                        Message::Binary(bytes) if bytes[..] == *b"q" => {
                            let exit = r#"{"exit":{"status":3}}"#;
                            socket.send(Message::text(exit)).await.unwrap();
                            return;
                        }
                        Message::Binary(bytes) => {
                            let loud = bytes.to_ascii_uppercase();
                            socket.send(Message::binary(loud)).await.unwrap();
                        }
                        Message::Text(text) => told.send(text.to_string()).unwrap(),
                        Message::Close(_) => told.send("closed".into()).unwrap(),
                        _ => {}
                    }
                }
            })
        }),
    )
}

#[tokio::test]
async fn a_console_carries_bytes_both_ways_sizes_and_the_end() {
    let (sender, mut told) = mpsc::unbounded_channel();
    let fake = Fake::new(echo(sender));
    let client = Client::new(fake.path());
    let console =
        client.console("shop", Place::Slot(Some(Slot::Blue)), SIZE, "xterm").await.unwrap();
    assert_eq!(told.recv().await.unwrap(), "slot=blue&rows=24&cols=80&term=xterm");
    let ((mut keys, input), (output, mut shown)) = (duplex(64), duplex(64));
    let (sizes, heard) = mpsc::unbounded_channel();
    let heard = futures_util::stream::unfold(heard, |mut heard| async {
        let told = heard.recv().await?;
        Some((told, heard))
    });
    let bridged = tokio::spawn(bridge(console, input, output, Box::pin(heard)));
    keys.write_all(b"ab\x03\x1b[A").await.unwrap();
    let mut came = [0; 6];
    shown.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"AB\x03\x1b[A");
    sizes.send(Told::Size(Size { rows: 50, cols: 132 })).unwrap();
    assert_eq!(told.recv().await.unwrap(), r#"{"resize":{"rows":50,"cols":132}}"#);
    keys.write_all(b"q").await.unwrap();
    assert_eq!(bridged.await.unwrap().unwrap(), End::Exited(3));
}

#[tokio::test]
async fn ctrl_bracket_a_closed_terminal_and_a_signal_leave_a_console() {
    for way in ["key", "end", "signal"] {
        let (sender, mut told) = mpsc::unbounded_channel();
        let fake = Fake::new(echo(sender));
        let console = Client::new(fake.path())
            .console("shop", Place::Slot(None), SIZE, "vt100")
            .await
            .unwrap();
        told.recv().await.unwrap();
        let ((mut keys, input), (output, mut shown)) = (duplex(64), duplex(64));
        let signals: Vec<Told> = if way == "signal" { vec![Told::Leave] } else { vec![] };
        if way == "key" {
            keys.write_all(b"last\x1dnot sent").await.unwrap();
        } else if way == "end" {
            drop(keys);
        }
        let end = bridge(console, input, output, futures_util::stream::iter(signals)).await;
        assert_eq!(end.unwrap(), End::Left, "{way}");
        let heard = tokio::time::timeout(Duration::from_secs(5), told.recv()).await;
        assert_eq!(heard.unwrap().unwrap(), "closed", "{way}");
        let mut rest = Vec::new();
        shown.read_to_end(&mut rest).await.unwrap();
        assert!(!rest.windows(3).any(|bytes| bytes == b"NOT"), "{way}");
    }
}

#[tokio::test]
async fn a_console_that_is_refused_says_why_and_one_that_breaks_off_too() {
    let fake = Fake::new(
        Router::new()
            .route(
                "/v1/apps/shop/console",
                get(|| async { refused(&Problem::new(Code::NotRunning, "blue is stopped.")) }),
            )
            .route(
                "/v1/apps/short/console",
                any(async |upgrade: WebSocketUpgrade| upgrade.on_upgrade(async |_| ())),
            ),
    );
    let client = Client::new(fake.path());
    let refusal = client.console("shop", Place::Slot(None), SIZE, "xterm").await.err().unwrap();
    assert!(matches!(refusal, ClientError::Refused(problem) if problem.code == Code::NotRunning));
    let mut console = client.console("short", Place::Slot(None), SIZE, "xterm").await.unwrap();
    assert!(matches!(console.next().await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn a_console_without_a_terminal_is_refused_with_a_hint() {
    let ran = vial("/nowhere".as_ref(), "console shop").typing(Cursor::new("x")).run().await;
    assert_eq!(ran.exit, Exit::Usage);
    assert!(ran.err.contains("`vial rpc shop EXPR`"), "{}", ran.err);
}

#[test]
fn a_terminal_is_as_it_was_even_after_a_panic() {
    let pty = nix::pty::openpty(None, None).unwrap();
    let modes = || {
        let termios = rustix::termios::tcgetattr(pty.slave.as_fd()).unwrap();
        (termios.local_modes, termios.input_modes, termios.output_modes)
    };
    let before = modes();
    let raw = Raw::enter(pty.slave.try_clone().unwrap()).unwrap();
    assert_ne!(modes(), before);
    drop(raw);
    assert_eq!(modes(), before);
    let slave = pty.slave.try_clone().unwrap();
    let panicked = std::thread::spawn(move || {
        let _raw = Raw::enter(slave).unwrap();
        panic!("inside a console");
    })
    .join();
    assert!(panicked.is_err());
    assert_eq!(modes(), before);
}
