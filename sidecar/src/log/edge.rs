//! What of the system a test replaces: a file system without holes, a full one, a crash.

use std::fs::File;
use std::io;
use std::path::Path;

use super::room::Room;

/// The steps of making a segment, as far as they are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The segment lies aside.
    Written,
    /// It has its name.
    Named,
    /// The live file is freed of it.
    Freed,
    /// An older one was removed or emptied.
    Dropped,
    /// A shorter live file lies aside.
    Copied,
}

/// The system.
pub(super) trait Edge: Send {
    /// Frees a range of a file in place.
    fn punch(&self, file: &File, from: u64, length: u64) -> io::Result<()>;

    /// How full the disk is that a folder is on.
    fn room(&self, folder: &Path) -> io::Result<Room>;

    /// Called after each step; a test ends there as a crash would.
    fn done(&self, _step: Step) {}

    /// Called before a segment is written.
    fn may_write(&self) -> io::Result<()> {
        Ok(())
    }
}

/// This host.
#[derive(Debug)]
pub(super) struct System;

impl Edge for System {
    fn punch(&self, file: &File, from: u64, length: u64) -> io::Result<()> {
        use rustix::fs::FallocateFlags;
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::fs::fallocate(file, flags, from, length)?)
    }

    fn room(&self, folder: &Path) -> io::Result<Room> {
        Room::of(folder)
    }
}
