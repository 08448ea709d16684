//! Where an app's builds are.
//!
//! ```text
//! apps/shop/builds/12/build.log   what the build of #12 printed, 0640; builds/ is 0700
//! apps/shop/build/                0711; locked while somebody works in it
//!   git/                          0700; 0711 while Git runs, and no command of a build
//!     gitconfig  home/  mirror/   the mirror is the builder's
//!   cache/                        0700; 0711 while it is lent
//!     key  _build/  deps/  home/  of the last good build of the configured branch
//!   src/  home/  tmp/             the build's own: the builder's, 0700, gone when it has ended
//! ```
//!
//! The checkout is in the same place each time, because compilers write down where they were.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, FlockOperation, Gid, Uid, chownat, flock, statvfs};

use super::error::BuildError;
use crate::slot::User;

/// How often an emptying is tried, and how long after the one before.
const CLEARINGS: usize = 20;
const CLEARING: Duration = Duration::from_millis(50);

/// An app's folders.
#[derive(Debug, Clone)]
pub struct Place {
    root: PathBuf,
}

impl Place {
    /// Below an app's folder of the state folder.
    #[must_use]
    pub fn new(app: &Path) -> Place {
        Place { root: app.to_owned() }
    }

    /// The log of a build.
    #[must_use]
    pub fn log(&self, number: u64) -> PathBuf {
        self.logs().join(number.to_string()).join("build.log")
    }

    /// The parent of what is kept of each build.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("builds")
    }

    /// The folder that is locked.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.root.join("build")
    }

    pub(super) fn git(&self) -> PathBuf {
        self.work().join("git")
    }

    pub(super) fn mirror(&self) -> PathBuf {
        self.git().join("mirror")
    }

    pub(super) fn cache(&self) -> PathBuf {
        self.work().join("cache")
    }

    /// The checkout.
    #[must_use]
    pub fn source(&self) -> PathBuf {
        self.work().join("src")
    }

    pub(super) fn home(&self) -> PathBuf {
        self.work().join("home")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.work().join("tmp")
    }

    /// Makes the folder of a build's log.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub fn make_log(&self, number: u64) -> Result<PathBuf, BuildError> {
        folder(&self.logs(), 0o700)?;
        let log = self.log(number);
        if let Some(above) = log.parent() {
            folder(above, 0o700)?;
        }
        Ok(log)
    }

    /// Waits until nobody works here any more, and makes it ready for a builder. May take its time:
    /// for a thread that may block.
    ///
    /// # Errors
    /// Where a folder cannot be made or emptied.
    pub fn enter(&self, builder: Option<&User>) -> Result<Held, BuildError> {
        let work = self.work();
        folder(&work, 0o711)?;
        let lock = File::open(&work).map_err(BuildError::disk(&work))?;
        flock(&lock, FlockOperation::LockExclusive)
            .map_err(|errno| BuildError::disk(&work)(errno.into()))?;
        let held = Held { place: self.clone(), lock: Some(lock) };
        held.clear()?;
        close(&self.git())?;
        close(&self.cache())?;
        for own in [self.source(), self.home(), self.tmp(), self.git().join("home")] {
            theirs(&own, builder)?;
        }
        Ok(held)
    }

    /// Removes what a build that was interrupted left. Its log stays.
    ///
    /// # Errors
    /// Where it stays.
    pub fn sweep(&self) -> Result<(), BuildError> {
        let work = self.work();
        if !work.exists() {
            return Ok(());
        }
        let lock = File::open(&work).map_err(BuildError::disk(&work))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Held { place: self.clone(), lock: Some(lock) }.clear(),
            Err(_) => Ok(()),
        }
    }

    fn clear(&self) -> Result<(), BuildError> {
        for own in [self.source(), self.home(), self.tmp()] {
            remove(&own).map_err(BuildError::disk(&own))?;
        }
        Ok(())
    }

    /// How many bytes of the disk are free.
    #[must_use]
    pub fn free(&self) -> Option<u64> {
        let stat = statvfs(self.root.as_path()).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}

/// An app's folders, while one build has them. Dropped, its own are gone.
#[derive(Debug)]
pub struct Held {
    place: Place,
    lock: Option<File>,
}

impl Held {
    /// Where they are.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    fn clear(&self) -> Result<(), BuildError> {
        self.place.clear()
    }
}

impl Drop for Held {
    /// On a thread of its own: it may take its time, and what was killed a moment ago may still
    /// write. Until it is done nobody else comes in.
    fn drop(&mut self) {
        let (place, lock) = (self.place.clone(), self.lock.take());
        std::thread::spawn(move || {
            for _ in 0..CLEARINGS {
                if place.clear().is_ok() {
                    return;
                }
                std::thread::sleep(CLEARING);
            }
            if let Err(error) = place.clear() {
                tracing::warn!(%error, "what a build left stays until the next");
            }
            drop(lock);
        });
    }
}

/// Removes a folder with all that is in it; nothing is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Opens a room to others.
pub(super) fn open(path: &Path) -> Result<(), BuildError> {
    folder(path, 0o711)
}

/// Closes it.
pub(super) fn close(path: &Path) -> Result<(), BuildError> {
    folder(path, 0o700)
}

fn folder(path: &Path, mode: u32) -> Result<(), BuildError> {
    let made = DirBuilder::new().recursive(true).mode(mode).create(path);
    made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(BuildError::disk(path))
}

/// A folder of the builder's own.
pub(super) fn theirs(path: &Path, builder: Option<&User>) -> Result<(), BuildError> {
    folder(path, 0o700)?;
    let Some(user) = builder else { return Ok(()) };
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    chownat(rustix::fs::CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
        .map_err(|errno| BuildError::disk(path)(errno.into()))
}
