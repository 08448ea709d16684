//! Reading a log: its segments and its live part as one.

use std::io;
use std::path::Path;

use jiff::Timestamp;

use super::lines::{LINE, LogRead, Unfinished, split};
use super::live::Live;
use super::segment::{Segment, Segments, folder};
use super::times::{self, Times};

/// As far as [`tail`] goes back at most.
const TAIL: usize = 8 << 20;
/// How much of the live part it takes at a time.
const STEP: u64 = 256 << 10;

/// How many bytes the log has ever had; 0 where there is none yet.
///
/// # Errors
/// Where it cannot be looked at.
pub fn len(path: &Path) -> io::Result<u64> {
    match Live::open(path)? {
        Some(live) => live.end(),
        None => Ok(0),
    }
}

/// An offset that everything written after a time comes behind: as near to it as is known.
///
/// # Errors
/// Where what is known cannot be read.
pub fn offset_at(path: &Path, time: Timestamp) -> io::Result<u64> {
    Ok(times::since(&Times::of(&folder(path)).all()?, time.as_second()))
}

/// An offset that everything written before a time comes before: as near to it as is known. The
/// log's end where nothing was noted since.
///
/// # Errors
/// Where what is known cannot be read.
pub fn offset_by(path: &Path, time: Timestamp) -> io::Result<u64> {
    match times::by(&Times::of(&folder(path)).all()?, time.as_second()) {
        Some(offset) => Ok(offset),
        None => len(path),
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
    let most = max_bytes.max(LINE + 1);
    let mut bytes = Vec::new();
    let (mut at, mut gap) = (from, 0);
    let mut unfinished = unfinished;
    while bytes.len() < most {
        let next = at + bytes.len() as u64;
        let Some(piece) = piece(path, next, most - bytes.len())? else { break };
        if piece.at > next {
            if !bytes.is_empty() {
                // What comes before a gap has come to its end.
                unfinished = Unfinished::Take;
                break;
            }
            gap += piece.lost;
            at = piece.at;
        }
        bytes.extend(piece.bytes);
    }
    Ok(LogRead { gap, ..split(&bytes, at, unfinished) })
}

/// Reads the last `count` lines that begin at `since` or after.
///
/// # Errors
/// Where it cannot be read.
pub fn tail(path: &Path, count: usize, since: u64, unfinished: Unfinished) -> io::Result<LogRead> {
    let mut from = len(path)?;
    let (mut bytes, mut breaks) = (Vec::new(), 0);
    let mut torn = false;
    while from > since && breaks <= count {
        if bytes.len() >= TAIL {
            // Having begun in the middle of a line, its rest is not a line.
            torn = true;
            break;
        }
        let Some((at, mut piece)) = piece_before(path, from)? else { break };
        let early = since.saturating_sub(at).min(piece.len() as u64);
        piece.drain(..usize::try_from(early).unwrap_or(0));
        from = at.max(since);
        breaks += piece.iter().filter(|byte| **byte == b'\n').count();
        piece.append(&mut bytes);
        bytes = piece;
    }
    let mut all = split(&bytes, from, unfinished);
    if torn && all.lines.len() > 1 {
        all.lines.remove(0);
    }
    all.lines.drain(..all.lines.len().saturating_sub(count));
    Ok(all)
}

/// Bytes of the log that follow one another.
struct Piece {
    at: u64,
    bytes: Vec<u8>,
    /// How many bytes before them were kept once.
    lost: u64,
}

/// What there is from an offset on; absent at the end.
fn piece(path: &Path, wanted: u64, most: usize) -> io::Result<Option<Piece>> {
    piece_while(path, wanted, most, || {})
}

/// The same, with what happens at its weakest moment.
fn piece_while(
    path: &Path,
    wanted: u64,
    most: usize,
    meanwhile: impl Fn(),
) -> io::Result<Option<Piece>> {
    let mut from = wanted;
    loop {
        // The live part first: what is freed under our hands has a segment by the time we look.
        let found = live_piece(path, from, most)?;
        meanwhile();
        let segments = Segments::of(path)?;
        let Some(segment) = segments.from(from) else {
            let lost = from - wanted;
            return Ok(match found {
                Some((at, bytes)) => Some(Piece { at, bytes, lost }),
                // Nothing is kept, and nothing has come since.
                None if lost > 0 => Some(Piece { at: from, bytes: Vec::new(), lost }),
                None => None,
            });
        };
        let at = from.max(segment.first);
        let bytes = match segments.read(segment, at, most as u64) {
            Ok(bytes) => bytes,
            // Removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                tracing::error!(log = %path.display(), %error, "a segment is damaged");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        if bytes.is_empty() {
            from = segment.end;
        } else {
            return Ok(Some(Piece { at, bytes, lost: at - wanted }));
        }
    }
}

fn live_piece(path: &Path, from: u64, most: usize) -> io::Result<Option<(u64, Vec<u8>)>> {
    let Some(live) = Live::open(path)? else { return Ok(None) };
    let at = live.data(from)?;
    let length = live.end()?.saturating_sub(at).min(most as u64);
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(most)];
    let filled = live.read(at, &mut bytes)?;
    bytes.truncate(filled);
    if at > from {
        // The rest of the block that a hole ends in.
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        bytes.drain(..zeros);
        return Ok((!bytes.is_empty()).then(|| (at + zeros as u64, bytes)));
    }
    Ok((!bytes.is_empty()).then_some((at, bytes)))
}

