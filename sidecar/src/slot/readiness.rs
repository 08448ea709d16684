//! Registering a descriptor of ours with the runtime.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Takes a descriptor into the runtime's care: a pidfd, an inotify instance, a terminal.
pub(crate) fn watch(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    tokio::runtime::Handle::try_current().map_err(io::Error::other)?;
    // SAFETY: an OwnedFd is open until it is dropped, names one descriptor for all its life, and
    // is out of reach of everyone but the AsyncFd, which gives only shared references to it.
    #[allow(unsafe_code)]
    let watched = unsafe { AsyncFd::register_with_interest(fd, interest) };
    watched.map_err(io::Error::from)
}
