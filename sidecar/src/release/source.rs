//! The byte stream below the archive: counted, hashed, decompressed, and held to the limits.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Chain, Cursor, ErrorKind, Read};
use std::mem;

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};

use super::error::UnpackError;
use super::header::{BLOCK, checksum};
use super::limits::Limits;

const BUFFER: usize = 128 * 1024;

/// What came, told when the stream has been read to its end.
pub(super) struct Receipt {
    /// SHA-256 of every byte received, lowercase hex.
    pub(super) sha256: String,
}

/// The archive's bytes, decompressed where they were compressed.
pub(super) struct Source<'a, R: Read> {
    stage: Stage<'a, R>,
    limits: Limits,
    expanded: u64,
    stop: &'a dyn Fn() -> bool,
}

type Buffered<'a, R> = BufReader<Chain<Cursor<Vec<u8>>, Received<'a, R>>>;

enum Stage<'a, R: Read> {
    Plain(Buffered<'a, R>),
    Gzip(Box<GzDecoder<Buffered<'a, R>>>),
    /// Read to its end.
    End(Buffered<'a, R>),
    /// Held by nobody else than a function that is replacing it.
    Between,
}

impl<'a, R: Read> Source<'a, R> {
    /// Looks at the first bytes and decides what they are.
    pub(super) fn open(
        input: R,
        limits: Limits,
        stop: &'a dyn Fn() -> bool,
    ) -> Result<Self, UnpackError> {
        let mut received = Received {
            input,
            hash: Sha256::new(),
            bytes: 0,
            max: limits.max_received(),
            limits,
            stop,
            fault: None,
        };
        let mut head = vec![0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match received.read(&mut head[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) => return Err(received.explain(&error)),
            }
        }
        head.truncate(filled);
        let gzip = match &head[..] {
            [] => return Err(UnpackError::Empty),
            [0x1f, 0x8b, ..] => true,
            head if is_tar(head) => false,
            head => return Err(UnpackError::NotAnArchive(looks_like(head))),
        };
        let buffered = BufReader::with_capacity(BUFFER, Cursor::new(head).chain(received));
        let stage = if gzip {
            Stage::Gzip(Box::new(GzDecoder::new(buffered)))
        } else {
            Stage::Plain(buffered)
        };
        Ok(Source { stage, limits, expanded: 0, stop })
    }

    /// Reads some bytes; none at the stream's end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, UnpackError> {
        if (self.stop)() {
            return Err(UnpackError::Cancelled);
        }
        loop {
            let read = match &mut self.stage {
                Stage::Plain(input) => input.read(out),
                Stage::Gzip(input) => input.read(out),
                Stage::End(_) | Stage::Between => return Ok(0),
            };
            match read {
                Ok(0) => self.end_of_member()?,
                Ok(n) => {
                    self.expanded += n as u64;
                    self.check_ratio()?;
                    return Ok(n);
                }
                Err(error) => return Err(self.explain(&error)),
            }
        }
    }

    /// Fills `out`, or says that the archive is truncated.
    pub(super) fn fill(&mut self, out: &mut [u8]) -> Result<(), UnpackError> {
        let mut filled = 0;
        while filled < out.len() {
            match self.read(&mut out[filled..])? {
                0 => return Err(self.truncated()),
                n => filled += n,
            }
        }
        Ok(())
    }

    /// The error for a stream that ends too early.
    pub(super) fn truncated(&mut self) -> UnpackError {
        UnpackError::Truncated { received: self.received().map_or(0, |received| received.bytes) }
    }

    /// Reads what follows the archive's end marker, which may only be zeros.
    pub(super) fn finish(mut self) -> Result<Receipt, UnpackError> {
        // A tape block is 10 KiB by habit; nobody pads further than this.
        const MOST_PADDING: usize = 16 << 20;
        let mut buffer = vec![0; BUFFER];
        let mut padding = 0;
        loop {
            let n = self.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            padding += n;
            if padding > MOST_PADDING || buffer[..n].iter().any(|byte| *byte != 0) {
                return Err(UnpackError::Trailing);
            }
        }
        let digest = match self.received() {
            Some(received) => received.hash.finalize_reset(),
            None => Sha256::new().finalize(),
        };
        let mut sha256 = String::with_capacity(64);
        for byte in digest {
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Receipt { sha256 })
    }

    fn check_ratio(&mut self) -> Result<(), UnpackError> {
        let Limits { max_ratio, ratio_floor, .. } = self.limits;
        let expanded = self.expanded;
        let received = self.received().map_or(0, |received| received.bytes);
        if expanded > ratio_floor && expanded > received.saturating_mul(max_ratio) {
            return Err(UnpackError::Ratio { max: max_ratio });
        }
        Ok(())
    }

    /// A gzip stream may be followed by another one, or by padding.
    fn end_of_member(&mut self) -> Result<(), UnpackError> {
        self.stage = match mem::replace(&mut self.stage, Stage::Between) {
            Stage::Gzip(decoder) => {
                let mut input = decoder.into_inner();
                let next = match input.fill_buf() {
                    Ok(bytes) => bytes.first().copied(),
                    Err(error) => return Err(input.get_mut().get_mut().1.explain(&error)),
                };
                match next {
                    Some(0x1f) => Stage::Gzip(Box::new(GzDecoder::new(input))),
                    // The padding after gzip is read, and checked, like that after tar.
                    Some(0) => Stage::Plain(input),
                    Some(_) => return Err(UnpackError::Trailing),
                    None => Stage::End(input),
                }
            }
            Stage::Plain(input) => Stage::End(input),
            other => other,
        };
        Ok(())
    }

    fn received(&mut self) -> Option<&mut Received<'a, R>> {
        match &mut self.stage {
            Stage::Plain(input) | Stage::End(input) => Some(input.get_mut().get_mut().1),
            Stage::Gzip(decoder) => Some(decoder.get_mut().get_mut().get_mut().1),
            Stage::Between => None,
        }
    }

    fn explain(&mut self, error: &io::Error) -> UnpackError {
        match self.received() {
            Some(received) => received.explain(error),
            None => UnpackError::Corrupt(error.to_string()),
        }
    }
}

