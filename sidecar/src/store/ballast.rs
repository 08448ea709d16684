//! Room for the journal on a full disk: a file that takes it up beforehand and gives it back.
//!
//! On a full disk a rollback is wanted most, and it needs a few commits, and a release that is
//! started writes a little too. So some of the disk is kept from everybody else. It is given up in
//! slices, because whatever filled the disk fills what becomes free as well, and taken again when
//! there is room.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tokio::sync::watch;

/// The whole of it. The write-ahead log grows to 4 MiB before it is copied into the database, which
/// grows then; what is left is for releases that start.
pub const SIZE: u64 = 8 << 20;

/// What is given up at a time: a deployment's commits are a tenth of that.
const SLICE: u64 = 1 << 20;

/// The reserve of one state folder.
#[derive(Debug)]
pub struct Ballast {
    /// Absent where nothing is kept: a database in memory.
    path: Option<PathBuf>,
    turn: Mutex<()>,
    left: watch::Sender<u64>,
}

impl Ballast {
    /// No reserve.
    #[must_use]
    pub fn none() -> Ballast {
        Ballast { path: None, turn: Mutex::new(()), left: watch::Sender::new(SIZE) }
    }

    /// The reserve in a file, which is made where there is room for it.
    #[must_use]
    pub fn at(path: &Path) -> Ballast {
        let left = std::fs::metadata(path).map_or(0, |data| data.len().min(SIZE));
        let left = watch::Sender::new(left);
        let ballast = Ballast { path: Some(path.to_owned()), turn: Mutex::new(()), left };
        ballast.take();
        ballast
    }

    /// How many bytes of it are there, now and as that changes.
    #[must_use]
    pub fn left(&self) -> watch::Receiver<u64> {
        self.left.subscribe()
    }

    /// Whether nothing of it was given up.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        *self.left.borrow() == SIZE
    }

    /// Gives up a slice. False where nothing is left.
    pub fn give(&self) -> bool {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.give_slice()
    }

    /// Gives up slices until so many bytes are free, or nothing is left.
    pub fn make_room(&self, wanted: u64) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        while self.free().is_some_and(|free| free < wanted) && self.give_slice() {}
    }

    /// Takes what was given up again, where as much is free beyond it: it would be given up at
    /// once otherwise.
    pub fn take(&self) {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = SIZE - *self.left.borrow();
        if missing == 0 || self.free().is_some_and(|free| free < missing.saturating_add(SIZE)) {
            return;
        }
        match self.open().and_then(|file| fill(file, SIZE)) {
            Ok(()) => {
                tracing::info!(bytes = SIZE, "the reserve on the disk is whole");
                self.left.send_replace(SIZE);
            }
            Err(error) => tracing::warn!(%error, "no reserve could be taken on the disk"),
        }
    }

    fn give_slice(&self) -> bool {
        let left = *self.left.borrow();
        let fewer = left.saturating_sub(SLICE);
        if left == 0 || self.path.is_none() {
            return false;
        }
        // The file system may hand the blocks out again only when it has written that down.
        match self.open().and_then(|file| file.set_len(fewer).and_then(|()| file.sync_all())) {
            Ok(()) => {
                tracing::warn!(left = fewer, "the disk is full: some of the reserve is given up");
                self.left.send_replace(fewer);
                true
            }
            Err(error) => {
                tracing::error!(%error, "the reserve on the disk could not be given up");
                false
            }
        }
    }

    /// What others than root may still use.
    fn free(&self) -> Option<u64> {
        free(self.path.as_ref()?.parent()?)
    }

    fn open(&self) -> io::Result<File> {
        let path = self.path.as_ref().ok_or(io::ErrorKind::NotFound)?;
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
    }
}

/// Makes a file take up so many bytes.
fn fill(mut file: File, size: u64) -> io::Result<()> {
    match fallocate(&file, FallocateFlags::empty(), 0, size) {
        Ok(()) => return file.sync_all(),
        Err(rustix::io::Errno::OPNOTSUPP) => {}
        Err(errno) => return Err(errno.into()),
    }
    // Bytes that no file system can make smaller.
    let mut chunk = vec![0; 64 << 10];
    getrandom::fill(&mut chunk).map_err(|error| io::Error::other(error.to_string()))?;
    file.set_len(0)?;
    let mut left = usize::try_from(size).unwrap_or(usize::MAX);
    while left > 0 {
        let count = left.min(chunk.len());
        file.write_all(&chunk[..count])?;
        left -= count;
    }
    file.sync_all()
}

fn free(folder: &Path) -> Option<u64> {
    let stat = statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Whether there is no room for a few pages more.
pub(super) fn is_full(folder: &Path) -> bool {
    free(folder).is_some_and(|free| free < 64 << 10)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn blocks(path: &Path) -> u64 {
        std::fs::metadata(path).unwrap().blocks() * 512
    }

    #[test]
    fn the_reserve_takes_up_room_is_given_up_in_slices_and_taken_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ballast");
        let ballast = Ballast::at(&path);
        assert!(ballast.is_whole());
        assert!(blocks(&path) >= SIZE);
        assert!(ballast.give());
        assert!(!ballast.is_whole());
        assert_eq!(*ballast.left().borrow(), SIZE - SLICE);
        assert!(blocks(&path) < SIZE);
        // What an earlier daemon gave up is known to the next.
        drop(ballast);
        let ballast = Ballast::at(&path);
        assert!(ballast.is_whole(), "there is room here");
        assert!(blocks(&path) >= SIZE);
        while ballast.give() {}
        assert_eq!(blocks(&path), 0);
        ballast.take();
        assert!(ballast.is_whole());
    }

    #[test]
    fn where_there_is_room_nothing_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let ballast = Ballast::at(&folder.path().join("ballast"));
        ballast.make_room(1);
        assert!(ballast.is_whole());
        ballast.make_room(u64::MAX);
        assert_eq!(*ballast.left().borrow(), 0, "more than there is");
    }

    #[test]
    fn a_database_in_memory_has_none() {
        let none = Ballast::none();
        none.take();
        none.make_room(u64::MAX);
        assert!(none.is_whole());
    }
}
