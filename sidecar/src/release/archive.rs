//! The entries of a tar stream, one at a time, each checked before anyone sees it.
//!
//! The headers are decoded by the `tar` crate, but the walk from one to the next is our own: the
//! crate's takes a stream that ends without an end marker for a whole archive, and reads long
//! names and PAX records into memory whatever size they claim.

use std::io::Read;

use tar::{EntryType, Header};

use super::error::{EntryFault, UnpackError};
use super::extensions::Extensions;
use super::header::{BLOCK, checksum};
use super::limits::Limits;
use super::names::{EntryPath, printable, text};
use super::source::{Receipt, Source};

/// The most that one PAX record or long name may take; real ones are below a kilobyte.
const MAX_EXTENSION: u64 = 64 * 1024;

/// One entry that may be written.
pub(super) struct Entry {
    pub(super) path: EntryPath,
    pub(super) kind: Kind,
    /// Seconds since 1970, where the archive has a time that makes sense.
    pub(super) mtime: Option<i64>,
}

/// What an entry is.
pub(super) enum Kind {
    /// A folder, which may have come before.
    Folder,
    /// A file; its bytes are read with [`Archive::read`].
    File { size: u64, executable: bool },
    /// A symbolic link to this text.
    Link { target: String },
    /// Another name of an earlier file.
    HardLink { target: EntryPath },
}

/// A tar stream.
pub(super) struct Archive<'a, R: Read> {
    source: Source<'a, R>,
    limits: Limits,
    entries: u64,
    bytes: u64,
    /// Bytes of the present entry that were not read yet, and the padding after them.
    left: u64,
    padding: u64,
}

impl<'a, R: Read> Archive<'a, R> {
    /// Opens a stream, compressed or not.
    pub(super) fn open(
        input: R,
        limits: Limits,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self, UnpackError> {
        let source = Source::open(input, limits, stop)?;
        Ok(Archive { source, limits, entries: 0, bytes: 0, left: 0, padding: 0 })
    }

    /// The next entry; none after the end marker.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, UnpackError> {
        let mut extensions = Extensions::default();
        loop {
            self.skip()?;
            let mut block = [0; BLOCK];
            self.source.fill(&mut block)?;
            if block.iter().all(|byte| *byte == 0) {
                if !extensions.is_empty() {
                    return Err(UnpackError::Corrupt(
                        "its last entry is announced but missing".to_owned(),
                    ));
                }
                return Ok(None);
            }
            if !checksum(&block) {
                return Err(UnpackError::Corrupt("an entry's header checksum is wrong".to_owned()));
            }
            let header = Header::from_byte_slice(&block);
            let size = header.entry_size().map_err(|_| {
                let name = printable(&header.path_bytes());
                UnpackError::Corrupt(format!("the size of `{name}` is not a number"))
            })?;
            match header.entry_type() {
                kind @ (EntryType::XHeader
                | EntryType::XGlobalHeader
                | EntryType::GNULongName
                | EntryType::GNULongLink) => {
                    if kind == EntryType::XGlobalHeader {
                        self.count_entry()?;
                    }
                    let data = self.extension(header, size)?;
                    extensions.add(kind, &data).map_err(|fault| at(header, fault))?;
                }
                _ => {
                    self.count_entry()?;
                    match self.entry(header, size, &extensions)? {
                        Some(entry) => return Ok(Some(entry)),
                        None => extensions = Extensions::default(),
                    }
                }
            }
        }
    }

