//! Reading a slot's log on from a cursor, for whoever follows it.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use vial_protocol::{LogChunk, Slot};

use crate::app::handle::App;
use crate::log::follow::Follower;
use crate::log::{self, LogRead, Unfinished};
use crate::vault::Vault;

/// A slot's log from a cursor on.
pub(super) struct LogReader {
    path: PathBuf,
    slot: Slot,
    vault: Arc<Vault>,
    cursor: u64,
    follower: Option<Follower>,
}

impl LogReader {
    /// Reads what follows `cursor` in the log of a slot.
    pub(super) fn new(app: &App, slot: Slot, cursor: u64) -> LogReader {
        let context = app.context();
        let path = context.layout.log(slot);
        LogReader { path, slot, vault: context.vault.clone(), cursor, follower: None }
    }

    /// Where what comes next begins.
    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The next lines, about `most` bytes of them, once there are any. May be dropped and called
    /// again without losing one.
    ///
    /// # Errors
    /// Where the log cannot be watched or read.
    pub(super) async fn more(&mut self, most: usize) -> io::Result<LogChunk> {
        let mut seen = self.cursor;
        loop {
            let follower = match &mut self.follower {
                Some(follower) => follower,
                none => none.insert(Follower::new(&self.path)?),
            };
            follower.grown(seen).await?;
            let (path, cursor) = (self.path.clone(), self.cursor);
            let read = tokio::task::spawn_blocking(move || {
                let length = log::len(&path)?;
                Ok((length, log::read(&path, cursor, most, Unfinished::Wait)?))
            });
            let (length, read) = read.await.unwrap_or_else(|panic| Err(io::Error::other(panic)))?;
            if read.cursor > self.cursor {
                self.cursor = read.cursor;
                return Ok(chunk(self.slot, read, &self.vault));
            }
            // Half a line: its rest makes the log longer than it was.
            seen = length;
        }
    }
}

/// As it is served: without the values of the app's environment. The file is the app's own.
pub(super) fn chunk(slot: Slot, read: LogRead, vault: &Vault) -> LogChunk {
    let mut lines = read.lines;
    for line in &mut lines {
        if let Cow::Owned(masked) = vault.mask(&line.text) {
            line.text = masked;
        }
    }
    LogChunk { slot, lines, cursor: read.cursor, gap: read.gap }
}
