//! The folder in which a release is unpacked, until it is renamed into place or dropped.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with, syncfs};
use rustix::io::Errno;

use super::error::{InstallError, UnpackError};
use super::manifest::Manifest;
use super::space::disk;
use crate::fault;

/// What a staging folder's name starts with: nothing else is ever swept.
const PREFIX: &str = "unpack-";

/// A release that was unpacked and checked, but is not in its place yet. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    /// What it says of itself.
    pub manifest: Manifest,
    root: PathBuf,
    stage: Stage,
}

impl Staged {
    pub(super) fn new(stage: Stage, root: PathBuf, manifest: Manifest) -> Self {
        Staged { manifest, root, stage }
    }

    /// The release's folder, for as long as it is staged.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Renames the release into its final place, in one step and safe against a power cut.
    /// The folder above `place` must exist, on the same file system.
    ///
    /// # Errors
    ///
    /// If something stands in the place, or the file system fails; the release is gone then.
    pub fn install(self, place: &Path) -> Result<(), InstallError> {
        let disk = |doing, path: &Path, source: io::Error| InstallError::Disk {
            doing,
            path: path.to_owned(),
            source,
        };
        // One call for thousands of files: an fsync for each would take seconds.
        syncfs(&self.stage.lock)
            .map_err(|errno| disk("write to the disk", &self.root, errno.into()))?;
        fault::point(|| "release: on the disk".into());
        rename(&self.root, place).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty => {
                InstallError::Exists(place.to_owned())
            }
            _ => disk("rename the unpacked release to", place, error),
        })?;
        let above = match place.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        if let Err(error) = File::open(above).and_then(|folder| folder.sync_all()) {
            // What may vanish in a power cut must not be taken for installed.
            let _ = rename(place, &self.root);
            return Err(disk("write to the disk", above, error));
        }
        fault::point(|| "release: in its place".into());
        Ok(())
    }
}

/// Renames a folder without replacing anything.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems know no such flag. A folder is never renamed over one with content,
        // so that what is left open is an empty folder made in this very moment.
        Err(Errno::INVAL | Errno::NOSYS) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        result => Ok(result?),
    }
}

/// A folder of its own below the staging folder, locked while it is in use.
#[derive(Debug)]
pub(super) struct Stage {
    path: PathBuf,
    lock: File,
}

impl Stage {
    /// Makes one with a name that nobody else has.
    pub(super) fn create(parent: &Path) -> Result<Self, UnpackError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(|error| disk("make the folder", parent, error))?;
        loop {
            let random = getrandom::u64()
                .map_err(|error| disk("name a folder in", parent, io::Error::other(error)))?;
            let path = parent.join(format!("{PREFIX}{random:016x}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(disk("make the folder", &path, error)),
            }
            // A sweep can come before the lock: then the folder is gone, and the next is tried.
            match lock(&path) {
                Ok(Some(lock)) => return Ok(Stage { path, lock }),
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => {
                    let _ = fs::remove_dir(&path);
                    return Err(disk("lock", &path, error));
                }
            }
        }
    }

    /// Where the archive's entries go.
    pub(super) fn tree(&self) -> PathBuf {
        self.path.join("tree")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let folder = self.path.display();
            tracing::warn!(%folder, %error, "an unpacked release is left behind until the next start");
        }
    }
}

/// Locks a folder. `None` if somebody else has it, or had it and removed it.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let folder = File::open(path)?;
    match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    }
    let (open, named) = (folder.metadata()?, fs::symlink_metadata(path)?);
    Ok((open.ino() == named.ino() && open.dev() == named.dev()).then_some(folder))
}

/// Removes what a crash left below a staging folder, and tells how many that were. What is being
/// unpacked meanwhile, by this process or another, is left alone.
///
/// # Errors
///
/// If the folder cannot be read or a leftover cannot be removed; a missing folder is no error.
pub fn sweep(staging: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(staging) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry?;
        let ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if !ours || !entry.file_type()?.is_dir() {
            continue;
        }
        match lock(&entry.path()) {
            Ok(Some(_lock)) => {
                fs::remove_dir_all(entry.path())?;
                removed += 1;
            }
            Ok(None) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(removed)
}
