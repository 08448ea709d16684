//! Writes entries below a folder of our own, so that no entry can place anything elsewhere.
//!
//! Every step goes from one open folder to the next by a single name and follows no link, so a
//! link that an earlier entry placed is never walked through. Everything is created, nothing is
//! opened for writing that exists: the file system itself notices what comes twice.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, linkat, mkdirat, openat, statat, symlinkat};
use rustix::io::Errno;

use super::archive::{Archive, Entry, Kind};
use super::error::{EntryFault, UnpackError};
use super::names::{EntryPath, printable};
use super::space::{Space, disk};

const FOLDER: u32 = 0o750;
const FILE: u32 = 0o640;
const PROGRAM: u32 = 0o750;

/// A folder that entries are written into.
pub(super) struct Tree {
    path: PathBuf,
    root: OwnedFd,
    /// The folders from the root to where the last entry was written, open.
    open: Vec<(String, OwnedFd)>,
    gid: Option<u32>,
    space: Space,
    buffer: Vec<u8>,
}

impl Tree {
    /// Makes the folder. `path` must not exist, and nobody else may write where it is made.
    pub(super) fn create(
        path: &Path,
        gid: Option<u32>,
        keep_free: u64,
    ) -> Result<Self, UnpackError> {
        let disk = |doing| move |error| disk(doing, path, error);
        fs::create_dir(path).map_err(disk("make the folder"))?;
        let root = File::open(path).map_err(disk("open"))?;
        let space = Space::measure(path, &root, keep_free)?;
        adopt(&root, FOLDER, gid).map_err(disk("set the owner of"))?;
        Ok(Tree {
            path: path.to_owned(),
            root: root.into(),
            open: Vec::new(),
            gid,
            space,
            buffer: vec![0; 128 * 1024],
        })
    }

    /// Writes one entry, a file's bytes taken from the archive.
    pub(super) fn write<R: Read>(
        &mut self,
        entry: &Entry,
        archive: &mut Archive<'_, R>,
    ) -> Result<(), UnpackError> {
        self.space.entry(&self.root)?;
        match &entry.kind {
            Kind::Folder => self.enter(&entry.path, entry.path.as_str().split('/')),
            Kind::File { size, executable } => {
                let mode = if *executable { PROGRAM } else { FILE };
                self.file(entry, *size, mode, archive)
            }
            Kind::Link { target } => {
                let (parents, name) = entry.path.split();
                self.enter(&entry.path, parents)?;
                symlinkat(target, self.here(), name)
                    .map_err(|errno| self.refused(&entry.path, name, errno))
            }
            Kind::HardLink { target } => self.hard_link(&entry.path, target),
        }
    }

    /// The bytes that all files took.
    pub(super) fn finish(self) -> u64 {
        self.space.written()
    }

    fn file<R: Read>(
        &mut self,
        entry: &Entry,
        size: u64,
        mode: u32,
        archive: &mut Archive<'_, R>,
    ) -> Result<(), UnpackError> {
        let (parents, name) = entry.path.split();
        self.enter(&entry.path, parents)?;
        self.space.file(&self.root, size)?;
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file: File = openat(self.here(), name, flags, Mode::from_raw_mode(0o600))
            .map_err(|errno| self.refused(&entry.path, name, errno))?
            .into();
        loop {
            let n = archive.read(&mut self.buffer)?;
            if n == 0 {
                break;
            }
            file.write_all(&self.buffer[..n])
                .map_err(|error| self.failed("write", &entry.path, error))?;
            self.space.wrote(&self.root, n as u64)?;
        }
        adopt(&file, mode, self.gid)
            .map_err(|error| self.failed("set the owner of", &entry.path, error))?;
        if let Some(time) = entry.mtime.and_then(time) {
            file.set_modified(time)
                .map_err(|error| self.failed("set the time of", &entry.path, error))?;
        }
        Ok(())
    }

    /// Gives an earlier file of this archive a second name.
    fn hard_link(&mut self, path: &EntryPath, target: &EntryPath) -> Result<(), UnpackError> {
        let missing = || path.fault(EntryFault::HardLink(printable(target.as_str().as_bytes())));
        let (parents, name) = target.split();
        let mut folder: Option<OwnedFd> = None;
        for part in parents {
            let next = open_folder(folder.as_ref().unwrap_or(&self.root), part);
            folder = Some(next.map_err(|_| missing())?);
        }
        let folder = folder.as_ref().unwrap_or(&self.root);
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| missing())?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(missing());
        }
        let folder = folder.try_clone().map_err(|error| self.failed("open", target, error))?;
        let (parents, own) = path.split();
        self.enter(path, parents)?;
        linkat(&folder, name, self.here(), own, AtFlags::empty())
            .map_err(|errno| self.refused(path, own, errno))
    }

    /// Opens the folders that lead to an entry, making those that are missing.
    fn enter<'p>(
        &mut self,
        path: &EntryPath,
        folders: impl Iterator<Item = &'p str>,
    ) -> Result<(), UnpackError> {
        let own = path.as_str().matches('/').count();
        let mut depth = 0;
        for part in folders {
            if self.open.get(depth).is_none_or(|(name, _)| name != part) {
                self.open.truncate(depth);
                let folder = self.folder(path, part, depth == own)?;
                self.open.push((part.to_owned(), folder));
            }
            depth += 1;
        }
        self.open.truncate(depth);
        Ok(())
    }

    /// Opens one folder in the present one, made where it is missing. `own` if it is the entry
    /// itself, not one above it.
    fn folder(&self, path: &EntryPath, name: &str, own: bool) -> Result<OwnedFd, UnpackError> {
        match open_folder(self.here(), name) {
            Ok(folder) => return Ok(folder),
            Err(Errno::NOENT) => {}
            Err(Errno::NOTDIR | Errno::LOOP) => {
                let fault = if own { EntryFault::Conflict } else { EntryFault::NotBelowFolder };
                return Err(path.fault(fault));
            }
            Err(errno) => return Err(self.failed("open", path, errno.into())),
        }
        mkdirat(self.here(), name, Mode::from_raw_mode(0o700))
            .and_then(|()| open_folder(self.here(), name))
            .map_err(io::Error::from)
            .and_then(|folder| {
                let folder = File::from(folder);
                adopt(&folder, FOLDER, self.gid)?;
                Ok(folder.into())
            })
            .map_err(|error| self.failed("make the folder", path, error))
    }

    /// The folder entered last.
    fn here(&self) -> &OwnedFd {
        self.open.last().map_or(&self.root, |(_, folder)| folder)
    }

    /// Why the file system refused a name in the present folder.
    fn refused(&self, path: &EntryPath, name: &str, errno: Errno) -> UnpackError {
        match errno {
            Errno::EXIST => {
                let old = statat(self.here(), name, AtFlags::SYMLINK_NOFOLLOW);
                let folder = old
                    .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
                path.fault(if folder { EntryFault::Conflict } else { EntryFault::Duplicate })
            }
            errno => self.failed("make", path, errno.into()),
        }
    }

    fn failed(&self, doing: &'static str, path: &EntryPath, error: io::Error) -> UnpackError {
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return self.space.full(&self.root);
        }
        UnpackError::Disk { doing, path: self.path.join(path.as_str()), source: error }
    }
}

fn open_folder(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

/// Sets the mode, whatever the umask, and the group.
fn adopt(file: &File, mode: u32, gid: Option<u32>) -> io::Result<()> {
    if gid.is_some() {
        fchown(file, None, gid)?;
    }
    file.set_permissions(fs::Permissions::from_mode(mode))
}

fn time(seconds: i64) -> Option<SystemTime> {
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}
