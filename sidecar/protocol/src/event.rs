//! What `GET /v1/events` streams, as server-sent events whose `data` is one of these.

use serde::{Deserialize, Serialize};

use crate::{AppStatus, BuildChunk, LogChunk};

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// An app changed: its whole status. Changes that follow fast are told as one.
    App(Box<AppStatus>),
    /// An app was taken out of the configuration.
    AppRemoved {
        /// Its name.
        name: String,
    },
    /// A slot wrote to its log.
    Log(LogChunk),
    /// A build printed something.
    BuildLog(BuildChunk),
}
