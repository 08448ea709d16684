//! `vial-load`: sends load to an address and says what was lost.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::sync::oneshot;
use vial_load::{Load, Report, Target};

/// Sends HTTP requests and WebSocket messages on a fixed schedule and counts every one that is
/// lost. Exits with 1 if anything was.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Whom to connect to, such as 127.0.0.1:8080.
    #[arg(long)]
    address: SocketAddr,
    /// The Host header.
    #[arg(long, default_value = "localhost")]
    host: String,
    /// Requests a second, mixed: 60 % on kept connections, 20 % on fresh ones, 15 % POST, 5 % slow.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// GETs a second on kept connections, in place of their share of --rate.
    #[arg(long)]
    keep_alive: Option<u32>,
    /// GETs a second on a new connection each, in place of their share of --rate.
    #[arg(long)]
    fresh: Option<u32>,
    /// POSTs a second, in place of their share of --rate.
    #[arg(long)]
    post: Option<u32>,
    /// Slow GETs a second, in place of their share of --rate.
    #[arg(long)]
    slow: Option<u32>,
    /// Kept connections.
    #[arg(long, default_value_t = 24)]
    connections: u32,
    /// How long a slow GET takes, in milliseconds.
    #[arg(long, default_value_t = 300)]
    slow_ms: u32,
    /// WebSockets.
    #[arg(long, default_value_t = 0)]
    websockets: u32,
    /// The time between two messages of a WebSocket.
    #[arg(long, default_value = "1s", value_parser = duration)]
    message_interval: Duration,
    /// Opens dropped WebSockets again.
    #[arg(long)]
    reopen_websockets: bool,
    /// The first status that counts as a failure.
    #[arg(long, default_value_t = 500)]
    expect_status_below: u16,
    /// How long a response may take.
    #[arg(long, default_value = "30s", value_parser = duration)]
    timeout: Duration,
    /// How long to send.
    #[arg(long, default_value = "10s", value_parser = duration, conflicts_with = "until_stdin_closes")]
    duration: Duration,
    /// Sends until standard input ends, for scripts.
    #[arg(long)]
    until_stdin_closes: bool,
    /// Writes the whole report to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// What keeps the load from being sent or told. Its reader typed the command.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the report was not written to {path}: {source}")]
    Json { path: PathBuf, source: io::Error },
    #[error("the report was not written: {0}")]
    Encode(#[from] serde_json::Error),
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(report) if report.is_clean() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(trouble) => {
            eprintln!("vial-load: {trouble}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<Report, Trouble> {
    let running = load(&arguments).start();
    let over = async {
        if arguments.until_stdin_closes {
            stdin_closed().await;
        } else {
            tokio::time::sleep(arguments.duration).await;
        }
    };
    tokio::select! {
        () = over => {}
        // Ending early is no reason to keep back what was counted.
        _ = tokio::signal::ctrl_c() => {}
    }
    let report = running.stop().await;
    print!("{report}");
    if let Some(path) = arguments.json {
        let json = serde_json::to_vec_pretty(&report)?;
        std::fs::write(&path, json).map_err(|source| Trouble::Json { path, source })?;
    }
    Ok(report)
}

fn load(arguments: &Arguments) -> Load {
    let percent = |share: u32| arguments.rate * share / 100;
    let load = Load::new(Target { address: arguments.address, host: arguments.host.clone() })
        .keep_alive(arguments.keep_alive.unwrap_or(percent(60)), arguments.connections)
        .fresh(arguments.fresh.unwrap_or(percent(20)))
        .post(arguments.post.unwrap_or(percent(15)))
        .slow(arguments.slow.unwrap_or(percent(5)), arguments.slow_ms)
        .websockets(arguments.websockets, arguments.message_interval)
        .expect_status_below(arguments.expect_status_below)
        .timeout(arguments.timeout);
    if arguments.reopen_websockets { load.reopen_websockets() } else { load }
}

/// A thread of its own: tokio's would keep the runtime from ending while a read is waiting.
async fn stdin_closed() {
    let (closed, wait) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while matches!(io::stdin().read(&mut buffer), Ok(read) if read > 0) {}
        drop(closed);
    });
    let _ = wait.await;
}

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}"))?;
    Duration::try_from(parsed)
        .ok()
        .filter(|duration| !duration.is_zero())
        .ok_or_else(|| String::from("give a time above zero, such as 10s or 500ms"))
}
