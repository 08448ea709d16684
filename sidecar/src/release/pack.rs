//! A release's folder as a `.tar.gz` stream, as [`super::unpack`] accepts it.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::error::{EntryFault, PackError};
use super::layout::START_ERL;
use super::limits::Limits;
use super::links;
use super::names::EntryPath;

/// The folder in which a release that was once started keeps its pipes, its log, and copies of
/// its configuration with all secrets in it. `mix release` never makes it.
const SCRATCH: &str = "tmp";

/// Packs a release's folder in a fixed order, so that the same folder gives the same bytes.
/// Nothing but what is being written is held in memory.
///
/// # Errors
///
/// If the folder is no release, has anything that is refused in one, or cannot be read; or if
/// `out` fails. What was written until then is no whole archive.
pub fn pack(folder: &Path, out: impl Write) -> Result<(), PackError> {
    check(folder)?;
    let encoder = GzEncoder::new(out, Compression::fast());
    let mut packer = Packer { root: folder.to_owned(), tar: Builder::new(encoder) };
    packer.folder(&mut Vec::new())?;
    let mut out = packer.tar.into_inner().and_then(GzEncoder::finish).map_err(PackError::Write)?;
    out.flush().map_err(PackError::Write)
}

/// Whether it is a release's folder; where one would be, if it is not.
fn check(folder: &Path) -> Result<(), PackError> {
    let read = |source| PackError::Read { path: folder.to_owned(), source };
    let meta = fs::metadata(folder).map_err(read)?;
    if !meta.is_dir() {
        return Err(read(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    let missing = if !folder.join("bin").is_dir() {
        "bin"
    } else if !folder.join(START_ERL).is_file() {
        START_ERL
    } else {
        return Ok(());
    };
    let built = folder.join("_build/prod/rel");
    let names = fs::read_dir(&built).into_iter().flatten().filter_map(Result::ok);
    let found = names.map(|entry| entry.path()).find(|path| path.join(START_ERL).is_file());
    let hint = found.unwrap_or_else(|| PathBuf::from("_build/prod/rel/NAME"));
    Err(PackError::NotARelease {
        folder: folder.to_owned(),
        missing,
        hint: hint.display().to_string(),
    })
}

struct Packer<W: Write> {
    root: PathBuf,
    tar: Builder<GzEncoder<W>>,
}

impl<W: Write> Packer<W> {
    /// Packs what is in the folder whose parts from the root are `at`.
    fn folder(&mut self, at: &mut Vec<String>) -> Result<(), PackError> {
        let mut folder = self.root.clone();
        folder.extend(&*at);
        let read = |path: &Path| {
            let path = path.to_owned();
            move |source| PackError::Read { path, source }
        };
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(read(&folder))? {
            let name = entry.map_err(read(&folder))?.file_name();
            names.push(name.into_string().map_err(|name| PackError::Entry {
                path: folder.join(name),
                fault: EntryFault::NotUtf8,
            })?);
        }
        names.sort();
        for name in names {
            if at.is_empty() && name == SCRATCH {
                continue;
            }
            let path = folder.join(&name);
            let meta = fs::symlink_metadata(&path).map_err(read(&path))?;
            at.push(name);
            self.entry(&path, &meta, at)?;
            at.pop();
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        meta: &Metadata,
        at: &mut Vec<String>,
    ) -> Result<(), PackError> {
        let refuse = |fault| PackError::Entry { path: path.to_owned(), fault };
        let name = at.join("/");
        EntryPath::parse(name.as_bytes(), &Limits::default()).map_err(refuse)?;
        let mode = meta.permissions().mode();
        let kind = meta.file_type();
        let mut header = Header::new_gnu();
        header.set_mtime(u64::try_from(meta.mtime()).unwrap_or(0));
        header.set_size(0);
        if kind.is_dir() {
            // setgid on folders is a habit of shared build hosts, and means nothing in an archive.
            header.set_mode(mode & 0o777);
            header.set_entry_type(EntryType::Directory);
            self.append(&mut header, &format!("{name}/"), io::empty())?;
            self.folder(at)
        } else if kind.is_symlink() {
            let target = fs::read_link(path)
                .map_err(|source| PackError::Read { path: path.to_owned(), source })?;
            let own = &at[..at.len() - 1];
            links::judge(&self.root, own, &target).map_err(refuse)?;
            header.set_mode(0o777);
            header.set_entry_type(EntryType::Symlink);
            self.tar.append_link(&mut header, name, target).map_err(PackError::Write)
        } else if kind.is_file() {
            if mode & 0o7000 != 0 {
                return Err(refuse(EntryFault::Mode(mode & 0o7777)));
            }
            header.set_mode(mode & 0o777);
            header.set_size(meta.len());
            header.set_entry_type(EntryType::Regular);
            self.file(path, &mut header, &name, meta.len())
        } else {
            Err(refuse(EntryFault::Kind(if kind.is_fifo() {
                "a FIFO"
            } else if kind.is_socket() {
                "a socket"
            } else {
                "a device"
            })))
        }
    }

    fn file(
        &mut self,
        path: &Path,
        header: &mut Header,
        name: &str,
        size: u64,
    ) -> Result<(), PackError> {
        let file =
            File::open(path).map_err(|source| PackError::Read { path: path.to_owned(), source })?;
        let mut input = Input { file: file.take(size), read: 0, fault: None };
        let appended = self.append(header, name, &mut input);
        if let Some(source) = input.fault {
            return Err(PackError::Read { path: path.to_owned(), source });
        }
        appended?;
        // The header has promised a size; one byte less and every later entry is lost.
        if input.read != size || fs::metadata(path).is_ok_and(|meta| meta.len() != size) {
            return Err(PackError::Changed(path.to_owned()));
        }
        Ok(())
    }

    fn append(
        &mut self,
        header: &mut Header,
        name: &str,
        data: impl Read,
    ) -> Result<(), PackError> {
        self.tar.append_data(header, name, data).map_err(PackError::Write)
    }
}

/// A file being packed: counts, and keeps its own failures apart from those of the receiver.
struct Input {
    file: io::Take<File>,
    read: u64,
    fault: Option<io::Error>,
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.file.read(out) {
            Ok(n) => {
                self.read += n as u64;
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.fault = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }
}
