//! Keeping a log within its bounds, a look at a time.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use nix::fcntl::{Flock, FlockArg};

use super::edge::{Edge, Step, System};
use super::live::Live;
use super::mend;
use super::segment::{self, Segments};
use super::times::{self, Time, Times};

/// The most of the live part that becomes one segment. It bounds the memory that reading one takes,
/// and the space that is needed before any is freed.
const SEGMENT: u64 = 4 << 20;
/// How many are made in one look: a daemon that is stopped waits for its end.
const AT_ONCE: usize = 16;
/// The least, however small the live part is to be.
const SMALLEST: u64 = 4096;
/// What stays live on a full disk: the last words of a release, without decompressing.
const LEAST: u64 = 256 << 10;
/// How often it is looked for what is too old.
const AN_HOUR: i64 = 3600;
const HOUR: Duration = Duration::from_secs(AN_HOUR.unsigned_abs());

/// Within which bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How many bytes may be live before the oldest are compressed.
    pub live: u64,
    /// How many bytes the segments may take on the disk.
    pub keep: u64,
    /// How long a line is kept.
    pub lasts: Duration,
}

/// What a look found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked {
    /// How many bytes the log has had.
    pub end: u64,
    /// When to look again at the latest, also where it does not grow.
    pub again: Duration,
}