    /// Reads bytes of the present file; none at its end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, UnpackError> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        if most == 0 {
            return Ok(0);
        }
        match self.source.read(&mut out[..most])? {
            0 => Err(self.source.truncated()),
            n => {
                self.left -= n as u64;
                Ok(n)
            }
        }
    }

    /// Reads the rest of the stream, so that its own checksum is checked too.
    pub(super) fn finish(self) -> Result<Receipt, UnpackError> {
        self.source.finish()
    }

    /// Judges one entry. `None` for the packed folder itself.
    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        extensions: &Extensions,
    ) -> Result<Option<Entry>, UnpackError> {
        let raw = extensions.path(header);
        let refuse = |fault| UnpackError::Entry { name: printable(&raw), fault };
        let path = EntryPath::parse(&raw, &self.limits).map_err(refuse)?;
        if !extensions.agrees_on_size(size) {
            return Err(refuse(EntryFault::Contradiction("two sizes")));
        }
        let mode = header.mode().map_err(|_| refuse(EntryFault::Contradiction("its mode")))?;
        let kind = match header.entry_type() {
            EntryType::Directory => Kind::Folder,
            // Before POSIX a folder was a file whose name ends in a slash.
            EntryType::Regular if raw.ends_with(b"/") => Kind::Folder,
            EntryType::Regular => Kind::File { size, executable: mode & 0o111 != 0 },
            EntryType::Symlink => {
                let target = extensions.target(header);
                let target = text(&target, &self.limits).map_err(refuse)?.to_owned();
                if target.is_empty() || target.starts_with('/') {
                    return Err(refuse(EntryFault::LinkLeaves(printable(target.as_bytes()))));
                }
                Kind::Link { target }
            }
            EntryType::Link => {
                let target = extensions.target(header);
                let missing = || EntryFault::HardLink(printable(&target));
                let target = EntryPath::parse(&target, &self.limits)
                    .ok()
                    .flatten()
                    .ok_or_else(|| refuse(missing()))?;
                Kind::HardLink { target }
            }
            other => return Err(refuse(EntryFault::Kind(describe(other)))),
        };
        if mode & 0o7000 != 0 {
            return Err(refuse(EntryFault::Mode(mode & 0o7777)));
        }
        if size != 0 && !matches!(kind, Kind::File { .. }) {
            return Err(refuse(EntryFault::Contradiction("it is no file and has a size")));
        }
        self.expect(size)?;
        match (path, &kind) {
            (Some(path), _) => {
                let mtime = header.mtime().ok().and_then(|time| i64::try_from(time).ok());
                Ok(Some(Entry { path, kind, mtime }))
            }
            (None, Kind::Folder) => Ok(None),
            (None, _) => Err(refuse(EntryFault::EmptyPath)),
        }
    }

    fn extension(&mut self, header: &Header, size: u64) -> Result<Vec<u8>, UnpackError> {
        if size > MAX_EXTENSION {
            return Err(at(header, EntryFault::Contradiction("a record of absurd size")));
        }
        self.expect(size)?;
        let mut data = vec![0; usize::try_from(size).unwrap_or(0)];
        self.source.fill(&mut data)?;
        self.left = 0;
        Ok(data)
    }

    /// Takes note that so many bytes belong to the present entry.
    fn expect(&mut self, size: u64) -> Result<(), UnpackError> {
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.max_bytes {
            return Err(UnpackError::TooLarge { max: self.limits.max_bytes });
        }
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
        Ok(())
    }

    /// Leaves what remains of the present entry behind.
    fn skip(&mut self) -> Result<(), UnpackError> {
        let mut rest = self.left.saturating_add(self.padding);
        let mut buffer = [0; 8 * BLOCK];
        while rest > 0 {
            let most = usize::try_from(rest).unwrap_or(usize::MAX).min(buffer.len());
            self.source.fill(&mut buffer[..most])?;
            rest -= most as u64;
        }
        (self.left, self.padding) = (0, 0);
        Ok(())
    }

    fn count_entry(&mut self) -> Result<(), UnpackError> {
        self.entries += 1;
        if self.entries > self.limits.max_entries {
            return Err(UnpackError::TooManyEntries { max: self.limits.max_entries });
        }
        Ok(())
    }
}

fn at(header: &Header, fault: EntryFault) -> UnpackError {
    UnpackError::Entry { name: printable(&header.path_bytes()), fault }
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a FIFO",
        EntryType::GNUSparse => "a sparse file",
        EntryType::Continuous => "a contiguous file",
        _ => "of an unknown kind",
    }
}
