//! Which length the log had at which time: for `--since`, and to know what is too old.
//!
//! A text file of records of one size: offset, seconds since 1970. It is a hint, and not synced: what
//! a crash loses of it makes an answer less sharp, not wrong.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// "offset seconds\n", 20 and 10 digits.
const RECORD: usize = 32;
/// How far apart the records are at least, in seconds: `--since` is answered as sharply as that.
const APART: i64 = 60;
/// So many records that nothing needs are worth writing the rest anew.
const STALE: usize = 1440;

/// At this time the log was that long: what comes before was written earlier, what comes after later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    pub(super) offset: u64,
    pub(super) seconds: i64,
}

/// The file.
#[derive(Debug)]
pub(super) struct Times {
    path: PathBuf,
}

impl Times {
    /// In the folder of a log's segments.
    pub(super) fn of(folder: &Path) -> Times {
        Times { path: folder.join("times") }
    }

    /// All records, oldest first. What is damaged is passed over.
    pub(super) fn all(&self) -> io::Result<Vec<Time>> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(bytes.chunks_exact(RECORD).filter_map(Time::parse).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The last record.
    pub(super) fn last(&self) -> io::Result<Option<Time>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let records = file.metadata()?.len() / RECORD as u64;
        let Some(last) = records.checked_sub(1) else { return Ok(None) };
        let mut record = [0; RECORD];
        file.seek(SeekFrom::Start(last * RECORD as u64))?;
        file.read_exact(&mut record)?;
        Ok(Time::parse(&record))
    }

    /// Notes how long the log is, unless that was noted a moment ago.
    pub(super) fn note(&self, last: Option<Time>, now: Time) -> io::Result<bool> {
        let soon = |last: Time| (0..APART).contains(&(now.seconds - last.seconds));
        if last.is_some_and(|last| soon(last) || last.offset >= now.offset) {
            return Ok(false);
        }
        let mut options = OpenOptions::new();
        let mut file = options.append(true).create(true).mode(0o640).open(&self.path)?;
        let length = file.metadata()?.len();
        // The half of a record that a crash left.
        file.set_len(length - length % RECORD as u64)?;
        file.write_all(now.text().as_bytes())?;
        Ok(true)
    }

    /// Forgets what tells of nothing that is kept.
    pub(super) fn forget_before(&self, offset: u64) -> io::Result<()> {
        let all = self.all()?;
        // The last of them still says that what follows is younger.
        let stale = all.partition_point(|time| time.offset <= offset).saturating_sub(1);
        if stale < STALE {
            return Ok(());
        }
        let aside = self.path.with_extension("new");
        let kept: String = all[stale..].iter().map(|time| time.text()).collect();
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o640).open(&aside)?;
        file.write_all(kept.as_bytes())?;
        fs::rename(aside, &self.path)
    }
}

/// An offset that everything written after a time comes behind.
pub(super) fn since(times: &[Time], seconds: i64) -> u64 {
    older(times, seconds).map_or(0, |time| time.offset)
}

/// An offset that everything written up to a time comes before; absent where nothing was noted since.
/// After a clock was set back, the first that counts is the one that leaves nothing out.
pub(super) fn by(times: &[Time], seconds: i64) -> Option<u64> {
    let later = times.iter().rev().take_while(|time| time.seconds > seconds).last();
    later.map(|time| time.offset)
}

/// An offset that everything written before a time, and nothing else, comes before; absent where
/// nothing is known to be so old.
///
/// A clock that was set back makes records of the past look old: only those count that have none
/// before them that is younger.
pub(super) fn older(times: &[Time], seconds: i64) -> Option<Time> {
    times.iter().take_while(|time| time.seconds <= seconds).last().copied()
}

impl Time {
    fn parse(record: &[u8]) -> Option<Time> {
        let text = std::str::from_utf8(record).ok()?.strip_suffix('\n')?;
        let (offset, seconds) = text.split_once(' ')?;
        Some(Time { offset: offset.parse().ok()?, seconds: seconds.parse().ok()? })
    }

    fn text(self) -> String {
        let seconds = self.seconds.clamp(0, 9_999_999_999);
        format!("{:020} {seconds:010}\n", self.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(offset: u64, seconds: i64) -> Time {
        Time { offset, seconds }
    }

    fn noted(times: &[Time]) -> (tempfile::TempDir, Times) {
        let folder = tempfile::tempdir().unwrap();
        let file = Times::of(folder.path());
        for time in times {
            file.note(file.last().unwrap(), *time).unwrap();
        }
        (folder, file)
    }

    #[test]
    fn a_length_is_noted_once_a_minute_and_only_where_the_log_grew() {
        let (_folder, times) =
            noted(&[time(10, 1000), time(20, 1030), time(10, 1065), time(30, 1070)]);
        assert_eq!(times.all().unwrap(), [time(10, 1000), time(30, 1070)]);
    }

    #[test]
    fn what_came_after_a_time_is_behind_the_last_length_before_it() {
        let times = [time(10, 1000), time(30, 1100)];
        assert_eq!(since(&times, 999), 0);
        assert_eq!(since(&times, 1000), 10);
        assert_eq!(since(&times, 1099), 10);
        assert_eq!(since(&times, 5000), 30);
    }

    #[test]
    fn what_came_by_a_time_is_before_the_first_length_after_it() {
        let times = [time(10, 1000), time(30, 1100), time(50, 1200)];
        assert_eq!(by(&times, 999), Some(10));
        assert_eq!(by(&times, 1000), Some(30));
        assert_eq!(by(&times, 1150), Some(50));
        assert_eq!(by(&times, 1200), None);
        // Set back by an hour: what may have been written by then is all before the last.
        let times = [time(10, 5000), time(30, 1100), time(50, 1200)];
        assert_eq!(by(&times, 1150), Some(50));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_older_than_it_is() {
        let times = [time(10, 1000), time(30, 5), time(40, 1200)];
        assert_eq!(older(&times, 500), None, "what came before it is younger");
        assert_eq!(since(&times, 500), 0);
        assert_eq!(older(&times, 1100), Some(time(30, 5)));
    }

    #[test]
    fn half_a_record_is_passed_over_and_written_over() {
        let (_folder, times) = noted(&[time(10, 1000)]);
        let mut bytes = fs::read(&times.path).unwrap();
        bytes.extend(b"0000000000000");
        fs::write(&times.path, bytes).unwrap();
        assert_eq!(times.all().unwrap(), [time(10, 1000)]);
        times.note(times.last().unwrap(), time(20, 2000)).unwrap();
        assert_eq!(times.all().unwrap(), [time(10, 1000), time(20, 2000)]);
    }

    #[test]
    fn records_of_what_is_gone_are_forgotten_in_bulk_but_for_the_last() {
        let all: Vec<Time> = (1..=3000).map(|n| time(n, 60 * n as i64)).collect();
        let (_folder, times) = noted(&all);
        times.forget_before(100).unwrap();
        assert_eq!(times.all().unwrap().len(), 3000, "not worth it");
        times.forget_before(2000).unwrap();
        assert_eq!(times.all().unwrap()[0], time(2000, 120_000));
        assert_eq!(times.all().unwrap().len(), 1001);
    }
}
