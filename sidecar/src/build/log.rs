//! What a build printed, kept line by line as it comes.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Begins a line that Vial itself wrote.
pub const OWN: &str = "==> ";

/// How many of the last lines are at hand for a failure.
const LAST: usize = 15;

/// How many bytes of the log Vial's own lines may take, whatever the build printed.
const OWN_ROOM: u64 = 64 << 10;

/// What must not be written of a line, left out.
pub type Hide = Box<dyn Fn(&str) -> String + Send + Sync>;

/// A log that is written.
pub struct BuildLog {
    file: File,
    last: VecDeque<String>,
    written: u64,
    most: u64,
    hide: Option<Hide>,
}

impl fmt::Debug for BuildLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BuildLog").field("file", &self.file).finish_non_exhaustive()
    }
}

impl BuildLog {
    /// Begins one: at most `most` bytes of what is not Vial's own.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn create(path: &Path, most: u64) -> io::Result<BuildLog> {
        let file = OpenOptions::new().create_new(true).append(true).mode(0o640).open(path)?;
        Ok(BuildLog { file, last: VecDeque::new(), written: 0, most, hide: None })
    }

    /// Writes each line as `hide` leaves it.
    #[must_use]
    pub fn hiding(mut self, hide: Hide) -> BuildLog {
        self.hide = Some(hide);
        self
    }

    /// A line of Vial's own.
    pub fn say(&mut self, text: &str) {
        self.put(&format!("{OWN}{text}"));
    }

    /// A line of a program. Whether there was room for it.
    pub fn line(&mut self, text: &str) -> bool {
        if self.written.saturating_add(text.len() as u64 + 1) > self.most {
            return false;
        }
        self.put(text);
        true
    }

    /// How many bytes a program may print at most.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.most
    }

    /// The last lines, for a failure's message.
    #[must_use]
    pub fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    fn put(&mut self, text: &str) {
        if self.written > self.most + OWN_ROOM {
            return;
        }
        let text = &self.hide.as_ref().map_or_else(|| text.to_owned(), |hide| hide(text));
        self.written += text.len() as u64 + 1;
        if self.last.len() == LAST {
            self.last.pop_front();
        }
        self.last.push_back(text.clone());
        // On a full disk the build fails by itself; its log says so as far as there is room.
        let _ = self.file.write_all(format!("{text}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_takes_so_much_and_what_vial_says_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("build.log");
        let mut log = BuildLog::create(&path, 10).unwrap();
        assert!(log.line("one"));
        assert!(log.line("two"));
        assert!(!log.line("three"));
        log.say("It was stopped.");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n==> It was stopped.\n");
        assert_eq!(log.last(), ["one", "two", "==> It was stopped."]);
        assert!(BuildLog::create(&path, 10).is_err(), "a log is never written over");
    }
}
