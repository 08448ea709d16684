//! What was counted, as a test reads it and as it is written to a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The key for responses that named no version or slot.
pub const UNKNOWN: &str = "unknown";

/// A kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// GETs on connections that are kept.
    KeepAlive,
    /// GETs on a new connection each.
    Fresh,
    /// Slow GETs on a new connection each, so that some are always in flight.
    Slow,
    /// POSTs on kept connections, whose answer must be what was sent.
    Post,
    /// WebSockets. They are counted in [`WebSocketReport`], and named so in failures.
    Websocket,
}

/// Everything that was counted up to one moment. All times are milliseconds since the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// When the load started, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// How long it has run, the wait for the last answers included.
    pub elapsed_ms: u64,
    /// How long requests were sent.
    pub sending_ms: u64,
    /// The requests, by kind of client.
    pub classes: BTreeMap<Class, ClassReport>,
    /// The releases that answered, by `x-shop-version`.
    pub versions: BTreeMap<String, Sighting>,
    /// The slots that answered, by `x-shop-slot`.
    pub slots: BTreeMap<String, Sighting>,
    /// Each time that the most recently sent request was answered by another version than the
    /// one sent before it: when the clients saw a switch. The first 1,000.
    pub changes: Vec<Change>,
    /// The first 100 failures, of requests and WebSockets.
    pub failures: Vec<Failure>,
    /// The WebSockets.
    pub websockets: WebSocketReport,
}

impl Report {
    /// Requests sent, of all kinds.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.classes.values().map(|class| class.sent).sum()
    }

    /// Requests answered as they should be, of all kinds.
    #[must_use]
    pub fn ok(&self) -> u64 {
        self.classes.values().map(|class| class.ok).sum()
    }

    /// Requests lost, of all kinds.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.classes.values().map(|class| class.failed).sum()
    }

    /// Whether nothing at all was lost: no request, no WebSocket, no message.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let sockets = &self.websockets;
        self.failed() == 0 && sockets.failed == 0 && sockets.drops == 0 && sockets.lost == 0
    }

    /// When a version first answered.
    #[must_use]
    pub fn first_seen(&self, version: &str) -> Option<u64> {
        self.versions.get(version).map(|sighting| sighting.first_seen_ms)
    }

    /// When a version last answered.
    #[must_use]
    pub fn last_seen(&self, version: &str) -> Option<u64> {
        self.versions.get(version).map(|sighting| sighting.last_seen_ms)
    }
}

/// The requests of one kind of client.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Sent, with those still in flight.
    pub sent: u64,
    /// Answered as they should be.
    pub ok: u64,
    /// Lost.
    pub failed: u64,
    /// Kept connections that the server had closed while they were idle: not failures.
    pub reconnects: u64,
    /// Responses, good and bad, by `x-shop-version`.
    pub by_version: BTreeMap<String, u64>,
    /// Half of the good answers took at most so long, counted from when the request was due.
    pub latency_p50_ms: f64,
    /// 99 of 100 good answers took at most so long.
    pub latency_p99_ms: f64,
    /// The slowest good answer.
    pub latency_max_ms: f64,
}

/// When one version or slot was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When its first response arrived.
    pub first_seen_ms: u64,
    /// When its last response arrived.
    pub last_seen_ms: u64,
    /// When the last request that it answered was sent: after a switch, none later.
    pub last_sent_ms: u64,
    /// Its responses, good and bad.
    pub responses: u64,
    /// Those of its responses that count as failures.
    pub failed: u64,
}

/// A switch, as the clients saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When the first answer of the other version arrived.
    pub at_ms: u64,
    /// The version that answers from here on.
    pub version: String,
}

/// A request or WebSocket that was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When it was known to be lost.
    pub at_ms: u64,
    /// The kind of client that lost it.
    pub class: Class,
    /// What happened, precisely.
    pub what: String,
    /// The version that gave the answer, where there was one.
    pub version: Option<String>,
}

/// The WebSockets. They open at the start and stay open until [`stop`](crate::Running::stop).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebSocketReport {
    /// Handshakes that succeeded, reopened WebSockets among them.
    pub opened: u64,
    /// Handshakes that failed.
    pub failed: u64,
    /// Open now; after `stop`: open when it was called.
    pub alive: u64,
    /// How many the other side ended, by a close frame or without one.
    pub drops: u64,
    /// Those, the first 10,000 of them.
    pub dropped: Vec<Dropped>,
    /// Numbered messages sent.
    pub messages_sent: u64,
    /// Messages whose echo came back, whole and in order.
    pub echoed: u64,
    /// Messages whose echo can no longer come.
    pub lost: u64,
}

/// A WebSocket that the other side ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// When its end arrived.
    pub at_ms: u64,
    /// The code of the close frame; none where it ended without one.
    pub code: Option<u16>,
    /// The reason in the close frame, or what ended it without one.
    pub reason: String,
    /// The version that had accepted it.
    pub version: Option<String>,
    /// The slot that had accepted it.
    pub slot: Option<String>,
    /// Messages on it whose echo had not come by then.
    pub lost: u64,
}
