//! Searching a log from its end, in pieces of bounded time.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use vial_protocol::LogLine;

use super::lines::{Unfinished, split};
use super::read::{len, piece_before};

/// What has no line break for longer than this is cut.
const LONGEST: usize = 1 << 20;

/// Where to look, and for how much.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// From this offset on.
    pub since: u64,
    /// Up to this one; up to the end where absent.
    pub before: Option<u64>,
    /// At most so many lines.
    pub lines: usize,
    /// For at most about so long.
    pub time: Duration,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The newest lines that were wanted, oldest first.
    pub lines: Vec<LogLine>,
    /// Where the search goes on: before this offset. 0 where all was looked at.
    pub before: u64,
}

/// Finds the newest lines that are wanted. `wanted` may change a line before it is given.
///
/// # Errors
/// Where the log cannot be read.
pub fn search(
    path: &Path,
    range: Range,
    mut wanted: impl FnMut(&mut LogLine) -> bool,
) -> io::Result<Found> {
    let began = Instant::now();
    let end = len(path)?;
    let start = range.before.map_or(end, |before| before.min(end));
    let mut from = start;
    // The beginning of what is looked at, whose line begins before it.
    let mut rest: Vec<u8> = Vec::new();
    let mut found: Vec<LogLine> = Vec::new();
    let mut before = from;
    // A line that begins where the range does is whole only once that is seen.
    while from > range.since || (from == range.since && from > 0 && !rest.is_empty()) {
        let piece = piece_before(path, from)?.filter(|(_, bytes)| !bytes.is_empty());
        let Some((at, mut bytes)) = piece else {
            // What comes before is no longer kept.
            take(&rest, from, &range, &mut wanted, &mut found, &mut before);
            from = 0;
            break;
        };
        let follows = at + bytes.len() as u64 == from;
        if follows {
            bytes.append(&mut rest);
        } else {
            take(&rest, from, &range, &mut wanted, &mut found, &mut before);
            rest.clear();
        }
        from = at;
        // The first line may have begun before; it is looked at with what comes before.
        let whole = match bytes.iter().position(|byte| *byte == b'\n') {
            _ if at == 0 => 0,
            Some(first) if first < LONGEST => first + 1,
            _ if bytes.len() > LONGEST => 0,
            Some(first) => first + 1,
            None => bytes.len(),
        };
        let lines = bytes.split_off(whole);
        rest = bytes;
        take(&lines, at + whole as u64, &range, &mut wanted, &mut found, &mut before);
        if found.len() >= range.lines || (began.elapsed() >= range.time && before < start) {
            break;
        }
    }
    let all = found.len() < range.lines && from <= range.since;
    found.reverse();
    Ok(Found { lines: found, before: if all { 0 } else { before } })
}

