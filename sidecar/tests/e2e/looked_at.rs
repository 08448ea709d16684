//! What a page shows of an app beside its status: what it uses, what its file says, what is in its
//! log; and the API's description.

use std::io::Write;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;
use vial_protocol::live::{Live, Metrics};
use vial_protocol::settings::Settings;
use vial_protocol::{LogChunk, Slot};

use super::QUICK;
use crate::support::stub::Stub;
use crate::support::{Host, Setup, web};

async fn get(host: &Host, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nhost: vial\r\nconnection: close\r\n\r\n");
    web::unix(&host.socket(), &request).await
}

async fn read<T: DeserializeOwned>(host: &Host, path: &str) -> T {
    let (status, body) = get(host, path).await;
    assert_eq!(status, 200, "{path}: {body}");
    // What is long comes in chunks, each behind its length.
    let begin = body.find(['{', '[']).unwrap();
    let whole = body[begin..].split("\r\n").step_by(2).collect::<String>();
    serde_json::from_str(&whole).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
}

async fn with_a_stub(lines: &str) -> Host {
    let host = Setup::new().app("shop", lines).start().await;
    let archive = Stub::new(1).archive(&host.path("stubs"));
    host.vial(&["deploy", "shop", archive.to_str().unwrap()]).await.ends(0);
    host
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slot_uses_is_measured_although_nobody_looked() {
    let host = with_a_stub(QUICK).await;
    let deadline = Instant::now() + Duration::from_secs(120);
    let metrics = loop {
        let metrics: Metrics = read(&host, "/v1/apps/shop/metrics").await;
        // The first sample may be older than the deploy.
        if metrics.samples.iter().any(|it| !it.slots.is_empty()) && !metrics.health.is_empty() {
            break metrics;
        }
        assert!(Instant::now() < deadline, "{metrics:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(metrics.app, "shop");
    let slots = metrics.samples.iter().find(|it| !it.slots.is_empty()).unwrap();
    let blue = &slots.slots[0];
    assert_eq!(blue.slot, Slot::Blue);
    assert!(blue.memory > 256 << 10 && blue.memory < 1 << 30, "{metrics:#?}");
    assert!((0.0..8.0).contains(&blue.cpu), "{metrics:#?}");
    // Caddy counts, and nothing is in flight.
    assert_eq!(slots.in_flight, Some(0), "{metrics:#?}");
    assert!(metrics.health[0].healthy);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_what_a_slot_uses_is_told_every_other_second() {
    let host = with_a_stub(QUICK).await;
    let mut stream = UnixStream::connect(host.socket()).await.unwrap();
    stream.write_all(b"GET /v1/stream HTTP/1.1\r\nhost: vial\r\n\r\n").await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut told: Vec<(Instant, Metrics)> = Vec::new();
    let follow = async {
        while told.len() < 4 {
            let line = lines.next_line().await.unwrap().expect("the stream ended");
            let Some(json) = line.strip_prefix("data:") else { continue };
            match serde_json::from_str(json.trim()).unwrap() {
                Live::Hello(hello) => {
                    let body = r#"{"metrics": ["shop"]}"#;
                    let request = format!(
                        "PUT /v1/streams/{} HTTP/1.1\r\nhost: vial\r\nconnection: close\r\n\
                         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                        hello.stream,
                        body.len()
                    );
                    assert_eq!(web::unix(&host.socket(), &request).await.0, 204);
                }
                Live::Metrics(metrics) => told.push((Instant::now(), metrics)),
                _ => {}
            }
        }
    };
    timeout(Duration::from_secs(120), follow).await.expect("metrics in the stream");
    for (_, metrics) in &told {
        assert_eq!((metrics.app.as_str(), metrics.every_ms), ("shop", 2000));
        assert_eq!(metrics.samples.len(), 1);
    }
    // However slow the host: faster than when nobody looks, and not faster than promised.
    let times: Vec<_> = told.iter().map(|(_, it)| it.samples[0].at.as_millisecond()).collect();
    let apart = times.windows(2).map(|it| it[1] - it[0]).collect::<Vec<_>>();
    assert!(apart.iter().any(|it| (1_000..8_000).contains(it)), "{apart:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_settings_are_those_of_the_file_without_what_lets_anybody_in() {
    let source = "[source]\ngit = \"https://ana:s3cret@example.com/shop.git\"\n\
                  build = [\"mix deps.get --only prod\", \"./fetch --token s3cret\"]";
    let host = Setup::new().app("shop", &format!("{QUICK}\n{source}")).start().await;
    let (_, body) = get(&host, "/v1/apps/shop/settings").await;
    assert!(!body.contains("s3cret"), "{body}");
    let settings: Settings = read(&host, "/v1/apps/shop/settings").await;
    assert_eq!(settings.file, host.path("apps/shop.toml").display().to_string());
    assert_eq!(settings.ports.len(), 2);
    assert_eq!(settings.ports[0].port, host.port("shop", Slot::Blue));
    assert!(settings.health.starts_with("GET /health, 200, within "), "{}", settings.health);
    assert_eq!((settings.bake_ms, settings.drain_ms), (0, 5000));
    let source = settings.source.unwrap();
    assert_eq!(source.git, "https://example.com/shop.git");
    assert_eq!(source.build, ["mix deps.get --only prod", "./fetch …"]);
    assert_eq!(source.hook, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_searched_and_taken_without_the_values_of_the_environment() {
    let host = with_a_stub(QUICK).await;
    host.set("KEY", "very-s3cret-value", &["--secret"]).await.ends(0);
    let log = host.state.join("apps/shop/slots/blue.log");
    let mut log = std::fs::OpenOptions::new().append(true).open(log).unwrap();
    let mut text = String::new();
    for number in 0..30_000 {
        let level = if number % 1000 == 999 { "error" } else { "info" };
        text.push_str(&format!("06:03:52 [{level}] number {number} of them\n"));
    }
    text.push_str("06:03:53 [info] the key is very-s3cret-value\n");
    log.write_all(text.as_bytes()).unwrap();

    let path = "/v1/apps/shop/logs/search?slot=blue";
    let page: LogChunk = read(&host, &format!("{path}&level=error&limit=20")).await;
    let texts: Vec<&str> = page.lines.iter().map(|it| it.text.as_str()).collect();
    assert_eq!(texts.len(), 20);
    assert_eq!(texts[19], "06:03:52 [error] number 29999 of them");
    let before = page.cursor;
    let rest = format!("{path}&level=error&limit=20&before={before}");
    let page: LogChunk = read(&host, &rest).await;
    assert_eq!(page.lines.len(), 10, "{page:?}");
    assert_eq!(page.cursor, 0);

    let page: LogChunk = read(&host, &format!("{path}&text=NUMBER%2012345%20")).await;
    assert_eq!(page.lines.len(), 1);
    // Who may not see a value learns nothing of it by searching.
    let page: LogChunk = read(&host, &format!("{path}&text=very-s3cret")).await;
    assert_eq!(page.lines, []);
    let page: LogChunk = read(&host, &format!("{path}&text=the%20key%20is")).await;
    assert_eq!(page.lines.len(), 1);
    assert!(!page.lines[0].text.contains("s3cret"), "{page:?}");

    let (status, body) = get(&host, "/v1/apps/shop/logs/text?slot=blue").await;
    assert_eq!(status, 200);
    assert!(!body.contains("s3cret"));
    assert_eq!(body.matches(" of them").count(), 30_000);
    let (status, body) = get(&host, &format!("{path}&level=loud")).await;
    assert_eq!((status, body.contains("debug, info, warning or error")), (400, true), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_api_describes_itself() {
    let host = Setup::new().start().await;
    let document: serde_json::Value = read(&host, "/openapi.json").await;
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/web/openapi.json"));
    let kept: serde_json::Value = serde_json::from_str(&kept.unwrap()).unwrap();
    assert!(document == kept);
}