/// The bytes as they come in. Its own failures are kept aside, because a decoder above it passes
/// on no more than an `io::Error`.
struct Received<'a, R> {
    input: R,
    hash: Sha256,
    bytes: u64,
    max: u64,
    limits: Limits,
    stop: &'a dyn Fn() -> bool,
    fault: Option<UnpackError>,
}

impl<R: Read> Read for Received<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = loop {
            if (self.stop)() {
                return self.fail(UnpackError::Cancelled);
            }
            match self.input.read(out) {
                Ok(n) => break n,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.fail(UnpackError::Upload(error)),
            }
        };
        self.hash.update(&out[..n]);
        self.bytes += n as u64;
        if self.bytes > self.max {
            return self.fail(UnpackError::TooLarge { max: self.limits.max_bytes });
        }
        Ok(n)
    }
}

impl<R> Received<'_, R> {
    fn fail(&mut self, fault: UnpackError) -> io::Result<usize> {
        self.fault = Some(fault);
        Err(ErrorKind::Other.into())
    }

    fn explain(&mut self, error: &io::Error) -> UnpackError {
        match self.fault.take() {
            Some(fault) => fault,
            None if error.kind() == ErrorKind::UnexpectedEof => {
                UnpackError::Truncated { received: self.bytes }
            }
            None => UnpackError::Corrupt(error.to_string()),
        }
    }
}

/// Whether the first bytes begin a tar stream. One with a damaged or cut first header still does:
/// that is a better thing to say than that it is no archive.
fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar")
        || head.len() == BLOCK && (head.iter().all(|byte| *byte == 0) || checksum(head))
}

fn looks_like(head: &[u8]) -> &'static str {
    match head {
        [b'P', b'K', 3 | 5, ..] => "a zip file",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "a zstd file",
        [0xfd, b'7', b'z', b'X', b'Z', ..] => "an xz file",
        [b'B', b'Z', b'h', ..] => "a bzip2 file",
        [0x7f, b'E', b'L', b'F', ..] => "a program",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => "a Debian package or library",
        [b'#', b'!', ..] => "a script",
        [b'{', ..] => "JSON",
        [b'<', ..] => "HTML or XML",
        _ => "something else",
    }
}