/// Looks at lines that begin at an offset, the last first.
fn take(
    bytes: &[u8],
    at: u64,
    range: &Range,
    wanted: &mut impl FnMut(&mut LogLine) -> bool,
    found: &mut Vec<LogLine>,
    before: &mut u64,
) {
    for mut line in split(bytes, at, Unfinished::Take).lines.into_iter().rev() {
        if found.len() >= range.lines || line.at < range.since {
            return;
        }
        *before = line.at;
        if wanted(&mut line) {
            found.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::{Keeper, Policy};
    use super::*;

    fn log(lines: std::ops::Range<u32>) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blue.log");
        let text: String = lines.map(|number| format!("line {number} of the log\n")).collect();
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn range(lines: usize) -> Range {
        Range { since: 0, before: None, lines, time: Duration::from_secs(60) }
    }

    fn numbers(found: &Found) -> Vec<u32> {
        let number = |line: &LogLine| line.text.split(' ').nth(1).unwrap().parse().unwrap();
        found.lines.iter().map(number).collect()
    }

    fn ends_in_777(line: &mut LogLine) -> bool {
        line.text.contains("777 ")
    }

    /// Every page, the newest first.
    fn pages(path: &Path, lines: usize, wanted: fn(&mut LogLine) -> bool) -> Vec<Vec<u32>> {
        let (mut pages, mut before) = (Vec::new(), None);
        loop {
            let found = search(path, Range { before, ..range(lines) }, wanted).unwrap();
            pages.push(numbers(&found));
            if found.before == 0 {
                return pages;
            }
            assert!(before.is_none_or(|last| found.before < last), "it does not go on");
            before = Some(found.before);
        }
    }

    #[test]
    fn pages_follow_one_another_without_losing_or_repeating_a_line() {
        let (_folder, path) = log(0..50_000);
        let all: Vec<Vec<u32>> = pages(&path, 7, ends_in_777);
        assert_eq!(all[0].last(), Some(&49_777));
        let mut together: Vec<u32> = all.into_iter().rev().flatten().collect();
        let expected: Vec<u32> = (0..50_000).filter(|it| it % 1000 == 777).collect();
        assert_eq!(together, expected);
        together = pages(&path, 1000, |_| true).into_iter().rev().flatten().collect();
        assert_eq!(together, (0..50_000).collect::<Vec<u32>>());
    }

    #[test]
    fn segments_are_searched_like_the_live_part() {
        let (_folder, path) = log(0..60_000);
        let policy = Policy { live: 64 << 10, keep: 1 << 30, lasts: Duration::MAX };
        let mut keeper = Keeper::new(&path);
        while keeper.look(&policy, jiff::Timestamp::now()).unwrap().again.is_zero() {}
        assert!(std::fs::read_dir(path.with_extension("log.d")).unwrap().count() > 1);
        let expected: Vec<u32> = (0..60_000).filter(|it| it % 1000 == 777).collect();
        let together: Vec<u32> = pages(&path, 9, ends_in_777).into_iter().rev().flatten().collect();
        assert_eq!(together, expected);
    }

    #[test]
    fn a_search_that_takes_too_long_says_where_it_goes_on() {
        let (_folder, path) = log(0..50_000);
        let hasty = Range { time: Duration::ZERO, ..range(10) };
        let (mut before, mut found, mut steps) = (None, Vec::new(), 0);
        while before != Some(0) {
            let step = search(&path, Range { before, ..hasty }, |it| it.text.contains("line 1 "));
            let step = step.unwrap();
            found.extend(numbers(&step));
            before = Some(step.before);
            steps += 1;
            assert!(steps < 100);
        }
        assert_eq!(found, [1]);
        assert!(steps > 3, "{steps}");
    }

    #[test]
    fn only_the_range_is_looked_at() {
        let (_folder, path) = log(0..100);
        let text = std::fs::read_to_string(&path).unwrap();
        let at = |number: u32| text.find(&format!("line {number} ")).unwrap() as u64;
        let some = Range { since: at(20), before: Some(at(30)), ..range(100) };
        let found = search(&path, some, |_| true).unwrap();
        assert_eq!(numbers(&found), (20..30).collect::<Vec<u32>>());
        assert_eq!(found.before, 0);
        assert_eq!(found.lines[0].at, at(20));
    }

    #[test]
    fn a_line_without_end_is_cut_and_does_not_hide_what_comes_before_it() {
        let (_folder, path) = log(0..10);
        let mut file = std::fs::OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&vec![b'x'; 5 << 20]).unwrap();
        let found = search(&path, range(10), |it| it.text.contains("of the log")).unwrap();
        assert_eq!(numbers(&found).len(), 10);
        assert_eq!(found.lines[0].text, "line 0 of the log");
    }

    #[test]
    fn a_log_that_does_not_exist_has_nothing_to_find() {
        let found = search(Path::new("/nonexistent/blue.log"), range(10), |_| true).unwrap();
        assert_eq!(found, Found { lines: vec![], before: 0 });
    }
}
