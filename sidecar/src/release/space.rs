//! Sees to it that unpacking never fills the disk.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use rustix::fs::{fstatvfs, statvfs};

use super::error::UnpackError;

/// Bytes written between two looks at the disk.
const STEP: u64 = 4 << 20;
/// What an entry takes beside its bytes, at least.
const ENTRY: u64 = 4096;

/// How much was written, and how much the disk had.
pub(super) struct Space {
    folder: PathBuf,
    keep_free: u64,
    free_before: u64,
    /// Bytes of the files.
    written: u64,
    /// Bytes that were announced but not written yet.
    announced: u64,
    since_look: u64,
}

impl Space {
    /// Looks at the disk that a folder is on.
    pub(super) fn measure(folder: &Path, open: &File, keep_free: u64) -> Result<Self, UnpackError> {
        let stat = fstatvfs(open).map_err(|errno| UnpackError::Disk {
            doing: "look at the disk of",
            path: folder.to_owned(),
            source: errno.into(),
        })?;
        Ok(Space {
            folder: folder.parent().unwrap_or(folder).to_owned(),
            keep_free,
            free_before: stat.f_bavail.saturating_mul(stat.f_frsize),
            written: 0,
            announced: 0,
            since_look: STEP,
        })
    }

    /// An entry comes, whatever it is.
    pub(super) fn entry(&mut self, disk: impl AsFd) -> Result<(), UnpackError> {
        self.account(disk, ENTRY)
    }

    /// A file of this size comes.
    pub(super) fn file(&mut self, disk: impl AsFd, size: u64) -> Result<(), UnpackError> {
        self.announced = size;
        if size >= STEP { self.look(disk) } else { Ok(()) }
    }

    /// So many bytes of it were written.
    pub(super) fn wrote(&mut self, disk: impl AsFd, bytes: u64) -> Result<(), UnpackError> {
        self.written += bytes;
        self.announced = self.announced.saturating_sub(bytes);
        self.account(disk, bytes)
    }

    /// The bytes of all files.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The error for a disk that is full, or would be.
    pub(super) fn full(&self, disk: impl AsFd) -> UnpackError {
        UnpackError::NoSpace {
            needed: self.written.saturating_add(self.announced),
            free: self.free_before,
            keep_free: self.keep_free,
            no_inodes: fstatvfs(disk).is_ok_and(|stat| stat.f_files > 0 && stat.f_favail == 0),
            folder: self.folder.clone(),
        }
    }

    fn account(&mut self, disk: impl AsFd, bytes: u64) -> Result<(), UnpackError> {
        self.since_look += bytes;
        if self.since_look < STEP { Ok(()) } else { self.look(disk) }
    }

    fn look(&mut self, disk: impl AsFd) -> Result<(), UnpackError> {
        self.since_look = 0;
        let Ok(stat) = fstatvfs(&disk) else { return Ok(()) };
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free < self.keep_free.saturating_add(self.announced) {
            return Err(self.full(disk));
        }
        Ok(())
    }
}

/// The error for a failure on the disk before anything was unpacked.
pub(super) fn disk(doing: &'static str, path: &Path, source: io::Error) -> UnpackError {
    if !matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
        return UnpackError::Disk { doing, path: path.to_owned(), source };
    }
    let folder = path.parent().unwrap_or(path);
    let stat = statvfs(folder);
    UnpackError::NoSpace {
        needed: ENTRY,
        free: stat.as_ref().map_or(0, |stat| stat.f_bavail.saturating_mul(stat.f_frsize)),
        keep_free: 0,
        no_inodes: stat.is_ok_and(|stat| stat.f_files > 0 && stat.f_favail == 0),
        folder: folder.to_owned(),
    }
}
