//! Segments: the compressed part of a log, in files that are named by the offsets that they cover.
//!
//! An empty file is a range that is no longer kept. Segments follow one another without gaps.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::edge::{Edge, Step};

/// zstd's own usual level: on logs, higher ones cost far more than they gain.
const LEVEL: i32 = 3;
/// What is being written; nobody reads it.
const ASIDE: &str = "new";

/// A range of a log that is compressed, or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Segment {
    /// The offset of its first byte.
    pub(super) first: u64,
    /// The offset after its last.
    pub(super) end: u64,
}

/// All segments of a log, oldest first.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    all: Vec<Segment>,
}

/// The folder of a log's segments.
pub(super) fn folder(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".d");
    name.into()
}

/// Makes the folder, where there is none.
pub(super) fn make_folder(log: &Path) -> io::Result<PathBuf> {
    let folder = folder(log);
    if !folder.is_dir() {
        DirBuilder::new().mode(0o750).create(&folder)?;
        if let Some(parent) = folder.parent() {
            File::open(parent)?.sync_all()?;
        }
    }
    Ok(folder)
}

impl Segments {
    /// Looks which there are.
    pub(super) fn of(log: &Path) -> io::Result<Segments> {
        let folder = folder(log);
        let mut all = Vec::new();
        match fs::read_dir(&folder) {
            Ok(entries) => {
                for entry in entries {
                    all.extend(entry?.file_name().to_str().and_then(Segment::parse));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        all.sort_unstable();
        Ok(Segments { folder, all })
    }

    /// Removes what an earlier daemon left aside.
    pub(super) fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == ASIDE) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Where they lie.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the live part begins.
    pub(super) fn end(&self) -> u64 {
        self.all.last().map_or(0, |segment| segment.end)
    }

    /// Each, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = Segment> + '_ {
        self.all.iter().copied()
    }

    /// The one that has an offset, or the next after it.
    pub(super) fn from(&self, offset: u64) -> Option<Segment> {
        self.all.get(self.all.partition_point(|segment| segment.end <= offset)).copied()
    }

    /// The one that has the byte before an offset.
    pub(super) fn before(&self, offset: u64) -> Option<Segment> {
        let found = self.all.partition_point(|segment| segment.first < offset).checked_sub(1)?;
        self.all.get(found).copied()
    }

    /// How many bytes of the disk one takes: 0 where it is no longer kept.
    pub(super) fn size(&self, segment: Segment) -> io::Result<u64> {
        Ok(fs::metadata(self.path(segment))?.len())
    }

    /// Reads one from an offset on, `most` bytes of it. Empty where it is no longer kept.
    pub(super) fn read(&self, segment: Segment, from: u64, most: u64) -> io::Result<Vec<u8>> {
        let file = File::open(self.path(segment))?;
        let mut bytes = Vec::new();
        if file.metadata()?.len() == 0 {
            return Ok(bytes);
        }
        let damaged = |error: io::Error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{segment:?}: {error}"))
        };
        let mut text = zstd::stream::read::Decoder::new(file)?;
        let before = from.saturating_sub(segment.first);
        io::copy(&mut text.by_ref().take(before), &mut io::sink()).map_err(damaged)?;
        let length = most.min(segment.end - segment.first - before);
        text.by_ref().take(length).read_to_end(&mut bytes).map_err(damaged)?;
        // The checksum stands at the end.
        io::copy(&mut text, &mut io::sink()).map_err(damaged)?;
        if (bytes.len() as u64) < length {
            return Err(damaged(io::ErrorKind::UnexpectedEof.into()));
        }
        Ok(bytes)
    }

    /// Adds one at the end. The text is streamed; an error leaves nothing behind.
    pub(super) fn make(
        &mut self,
        edge: &dyn Edge,
        end: u64,
        text: &mut dyn Read,
    ) -> io::Result<Segment> {
        let segment = Segment { first: self.end(), end };
        self.put(edge, segment, |file| {
            edge.may_write()?;
            let mut out = zstd::stream::write::Encoder::new(file, LEVEL)?;
            out.include_checksum(true)?;
            let copied = io::copy(text, &mut out)?;
            out.finish()?;
            match copied == segment.end - segment.first {
                true => Ok(()),
                false => Err(io::ErrorKind::UnexpectedEof.into()),
            }
        })?;
        self.all.push(segment);
        Ok(segment)
    }

    /// Adds a range that is not kept.
    pub(super) fn skip(&mut self, edge: &dyn Edge, end: u64) -> io::Result<()> {
        let segment = Segment { first: self.end(), end };
        self.put(edge, segment, |_| Ok(()))?;
        self.all.push(segment);
        Ok(())
    }

