//! Lines, as they are cut out of what was read.

use vial_protocol::LogLine;

/// A longer line is read as several.
pub const LINE: usize = 64 << 10;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRead {
    /// Whole lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to read on.
    pub cursor: u64,
    /// How many bytes before them were asked for and are no longer kept.
    pub gap: u64,
}

/// What to do with a last line that has no line break yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Leave it for the next read: the rest may be on its way.
    Wait,
    /// Take it: nothing follows.
    Take,
}

/// Cuts bytes that begin at offset `at` into lines.
pub(super) fn split(mut bytes: &[u8], mut at: u64, unfinished: Unfinished) -> LogRead {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let window = &bytes[..bytes.len().min(LINE)];
        let (length, taken) = match window.iter().position(|byte| *byte == b'\n') {
            Some(length) => (length, length + 1),
            None if window.len() == LINE => (LINE, LINE),
            None if unfinished == Unfinished::Take => (window.len(), window.len()),
            None => break,
        };
        let line = bytes[..length].strip_suffix(b"\r").unwrap_or(&bytes[..length]);
        lines.push(LogLine { at, text: String::from_utf8_lossy(line).into_owned() });
        bytes = &bytes[taken..];
        at += taken as u64;
    }
    LogRead { lines, cursor: at, gap: 0 }
}