/// What there is right before an offset; absent where nothing is kept there.
pub(super) fn piece_before(path: &Path, end: u64) -> io::Result<Option<(u64, Vec<u8>)>> {
    loop {
        let segments = Segments::of(path)?;
        if end > segments.end() {
            let begin = end.saturating_sub(STEP).max(segments.end());
            let most = usize::try_from(end - begin).unwrap_or(0);
            let found = live_piece(path, begin, most)?;
            if Segments::of(path)?.end() > begin {
                continue;
            }
            return Ok(found.map(|(at, mut bytes)| {
                // A hole at its beginning lets it read past the end.
                bytes.truncate(usize::try_from(end.saturating_sub(at)).unwrap_or(0));
                (at, bytes)
            }));
        }
        let Some(segment) = segments.before(end) else { return Ok(None) };
        return match whole(&segments, segment, end) {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            Ok(bytes) => Ok(Some((segment.first, bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(error),
        };
    }
}

fn whole(segments: &Segments, segment: Segment, end: u64) -> io::Result<Vec<u8>> {
    segments.read(segment, segment.first, end - segment.first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use vial_protocol::LogLine;

    fn texts(read: &LogRead) -> Vec<&str> {
        read.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn what_is_freed_between_two_looks_of_a_reader_is_read_from_its_segment() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("blue.log");
        std::fs::write(&path, "a line of a log\n".repeat(16_384)).unwrap();
        let policy =
            super::super::Policy { live: 0, keep: 1 << 20, lasts: std::time::Duration::MAX };
        let keep = || {
            let mut keeper = super::super::Keeper::new(&path);
            while keeper.look(&policy, Timestamp::now()).unwrap().again.is_zero() {}
        };
        let piece = piece_while(&path, 0, 1 << 20, keep).unwrap().unwrap();
        assert_eq!((piece.at, piece.lost), (0, 0));
        assert!(piece.bytes.starts_with(b"a line of a log\na line"));
        assert_eq!(Segments::of(&path).unwrap().end(), 1 << 18);
    }

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
        assert_eq!(texts(&tail(file.path(), 2, 0, Unfinished::Take).unwrap()), ["two", "three"]);
        assert_eq!(
            texts(&tail(file.path(), 10, 4, Unfinished::Take).unwrap()),
            ["one", "two", "three"]
        );
        assert_eq!(
            texts(&tail(file.path(), 10, 999, Unfinished::Take).unwrap()),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn the_last_lines_of_a_long_log_are_found_from_its_end() {
        let file = log(&b"a line of a long log\n".repeat(200_000));
        let last = tail(file.path(), 3, 0, Unfinished::Take).unwrap();
        assert_eq!(texts(&last), ["a line of a long log"; 3]);
        assert_eq!(last.lines[0].at, 21 * (200_000 - 3));
    }

    #[test]
    fn a_log_that_does_not_exist_is_empty() {
        let path = Path::new("/nonexistent/blue.log");
        assert_eq!(len(path).unwrap(), 0);
        assert_eq!(
            read(path, 7, 1, Unfinished::Take).unwrap(),
            LogRead { lines: vec![], cursor: 7, gap: 0 }
        );
        assert_eq!(tail(path, 5, 0, Unfinished::Take).unwrap().lines, []);
    }

    #[test]
    fn a_link_in_place_of_a_log_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("blue.log");
        std::os::unix::fs::symlink("/etc/passwd", &link).unwrap();
        assert!(read(&link, 0, 1, Unfinished::Take).is_err());
    }
}
