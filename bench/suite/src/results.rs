//! What a run brings: the JSON that `bin/bench --json` writes, and that the README's table is made of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::machine::Machine;
use crate::process::{Idle, Memory};

/// All of it. A group that was not asked for is absent; one that failed says why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Results {
    /// Where and when.
    pub machine: Machine,
    /// Whether little was measured, only to see that it works.
    pub quick: bool,
    /// From the command to the first answer of the previous release, by how it was brought back:
    /// `floor`, `cold`, `warm`, `frozen`, `script`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rollback_ms: BTreeMap<String, Figures>,
    /// More about the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Rollback>,
    /// What switches lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Losses>,
    /// What the daemon costs, by how many apps it has.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Apps>,
    /// What it costs, by how long its history is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// What it costs, by how much a release writes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub logs: Vec<Logs>,
    /// The groups that failed, and why.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub failed: BTreeMap<String, String>,
}

/// What belongs to the rollbacks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollback {
    /// The median of the cold ones, as a multiple of the floor's.
    pub cold_to_floor: Option<f64>,
    /// The parts of a rollback, in milliseconds: `command` (the command line's own start and end),
    /// and the daemon's time from the request to the switch for each way.
    pub parts_ms: BTreeMap<String, Figures>,
    /// What visitors lost meanwhile, by way.
    pub losses: BTreeMap<String, Lost>,
    /// What was not measured, and why.
    pub missing: BTreeMap<String, String>,
    /// What other tools wait by default: from their documentation, not measured.
    pub elsewhere: Vec<Elsewhere>,
}

/// A wait that another tool imposes by default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Elsewhere {
    /// Which tool.
    pub tool: String,
    /// What it waits for, and how long.
    pub waits: String,
    /// Where that is written.
    pub source: String,
    /// When it was read there.
    pub read: String,
}

/// What visitors lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Requests sent.
    pub requests: u64,
    /// Those without a whole and good answer.
    pub failed: u64,
    /// Kept connections that were closed while they were idle.
    pub closed_connections: u64,
    /// WebSockets that were open.
    pub websockets: u64,
    /// Those that were closed although nobody had told their release to end.
    pub dropped_websockets: u64,
    /// WebSocket messages sent.
    pub messages: u64,
    /// Those whose echo did not come, although nobody had told their release to end.
    pub lost_messages: u64,
}

impl Lost {
    /// Adds what was lost another time.
    pub fn add(&mut self, more: &Lost) {
        self.requests += more.requests;
        self.failed += more.failed;
        self.closed_connections += more.closed_connections;
        self.websockets += more.websockets;
        self.dropped_websockets += more.dropped_websockets;
        self.messages += more.messages;
        self.lost_messages += more.lost_messages;
    }
}

/// What so many rollbacks lost under load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// By which way traffic was switched.
    pub way: String,
    /// How many rollbacks.
    pub rollbacks: usize,
    /// What they lost.
    #[serde(flatten)]
    pub lost: Lost,
    /// How long requests took that were answered, at the 99th of a hundred, in milliseconds.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// From each command to its end.
    pub rollback_ms: Figures,
}

/// What the daemon costs with so many apps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Apps {
    /// How many.
    pub apps: usize,
    /// What runs in their slots: `stub` or `shop`.
    pub release: String,
    /// Its memory at rest, in MiB.
    pub memory: Memory,
    /// The same after the deploys.
    pub memory_after: Memory,
    /// The most of it during the deploys, in MiB.
    pub peak: f64,
    /// Its threads.
    pub threads: u64,
    /// What it costs while nothing happens but health checks.
    pub idle: Idle,
    /// Its processor time for one deploy, in milliseconds.
    pub deploy_cpu_ms: f64,
    /// How many deploys that is of.
    pub deploys: usize,
    /// How long one took, up to four at once.
    pub deploy_ms: Figures,
    /// How long a status takes, in milliseconds, by who asks for what: `socket app`, `socket host`,
    /// `command app`, `command host`, `nif app`.
    pub status_ms: BTreeMap<String, Figures>,
    /// What was not measured, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, String>,
}

/// What the daemon costs after so many deployments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// How many deployments.
    pub deployments: u64,
    /// The size of the history's file, in MiB.
    pub file: f64,
    /// The newest page of it.
    pub page_ms: Figures,
    /// A page in the middle of it.
    pub middle_ms: Figures,
    /// One deployment with its steps.
    pub one_ms: Figures,
    /// The plan of a rollback.
    pub plan_ms: Figures,
    /// The app's status.
    pub status_ms: Figures,
    /// From the start of the daemon to its first answer, its slots running.
    pub start_ms: Figures,
    /// Its memory, in MiB.
    pub memory: Memory,
}

/// What the daemon costs while a release writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logs {
    /// How many lines a second were to be written; absent: as many as can be.
    pub asked: Option<u64>,
    /// How many were.
    pub lines_per_second: f64,
    /// How many a second were taken in, until the log was within its bounds again.
    pub kept_up_with: f64,
    /// For how long.
    pub seconds: f64,
    /// Whether somebody followed the log meanwhile.
    pub followed: bool,
    /// How much of a core the daemon took, in per cent.
    pub core_percent: f64,
    /// The most of its memory, in MiB.
    pub peak: f64,
    /// The most that the log took on the disk before it was compressed, in MiB.
    pub live: f64,
    /// How long after the last line the log was within its bounds again, in seconds.
    pub behind: f64,
    /// How many lines the follower was told.
    pub told: u64,
    /// How many lines it missed, or was told twice.
    pub wrong: u64,
}