/// Keeps one log. Two of them on one log wait for each other.
pub struct Keeper {
    path: PathBuf,
    edge: Box<dyn Edge>,
    /// As long as it was ever seen to be.
    seen: u64,
    /// Whether what an earlier daemon left aside was removed.
    swept: bool,
    /// When it was last looked for what is too old, in seconds.
    expired: Option<i64>,
    /// The file system cannot free a part of a file.
    grows: bool,
    /// It was said that the disk is full.
    told_full: bool,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Keeper {
    /// Of a log, which need not exist yet.
    #[must_use]
    pub fn new(path: &Path) -> Keeper {
        Keeper::on(path, Box::new(System))
    }

    pub(super) fn on(path: &Path, edge: Box<dyn Edge>) -> Keeper {
        let path = path.to_owned();
        let (seen, swept, expired, grows, told_full) = (0, false, None, false, false);
        Keeper { path, edge, seen, swept, expired, grows, told_full }
    }

    /// Does what is due. Blocks: it may compress some megabytes.
    ///
    /// # Errors
    /// Where something cannot be read or written. Nothing is lost then, and the next look goes on.
    pub fn look(&mut self, policy: &Policy, now: Timestamp) -> io::Result<Looked> {
        if !self.path.exists() {
            return Ok(Looked { end: 0, again: HOUR });
        }
        let folder = segment::make_folder(&self.path)?;
        let _held = Flock::lock(File::open(&folder)?, FlockArg::LockExclusive)
            .map_err(|(_, errno)| io::Error::from(errno))?;
        // Behind the lock: before it, another file may have been put in its place.
        let Some(live) = Live::open_to_free(&self.path)? else {
            return Ok(Looked { end: 0, again: HOUR });
        };
        let mut segments = Segments::of(&self.path)?;
        if !self.swept {
            segments.sweep()?;
            self.swept = true;
        }
        let times = Times::of(&folder);
        let last = times.last()?;
        let known = last.map_or(0, |time| time.offset).max(segments.end()).max(self.seen);
        if live.end()? < known {
            mend::mend(&self.path, &*self.edge, &live, &mut segments, known)?;
        }
        self.seen = live.end()?;
        self.free(&live, segments.end())?;
        let second = now.as_second();
        times.note(last, Time { offset: self.seen, seconds: second })?;
        if self.expired.is_none_or(|last| !(0..AN_HOUR).contains(&(second - last))) {
            let lasts = i64::try_from(policy.lasts.as_secs()).unwrap_or(i64::MAX);
            if let Some(old) = times::older(&times.all()?, second.saturating_sub(lasts)) {
                self.expire(&live, &mut segments, old.offset)?;
            }
            self.expired = Some(second);
        }
        let all = self.compress(policy, &live, &mut segments)?;
        self.shrink(policy, &mut segments)?;
        if let Some(oldest) = segments.iter().next() {
            times.forget_before(oldest.first)?;
        }
        let again = if all { self.edge.room(&folder)?.look_again() } else { Duration::ZERO };
        Ok(Looked { end: self.seen, again })
    }

    /// Frees what the segments have.
    fn free(&mut self, live: &Live, to: u64) -> io::Result<()> {
        let can = live.free(&*self.edge, to)?;
        if !can && !self.grows {
            tracing::warn!(
                log = %self.path.display(),
                "this file system cannot free a part of a file: the log grows until its slot is \
                 started again; `vial restart` makes room"
            );
        }
        self.grows = !can;
        self.edge.done(Step::Freed);
        Ok(())
    }

    /// Takes out what was written before an offset, compressed or not.
    fn expire(&mut self, live: &Live, segments: &mut Segments, before: u64) -> io::Result<()> {
        if before > segments.end()
            && let Some(to) = live.cut(segments.end(), before)?
        {
            segments.skip(&*self.edge, to)?;
            self.free(live, to)?;
        }
        let old: Vec<_> = segments.iter().filter(|it| it.end <= before).collect();
        for segment in old {
            if segment.end < segments.end() || segments.size(segment)? > 0 {
                segments.drop(&*self.edge, segment)?;
            }
        }
        Ok(())
    }

    /// Makes segments of what is live beyond its limit; of nearly all of it on a full disk. Says
    /// whether that was all.
    fn compress(
        &mut self,
        policy: &Policy,
        live: &Live,
        segments: &mut Segments,
    ) -> io::Result<bool> {
        let room = self.edge.room(segments.folder())?;
        // Where nothing can be freed, a segment only takes more.
        let early = room.is_scarce() && !self.grows;
        // It is written before its text is freed, and must fit.
        let piece = match early {
            true => SEGMENT.min(room.free / 4).max(LEAST),
            false => SEGMENT.min(policy.live / 2).max(SMALLEST),
        };
        let (limit, target) = match early {
            true => (policy.live.min(LEAST + SEGMENT / 4), policy.live.min(LEAST)),
            false => (policy.live, policy.live.saturating_sub(piece)),
        };
        let (from, mut made) = (segments.end(), 0);
        while self.seen.saturating_sub(segments.end()) > limit && made < AT_ONCE {
            let first = segments.end();
            let most = (first + piece).min(self.seen - target);
            let to = match live.cut(first, most)? {
                Some(to) => to,
                // A line that is longer than a segment is in several.
                None if most - first == piece => most,
                None => break,
            };
            self.segment(live, segments, to)?;
            self.free(live, to)?;
            self.seen = live.end()?;
            made += 1;
        }
        if early && segments.end() > from {
            tracing::warn!(
                log = %self.path.display(),
                bytes = segments.end() - from,
                "the disk is filling up: the log was compressed before its time"
            );
        }
        Ok(made < AT_ONCE)
    }

    /// Makes one segment, and room for it where there is none.
    fn segment(&mut self, live: &Live, segments: &mut Segments, to: u64) -> io::Result<()> {
        loop {
            let mut text = live.range(segments.end(), to)?;
            match segments.make(&*self.edge, to, &mut text) {
                Err(error) if error.kind() == io::ErrorKind::StorageFull => {}
                made => return made.map(|_| ()),
            }
            let Some(oldest) = self.oldest_kept(segments)? else {
                // The lines to come matter more than the oldest: once a write fails they are lost
                // for good.
                self.tell_full(to - segments.end());
                return segments.skip(&*self.edge, to);
            };
            self.tell_full(oldest.end - oldest.first);
            segments.drop(&*self.edge, oldest)?;
        }
    }

    /// Takes out the oldest segments: what they take beyond their limit, and what a full disk needs.
    fn shrink(&mut self, policy: &Policy, segments: &mut Segments) -> io::Result<()> {
        let mut sizes = Vec::new();
        for segment in segments.iter() {
            sizes.push((segment, segments.size(segment)?));
        }
        let all: u64 = sizes.iter().map(|(_, size)| size).sum();
        let missing = self.edge.room(segments.folder())?.missing();
        let mut over = all.saturating_sub(policy.keep).max(missing);
        if missing == 0 {
            self.told_full = false;
        }
        for (segment, size) in sizes {
            if over == 0 {
                break;
            }
            if size == 0 && segment.end == segments.end() {
                break;
            }
            // Some file systems say only later that there is more room: what was freed is counted.
            segments.drop(&*self.edge, segment)?;
            over = over.saturating_sub(size);
            if missing > 0 && size > 0 {
                self.tell_full(segment.end - segment.first);
            }
        }
        Ok(())
    }

    fn oldest_kept(&self, segments: &Segments) -> io::Result<Option<segment::Segment>> {
        for segment in segments.iter() {
            if segments.size(segment)? > 0 {
                return Ok(Some(segment));
            }
        }
        Ok(None)
    }

    fn tell_full(&mut self, bytes: u64) {
        if !self.told_full {
            self.told_full = true;
            tracing::warn!(
                log = %self.path.display(),
                bytes,
                "the disk is full: the oldest part of the log is given up, so that the release can \
                 write on; free some space, `vial doctor` says where"
            );
        }
    }
}
