//! Waiting for a slot's log to grow, told by the kernel.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::len;
use crate::slot::readiness;

/// A reader that follows a log. Keep it between reads: closing one costs the kernel milliseconds.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    inotify: AsyncFd<OwnedFd>,
    on_file: bool,
}

impl Follower {
    /// Follows a log, which need not exist yet; its folder must.
    ///
    /// # Errors
    /// Where the system has no watch left, or the folder does not exist.
    pub fn new(path: &Path) -> io::Result<Follower> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let inotify = readiness::watch(inotify, Interest::READABLE)?;
        let mut follower = Follower { path: path.to_owned(), inotify, on_file: false };
        follower.watch()?;
        Ok(follower)
    }

    /// Waits until the log is longer than `cursor`.
    ///
    /// # Errors
    /// Where the log cannot be watched or looked at.
    pub async fn grown(&mut self, cursor: u64) -> io::Result<()> {
        loop {
            if !self.on_file {
                self.watch()?;
            }
            // The watch stands by now: what is written from here on wakes us.
            if len(&self.path)? > cursor {
                return Ok(());
            }
            self.event().await?;
        }
    }

    /// Watches the file, or its folder for as long as there is no file.
    fn watch(&mut self) -> io::Result<()> {
        let fd = self.inotify.get_ref();
        let on_file = WatchFlags::MODIFY
            | WatchFlags::MOVE_SELF
            | WatchFlags::DELETE_SELF
            | WatchFlags::DONT_FOLLOW;
        match inotify::add_watch(fd, &self.path, on_file) {
            Ok(_) => {
                self.on_file = true;
                return Ok(());
            }
            Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        inotify::add_watch(fd, folder, WatchFlags::CREATE | WatchFlags::MOVED_TO)?;
        // It may have been made between the two.
        if inotify::add_watch(fd, &self.path, on_file).is_ok() {
            self.on_file = true;
        }
        Ok(())
    }

    /// Waits for at least one event, and takes all that have come.
    async fn event(&mut self) -> io::Result<()> {
        let mut ready = self.inotify.readable().await?;
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(self.inotify.get_ref(), &mut buffer);
        loop {
            match events.next() {
                // Moved or deleted: a new one in its place is another file.
                Ok(event) if event.events().intersects(GONE) => self.on_file = false,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => {
                    ready.clear_ready();
                    return Ok(());
                }
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

const GONE: ReadFlags =
    ReadFlags::MOVE_SELF.union(ReadFlags::DELETE_SELF).union(ReadFlags::IGNORED);

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Duration;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(5);
    const QUIET: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_follower_wakes_when_the_log_grows_and_not_before() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut follower = Follower::new(file.path()).unwrap();
        assert!(timeout(QUIET, follower.grown(0)).await.is_err());
        file.write_all(b"one\n").unwrap();
        timeout(SOON, follower.grown(0)).await.unwrap().unwrap();
        assert!(timeout(QUIET, follower.grown(4)).await.is_err());
        file.write_all(b"two\n").unwrap();
        timeout(SOON, follower.grown(4)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_follower_waits_for_a_log_that_does_not_exist_yet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("blue.log");
        let mut follower = Follower::new(&path).unwrap();
        let writer = async {
            tokio::time::sleep(QUIET).await;
            let mut file = std::fs::File::create(&path).unwrap();
            tokio::time::sleep(QUIET).await;
            file.write_all(b"one\n").unwrap();
        };
        let (grown, ()) = tokio::join!(timeout(SOON, follower.grown(0)), writer);
        grown.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_log_in_a_folder_that_does_not_exist_is_an_error() {
        assert!(Follower::new(Path::new("/nonexistent/blue.log")).is_err());
    }
}
