//! Logs, as they can be asked for: a slot's, and that of a build.

use jiff::Timestamp;
use vial_protocol::{BuildChunk, LogChunk, Slot};

use super::error::ClientError;
use super::http::{Client, app_path, with_query};

/// Which part of a slot's log. What is left out: the slot that is active now, and its last lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAsk {
    /// Which slot.
    pub slot: Option<Slot>,
    /// So many of the last lines.
    pub lines: Option<u32>,
    /// From there on; the rest then does not count.
    pub cursor: Option<u64>,
    /// What was written since.
    pub since: Option<Timestamp>,
}

impl LogAsk {
    pub(super) fn target(&self, app: &str, follow: bool) -> String {
        let LogAsk { slot, lines, cursor, since } = self;
        let from_the_end = cursor.is_none();
        with_query(
            app_path(app, "/logs"),
            &[
                ("slot", slot.map(|slot| slot.to_string())),
                ("lines", lines.filter(|_| from_the_end).map(|lines| lines.to_string())),
                ("since", since.filter(|_| from_the_end).map(|since| since.to_string())),
                ("cursor", cursor.map(|cursor| cursor.to_string())),
                ("follow", follow.then(|| "true".into())),
            ],
        )
    }
}

/// Which part of a build's log: all of it, where nothing is said.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuildAsk {
    /// So many of the last lines.
    pub lines: Option<u32>,
    /// From there on; the rest then does not count.
    pub cursor: Option<u64>,
}

impl BuildAsk {
    pub(super) fn target(&self, app: &str, number: u64, follow: bool) -> String {
        let lines = self.lines.filter(|_| self.cursor.is_none());
        with_query(
            app_path(app, &format!("/deployments/{number}/log")),
            &[
                ("lines", lines.map(|lines| lines.to_string())),
                ("cursor", self.cursor.map(|cursor| cursor.to_string())),
                ("follow", follow.then(|| "true".into())),
            ],
        )
    }
}

impl Client {
    /// Part of what a deployment's build printed.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn build_log(
        &self,
        app: &str,
        number: u64,
        ask: &BuildAsk,
    ) -> Result<BuildChunk, ClientError> {
        self.get(&ask.target(app, number, false)).await
    }

    /// Part of a slot's log.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn logs(&self, app: &str, ask: &LogAsk) -> Result<LogChunk, ClientError> {
        self.get(&ask.target(app, false)).await
    }
}
