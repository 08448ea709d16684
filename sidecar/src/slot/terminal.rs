//! A terminal for a program of a release: a console in a browser or over the socket.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::readiness;
use super::spawn::User;

/// Our side of a terminal. Dropped, it hangs up on the program.
#[derive(Debug)]
pub struct Terminal {
    ours: AsyncFd<OwnedFd>,
}

/// How large a terminal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

impl Terminal {
    /// Opens a terminal, and gives the program's side of it, for
    /// [`Output::Terminal`](super::Output::Terminal). Drop that once the program is spawned:
    /// only then is its end seen here.
    ///
    /// # Errors
    /// Where the system has no terminal left.
    pub fn open(size: Size, user: Option<&User>) -> io::Result<(Terminal, OwnedFd)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&ours)?;
        rustix::pty::unlockpt(&ours)?;
        let path = rustix::pty::ptsname(&ours, Vec::new())?;
        let path = Path::new(std::ffi::OsStr::from_bytes(path.as_bytes()));
        let theirs: OwnedFd = File::options()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(path)?
            .into();
        if let Some(user) = user {
            // So that a program may open its own terminal by its name.
            std::os::unix::fs::fchown(&theirs, Some(user.uid), None)?;
        }
        rustix::io::ioctl_fionbio(&ours, true)?;
        let ours = readiness::watch(ours, Interest::READABLE | Interest::WRITABLE)?;
        let terminal = Terminal { ours };
        terminal.resize(size)?;
        Ok((terminal, theirs))
    }

    /// Changes its size; the program is told.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(self.ours.get_ref(), size)?)
    }

    /// Reads what the program wrote; 0 once everyone on its side has closed it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = |fd: &OwnedFd| Ok(rustix::io::read(fd, &mut *buffer)?);
        match self.ours.async_io(Interest::READABLE, read).await {
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            result => result,
        }
    }

    /// Types as many of `bytes` as there is room for; how many that were.
    ///
    /// # Errors
    /// Where the program has closed its side.
    pub async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let write = |fd: &OwnedFd| Ok(rustix::io::write(fd, bytes)?);
        self.ours.async_io(Interest::WRITABLE, write).await
    }
}
