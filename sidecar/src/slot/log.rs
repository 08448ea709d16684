//! Reading a slot's log: a file that the release itself appends to.
//!
//! An offset in the file is a cursor for ever: the file only grows, and what is freed at its
//! beginning is punched out and reads as zeros, which are skipped here.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use vial_protocol::LogLine;

/// A longer line is read as several.
pub const LINE: usize = 64 << 10;

/// As far as [`tail`] goes back at most.
const TAIL: u64 = 1 << 20;

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogRead {
    /// Whole lines, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to read on.
    pub cursor: u64,
}

/// What to do with a last line that has no line break yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfinished {
    /// Leave it for the next read: the rest may be on its way.
    Wait,
    /// Take it: nothing follows.
    Take,
}

/// How many bytes the log has ever had; 0 where there is none yet.
///
/// # Errors
/// Where it cannot be looked at.
pub fn len(path: &Path) -> io::Result<u64> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// Reads lines from an offset on, about `max_bytes` of them. A log that does not exist is empty,
/// and an offset past its end is kept: the file may grow to it.
///
/// # Errors
/// Where it cannot be read.
pub fn read(
    path: &Path,
    from: u64,
    max_bytes: usize,
    unfinished: Unfinished,
) -> io::Result<LogRead> {
    let Some(mut file) = open(path)? else { return Ok(LogRead { lines: vec![], cursor: from }) };
    let from = skip_hole(&mut file, from)?;
    let mut bytes = vec![0; max_bytes.max(LINE + 1)];
    let filled = fill(&file, &mut bytes, from)?;
    let bytes = &bytes[..filled];
    // The rest of the block that a hole ends in.
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(split(&bytes[zeros..], from + zeros as u64, unfinished))
}

/// Reads the last `count` lines that begin at `since` or after, the unfinished one included.
///
/// # Errors
/// Where it cannot be read.
pub fn tail(path: &Path, count: usize, since: u64) -> io::Result<LogRead> {
    let end = len(path)?;
    let from = since.max(end.saturating_sub(TAIL)).min(end);
    let length = usize::try_from(end - from).unwrap_or(usize::MAX);
    let mut all = read(path, from, length, Unfinished::Take)?;
    // Having begun in the middle of a line, its rest is not a line.
    if from > since && all.lines.len() > 1 {
        all.lines.remove(0);
    }
    all.lines.drain(..all.lines.len().saturating_sub(count));
    Ok(all)
}

fn open(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    match File::options().read(true).custom_flags(flags.bits()).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where there is data again, from an offset on.
fn skip_hole(file: &mut File, from: u64) -> io::Result<u64> {
    let end = file.seek(SeekFrom::End(0))?;
    if from >= end {
        return Ok(from);
    }
    match rustix::fs::seek(&*file, rustix::fs::SeekFrom::Data(from)) {
        Ok(data) => Ok(data),
        // Nothing but a hole up to the end.
        Err(rustix::io::Errno::NXIO) => Ok(end),
        // A file system that knows no holes has none.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => Ok(from),
        Err(errno) => Err(errno.into()),
    }
}

fn fill(file: &File, bytes: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Cuts bytes that begin at offset `at` into lines.
fn split(mut bytes: &[u8], mut at: u64, unfinished: Unfinished) -> LogRead {
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
    LogRead { lines, cursor: at }
}

/// What a whole file says, for tests and small files only.
#[cfg(test)]
fn texts(read: &LogRead) -> Vec<&str> {
    read.lines.iter().map(|line| line.text.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn log(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn whole_lines_are_read_and_the_rest_waits() {
        let mut file = log(b"one\ntwo\r\nthr");
        let first = read(file.path(), 0, 1, Unfinished::Wait).unwrap();
        assert_eq!(texts(&first), ["one", "two"]);
        assert_eq!((first.lines[1].at, first.cursor), (4, 9));
        file.write_all(b"ee\n").unwrap();
        let second = read(file.path(), first.cursor, 1, Unfinished::Wait).unwrap();
        assert_eq!(texts(&second), ["three"]);
        assert_eq!(second.cursor, len(file.path()).unwrap());
    }

    #[test]
    fn the_last_words_of_a_process_are_taken_where_asked_for() {
        let file = log(b"one\ndying");
        let all = read(file.path(), 0, 1, Unfinished::Take).unwrap();
        assert_eq!(texts(&all), ["one", "dying"]);
        assert_eq!(all.cursor, 9);
    }

    #[test]
    fn a_line_without_end_comes_in_pieces_and_never_stalls() {
        let file = log(&vec![b'x'; LINE * 2 + 5]);
        let pieces = read(file.path(), 0, 1, Unfinished::Wait).unwrap();
        assert_eq!(pieces.lines.len(), 1);
        assert_eq!(pieces.cursor, LINE as u64);
        let all = read(file.path(), 0, LINE * 4, Unfinished::Take).unwrap();
        assert_eq!(all.lines.iter().map(|l| l.text.len()).collect::<Vec<_>>(), [LINE, LINE, 5]);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let file = log(b"a\xff\xfeb\n");
        assert_eq!(
            texts(&read(file.path(), 0, 1, Unfinished::Wait).unwrap()),
            ["a\u{fffd}\u{fffd}b"]
        );
    }

    #[test]
    fn what_was_punched_out_is_skipped_and_offsets_stay() {
        let mut file = log(&b"0123456789abcde\n".repeat(4096));
        rustix::fs::fallocate(
            file.as_file(),
            rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE,
            0,
            4096 * 3 + 32,
        )
        .unwrap();
        let rest = read(file.path(), 0, 1 << 20, Unfinished::Wait).unwrap();
        assert_eq!(rest.lines[0], LogLine { at: 4096 * 3 + 32, text: "0123456789abcde".into() });
        assert_eq!(rest.cursor, 65536);
        file.write_all(b"next\n").unwrap();
        assert_eq!(texts(&read(file.path(), rest.cursor, 1, Unfinished::Wait).unwrap()), ["next"]);
    }

    #[test]
    fn the_last_lines_are_those_since_an_offset() {
        let file = log(b"old\none\ntwo\nthree");
        assert_eq!(texts(&tail(file.path(), 2, 0).unwrap()), ["two", "three"]);
        assert_eq!(texts(&tail(file.path(), 10, 4).unwrap()), ["one", "two", "three"]);
        assert_eq!(texts(&tail(file.path(), 10, 999).unwrap()), Vec::<&str>::new());
    }

    #[test]
    fn the_last_lines_of_a_long_log_are_found_from_its_end() {
        let file = log(&b"a line of a long log\n".repeat(200_000));
        let last = tail(file.path(), 3, 0).unwrap();
        assert_eq!(texts(&last), ["a line of a long log"; 3]);
        assert_eq!(last.lines[0].at, 21 * (200_000 - 3));
    }

    #[test]
    fn a_log_that_does_not_exist_is_empty() {
        let path = Path::new("/nonexistent/blue.log");
        assert_eq!(len(path).unwrap(), 0);
        assert_eq!(
            read(path, 7, 1, Unfinished::Take).unwrap(),
            LogRead { lines: vec![], cursor: 7 }
        );
        assert_eq!(tail(path, 5, 0).unwrap().lines, []);
    }

    #[test]
    fn a_link_in_place_of_a_log_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("blue.log");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(read(&link, 0, 1, Unfinished::Take).is_err());
    }
}
