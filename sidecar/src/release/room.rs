//! Whether a disk has room for what is about to be written on it, before any of it is.
//!
//! Unpacking looks again while it writes (`space`); this spares an upload, or a build of minutes,
//! whose end is known.

use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::statvfs;

use super::limits::Limits;

/// Why there is no room; for whoever asked for a build or a deploy.
#[derive(Debug, thiserror::Error)]
pub enum NoRoom {
    /// There are too few bytes.
    #[error(
        "{} is nearly full: {} are free, {} are needed, and {} stay free in any case so that logs \
         can be written.",
        folder.display(), size(*free), size(*needed), size(*keep_free)
    )]
    Bytes {
        /// The folder.
        folder: PathBuf,
        /// What is free.
        free: u64,
        /// What is needed.
        needed: u64,
        /// What must stay.
        keep_free: u64,
    },
    /// There is no room for names.
    #[error("The disk of {} has no inode left for another file.", folder.display())]
    Inodes {
        /// The folder.
        folder: PathBuf,
    },
    /// The disk cannot be looked at.
    #[error("The disk of {} cannot be looked at: {source}.", folder.display())]
    Unseen {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Whether `needed` bytes fit on the disk of a folder, beside what stays free in any case. Where the
/// folder does not exist yet, the one above it counts.
///
/// # Errors
/// Where they do not.
pub fn room(folder: &Path, needed: u64) -> Result<(), NoRoom> {
    let keep_free = Limits::default().keep_free;
    let exists = folder.ancestors().find(|it| it.exists()).unwrap_or(folder);
    let stat = statvfs(exists)
        .map_err(|errno| NoRoom::Unseen { folder: folder.to_owned(), source: errno.into() })?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free < keep_free.saturating_add(needed) {
        return Err(NoRoom::Bytes { folder: folder.to_owned(), free, needed, keep_free });
    }
    if stat.f_files > 0 && stat.f_favail == 0 {
        return Err(NoRoom::Inodes { folder: folder.to_owned() });
    }
    Ok(())
}

/// "12.3 MiB"
fn size(bytes: u64) -> String {
    let tenths = ((bytes >> 10) * 10) >> 10;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_figures() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("not/there/yet");
        room(&below, 0).unwrap();
        let error = room(&below, 1 << 60).unwrap_err();
        let NoRoom::Bytes { free, keep_free, .. } = error else { panic!("{error}") };
        assert!(free > 0 && keep_free == 64 << 20);
        let said = error.to_string();
        assert!(said.contains("1099511627776.0 MiB are needed, and 64.0 MiB stay free"), "{said}");
    }
}
