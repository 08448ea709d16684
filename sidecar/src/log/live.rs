//! The live file: what the release appends to.
//!
//! Its first byte has the offset 0, unless it begins with a header that says otherwise: see
//! [`super::renew()`].

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

use super::edge::Edge;

/// What a header begins with. A release would have to write a NUL first.
const MAGIC: &[u8] = b"\0vial: this log goes on from byte ";
/// The whole header: the offset in 20 digits, and a line break.
const HEADER: usize = MAGIC.len() + 21;
/// No file system has smaller blocks, and what is freed of a larger one is only zeroed.
const BLOCK: u64 = 4096;

/// The file, opened.
#[derive(Debug)]
pub(super) struct Live {
    file: File,
    /// The offset of what follows the header.
    start: u64,
    /// How many bytes of the file come before that.
    head: u64,
}

impl Live {
    /// Opens the file to read it; absent where there is none yet.
    pub(super) fn open(path: &Path) -> io::Result<Option<Live>> {
        Live::open_with(path, OpenOptions::new().read(true))
    }

    /// Opens the file to free parts of it.
    pub(super) fn open_to_free(path: &Path) -> io::Result<Option<Live>> {
        Live::open_with(path, OpenOptions::new().read(true).write(true))
    }

    fn open_with(path: &Path, options: &mut OpenOptions) -> io::Result<Option<Live>> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = match options.custom_flags(flags.bits()).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut first = [0; HEADER];
        let filled = fill(&file, &mut first, 0)?;
        let (start, head) = match offset_in(&first[..filled]) {
            Some(start) => (start, HEADER as u64),
            None => (0, 0),
        };
        Ok(Some(Live { file, start, head }))
    }

    /// The header of a file that begins with an offset.
    pub(super) fn header(offset: u64) -> Vec<u8> {
        [MAGIC, format!("{offset:020}\n").as_bytes()].concat()
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// The offset that the file begins with.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The offset that the next byte will have.
    pub(super) fn end(&self) -> io::Result<u64> {
        Ok((self.start + self.file.metadata()?.len()).saturating_sub(self.head).max(self.start))
    }

    /// How many bytes of the disk it takes.
    pub(super) fn on_disk(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.blocks() * 512)
    }

    /// Reads from an offset on; how many bytes there were.
    pub(super) fn read(&self, from: u64, bytes: &mut [u8]) -> io::Result<usize> {
        if from < self.start {
            return Ok(0);
        }
        fill(&self.file, bytes, self.place(from))
    }

    /// Where there is data again, from an offset on.
    pub(super) fn data(&self, from: u64) -> io::Result<u64> {
        let from = from.max(self.start);
        let end = self.end()?;
        if from >= end {
            return Ok(from);
        }
        match rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(self.place(from))) {
            Ok(place) => Ok((place.saturating_sub(self.head) + self.start).max(from)),
            // Nothing but a hole up to the end.
            Err(rustix::io::Errno::NXIO) => Ok(end),
            // A file system that knows no holes has none.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => Ok(from),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The offset after the data that begins at one: where a hole or the end comes, without zeros.
    pub(super) fn hole(&self, from: u64) -> io::Result<u64> {
        let whence = rustix::fs::SeekFrom::Hole(self.place(from));
        let end = match rustix::fs::seek(&self.file, whence) {
            Ok(place) => place.saturating_sub(self.head) + self.start,
            Err(rustix::io::Errno::NXIO) => return Ok(from),
            Err(errno) => return Err(errno.into()),
        };
        let begin = end.saturating_sub(BLOCK).max(from);
        let mut last = vec![0; usize::try_from(end - begin).unwrap_or(0)];
        let filled = self.read(begin, &mut last)?;
        let length = last[..filled].iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
        Ok(begin + length as u64)
    }

    /// Frees what comes before an offset, in whole blocks; the header stays. Says whether the file
    /// system can.
    pub(super) fn free(&self, edge: &dyn Edge, to: u64) -> io::Result<bool> {
        let first = if self.head == 0 { 0 } else { BLOCK };
        let end = self.place(to.max(self.start)) / BLOCK * BLOCK;
        let first_data = self.place(self.data(self.start)?);
        if end <= first || first_data.max(first) >= end {
            return Ok(true);
        }
        match edge.punch(&self.file, first, end - first) {
            Ok(()) => Ok(true),
            Err(error) if cannot(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The offset after the last line break in a range, where it has one.
    pub(super) fn cut(&self, from: u64, to: u64) -> io::Result<Option<u64>> {
        let mut window = vec![0; 64 << 10];
        let mut end = to;
        while end > from {
            let begin = end.saturating_sub(window.len() as u64).max(from);
            let part = &mut window[..usize::try_from(end - begin).unwrap_or(0)];
            let filled = self.read(begin, part)?;
            if let Some(at) = part[..filled].iter().rposition(|byte| *byte == b'\n') {
                return Ok(Some(begin + at as u64 + 1));
            }
            end = begin;
        }
        Ok(None)
    }

    /// Makes the file longer, so that the next byte has an offset, and never shorter, whatever is
    /// appended meanwhile.
    pub(super) fn grow(&self, end: u64) -> io::Result<()> {
        let flags = rustix::fs::FallocateFlags::empty();
        Ok(rustix::fs::fallocate(&self.file, flags, self.place(end - 1), 1)?)
    }

    /// A reader of a range.
    pub(super) fn range(&self, from: u64, to: u64) -> io::Result<impl io::Read + use<'_>> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.place(from)))?;
        Ok(io::Read::take(file, to.saturating_sub(from)))
    }

    /// Where an offset stands in the file.
    fn place(&self, offset: u64) -> u64 {
        offset - self.start + self.head
    }
}

/// Whether a file system said that it has no holes, or the kernel that it does not know how.
fn cannot(error: &io::Error) -> bool {
    use nix::libc::{ENODEV, ENOSYS, EOPNOTSUPP};
    matches!(error.raw_os_error(), Some(EOPNOTSUPP | ENOSYS | ENODEV))
}

fn offset_in(first: &[u8]) -> Option<u64> {
    let digits = first.strip_prefix(MAGIC)?.strip_suffix(b"\n")?;
    let digits = std::str::from_utf8(digits).ok().filter(|it| it.len() == 20)?;
    // Whoever writes such a header himself harms his own log only; it must not overflow.
    digits.parse().ok().filter(|offset| *offset < u64::MAX / 2)
}

fn fill(file: &File, bytes: &mut [u8], from: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read_at(&mut bytes[filled..], from + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
