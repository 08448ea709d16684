//! What `GET /v1/stream` streams: all that a browser's pages follow, in one stream.
//!
//! A browser opens one stream, reads [`Live::Hello`], and says by `PUT /v1/streams/{id}` what it wants
//! beside the apps' status. State is told whole, at the beginning and whenever it changes, so that a
//! stream which was lost is simply opened again; logs go on at the cursor that the page has.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::{AppStatus, BuildChunk, LogChunk, Problem, Slot};

/// One event, the `data` of a server-sent event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Live {
    /// The first of each stream.
    Hello(Hello),
    /// An app changed: its whole status. Changes that follow fast are told as one.
    App(Box<AppStatus>),
    /// An app was taken out of the configuration.
    AppRemoved {
        /// Its name.
        name: String,
    },
    /// Every app was told: what is not known now is not there.
    Complete,
    /// What is wrong with the daemon's configuration now; empty where nothing is.
    Problems {
        /// All of it.
        problems: Vec<Problem>,
    },
    /// What an app's slots used lately.
    Metrics(Metrics),
    /// A slot wrote to its log.
    Log {
        /// Whose.
        app: String,
        /// What.
        chunk: LogChunk,
    },
    /// A build printed something.
    BuildLog {
        /// Whose.
        app: String,
        /// What.
        chunk: BuildChunk,
    },
    /// Somebody did something.
    Audit(Audit),
    /// What was asked for of this kind cannot be followed any more.
    Lost {
        /// Whose.
        app: String,
        /// Why.
        problem: Problem,
    },
}

/// What a stream begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Hello {
    /// Names this stream in `PUT /v1/streams/{id}`.
    pub stream: String,
    /// The daemon's version.
    pub version: String,
    /// When the daemon started.
    pub started_at: Timestamp,
    /// The daemon's time, against which a page reckons how long ago something was.
    pub now: Timestamp,
}

/// `PUT /v1/streams/{id}`: what a stream brings beside the apps' status. What is not named any more
/// ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Topics {
    /// Logs of slots; at most 8.
    pub logs: Vec<LogTopic>,
    /// What builds print; at most 8.
    pub builds: Vec<BuildTopic>,
    /// Apps whose metrics come, every 2 s; at most 100.
    pub metrics: Vec<String>,
    /// Whether rows of the audit log come: for admins.
    pub audit: bool,
}

/// The log of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LogTopic {
    /// Whose.
    pub app: String,
    /// Which.
    pub slot: Slot,
    /// From where on: the cursor of what the page has.
    pub cursor: u64,
}

/// What a deployment's build prints.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BuildTopic {
    /// Whose.
    pub app: String,
    /// The deployment.
    pub number: u64,
    /// From where on.
    pub cursor: u64,
}

/// What an app's slots used: of the last minutes in `GET /v1/apps/{app}/metrics`, of the last
/// moment in a stream. Not kept over a restart of the daemon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metrics {
    /// Whose.
    pub app: String,
    /// How far apart samples are, in milliseconds.
    pub every_ms: u64,
    /// Oldest first.
    pub samples: Vec<Sample>,
    /// Changes of what the health checks said, oldest first; at most 100. In a stream, all of them.
    pub health: Vec<HealthChange>,
}

/// What was measured at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Requests in flight through Caddy, to both slots; absent where Caddy does not say.
    pub in_flight: Option<u64>,
    /// Of the slots that run.
    pub slots: Vec<SlotSample>,
}

/// What a slot used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SlotSample {
    /// Which.
    pub slot: Slot,
    /// Resident memory of its processes together, in bytes.
    pub memory: u64,
    /// CPU since the sample before, as a share of one core: 1.0 is a whole one.
    pub cpu: f64,
    /// Requests in flight to it through Caddy; absent where Caddy does not say.
    pub in_flight: Option<u64>,
}

/// A health check that said something else than the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HealthChange {
    /// Which slot.
    pub slot: Slot,
    /// When.
    pub at: Timestamp,
    /// Whether it passed.
    pub healthy: bool,
    /// What was seen.
    pub detail: String,
}
