//! What the daemon says of itself: to systemd's journal where standard error leads there, for people
//! on a terminal, one JSON object a line elsewhere.

use std::io::{IsTerminal, stderr};
use std::path::Path;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::journal::{self, Journal};
use crate::config::{Log, LogFormat};

/// Starts logging. `RUST_LOG` beats the configured level.
pub fn start(log: &Log) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(log.level.as_str()));
    let wanted = match log.format {
        LogFormat::Journal => true,
        LogFormat::Auto => journal::has_stderr(),
        LogFormat::Human | LogFormat::Json => false,
    };
    let connected = wanted.then(|| Journal::connect(Path::new(journal::SOCKET)));
    let away = match connected {
        Some(Ok(journal)) => {
            let _ = tracing_subscriber::registry().with(filter).with(journal).try_init();
            return;
        }
        Some(Err(error)) => Some(error),
        None => None,
    };
    let human = match log.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto | LogFormat::Journal => stderr().is_terminal(),
    };
    let builder = fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // A second daemon in one process (a test) keeps the first one's.
    let _ = if human {
        builder.with_ansi(stderr().is_terminal()).try_init()
    } else {
        builder.json().flatten_event(true).with_current_span(false).try_init()
    };
    if let Some(error) = away {
        tracing::warn!(%error, socket = journal::SOCKET, "no journal: logging to standard error");
    }
}