    /// Takes one out of what is kept: the newest is emptied, because its name says where the live
    /// part begins; others are removed.
    pub(super) fn drop(&mut self, edge: &dyn Edge, segment: Segment) -> io::Result<()> {
        if segment.end == self.end() {
            self.put(edge, segment, |_| Ok(()))?;
        } else {
            match fs::remove_file(self.path(segment)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => self.all.retain(|it| *it != segment),
            }
        }
        edge.done(Step::Dropped);
        Ok(())
    }

    /// Puts a file in its place in one step.
    fn put(
        &self,
        edge: &dyn Edge,
        segment: Segment,
        write: impl FnOnce(&File) -> io::Result<()>,
    ) -> io::Result<()> {
        let path = self.path(segment);
        let aside = path.with_extension(ASIDE);
        let written = (|| {
            let mut options = OpenOptions::new();
            let file = options.create(true).truncate(true).write(true).mode(0o640).open(&aside)?;
            write(&file)?;
            file.sync_all()
        })();
        if let Err(error) = written {
            let _ = fs::remove_file(&aside);
            return Err(error);
        }
        edge.done(Step::Written);
        fs::rename(&aside, &path)?;
        File::open(&self.folder)?.sync_all()?;
        edge.done(Step::Named);
        Ok(())
    }

    fn path(&self, segment: Segment) -> PathBuf {
        self.folder.join(format!("{:020}-{:020}.zst", segment.first, segment.end))
    }
}

impl Segment {
    fn parse(name: &str) -> Option<Segment> {
        let (first, end) = name.strip_suffix(".zst")?.split_once('-')?;
        let number = |text: &str| {
            let digits = text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<u64>().ok().filter(|_| digits)
        };
        let segment = Segment { first: number(first)?, end: number(end)? };
        (segment.first < segment.end).then_some(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::super::edge::System;
    use super::*;

    fn with(texts: &[&str]) -> (tempfile::TempDir, Segments) {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("blue.log");
        make_folder(&log).unwrap();
        let mut segments = Segments::of(&log).unwrap();
        for text in texts {
            let end = segments.end() + text.len() as u64;
            segments.make(&System, end, &mut text.as_bytes()).unwrap();
        }
        (home, segments)
    }

    fn again(home: &tempfile::TempDir) -> Segments {
        Segments::of(&home.path().join("blue.log")).unwrap()
    }

    #[test]
    fn a_segment_is_found_and_read_by_any_offset_in_it() {
        let (home, _) = with(&["one\n", "two\nthree\n"]);
        let segments = again(&home);
        assert_eq!(segments.end(), 14);
        let second = segments.from(5).unwrap();
        assert_eq!((second.first, second.end), (4, 14));
        assert_eq!(segments.read(second, 8, 100).unwrap(), b"three\n");
        assert_eq!(segments.read(second, 4, 3).unwrap(), b"two");
        assert_eq!(segments.from(14), None);
        assert_eq!(segments.before(4).unwrap().first, 0);
        assert_eq!(segments.before(0), None);
    }

    #[test]
    fn the_newest_leaves_its_name_when_it_goes_and_an_older_one_nothing() {
        let (home, mut segments) = with(&["one\n", "two\n"]);
        let (first, second) = (segments.from(0).unwrap(), segments.from(4).unwrap());
        segments.drop(&System, first).unwrap();
        segments.drop(&System, second).unwrap();
        let segments = again(&home);
        assert_eq!(segments.iter().collect::<Vec<_>>(), [second]);
        assert_eq!((segments.size(second).unwrap(), segments.end()), (0, 8));
        assert_eq!(segments.read(second, 4, 9).unwrap(), b"");
    }

    #[test]
    fn a_damaged_segment_is_told_from_a_missing_one() {
        let (home, segments) = with(&[&"a line\n".repeat(1000)]);
        let only = segments.from(0).unwrap();
        let path = segments.path(only);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes.truncate(middle);
        fs::write(&path, bytes).unwrap();
        let error = segments.read(only, 0, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        fs::remove_file(&path).unwrap();
        let error = segments.read(only, 0, 1 << 20).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound, "{error}");
        drop(home);
    }

    #[test]
    fn what_is_no_segment_is_passed_over_and_what_lies_aside_is_removed() {
        let (home, segments) = with(&["one\n"]);
        for name in ["times", "x.zst", "1-2.zst", "00000000000000000009-00000000000000000004.zst"] {
            fs::write(home.path().join("blue.log.d").join(name), "").unwrap();
        }
        let aside = segments.path(Segment { first: 4, end: 8 }).with_extension(ASIDE);
        fs::write(&aside, "half").unwrap();
        let segments = again(&home);
        assert_eq!(segments.end(), 4);
        segments.sweep().unwrap();
        assert!(!aside.exists());
    }
}
