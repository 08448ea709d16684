//! How much an archive may bring.

/// The caps that an archive must stay below, so that no upload fills the host's memory or disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all files together when unpacked.
    pub max_bytes: u64,
    /// Files, folders and links.
    pub max_entries: u64,
    /// Unpacked bytes for each byte received, judged once [`Limits::ratio_floor`] bytes came out.
    pub max_ratio: u64,
    /// Below this many unpacked bytes no ratio is too high: small text compresses well.
    pub ratio_floor: u64,
    /// Bytes of an entry's whole path. What remains of the system's 4,096 is for the folder that
    /// the release is unpacked in.
    pub max_path: usize,
    /// Bytes of each part of a path.
    pub max_name: usize,
    /// Folders above an entry.
    pub max_depth: usize,
    /// Bytes of the disk that stay free: a BEAM that once failed to write its log for want of
    /// space never logs again, so an upload must not be what fills the disk.
    pub keep_free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_bytes: 4 << 30,
            max_entries: 200_000,
            max_ratio: 200,
            ratio_floor: 64 << 20,
            max_path: 2048,
            max_name: 255,
            max_depth: 64,
            keep_free: 64 << 20,
        }
    }
}

impl Limits {
    /// The most bytes an archive within these limits can be received as: its files, and for each
    /// entry two headers, one block of extensions and the padding.
    pub(super) fn max_received(&self) -> u64 {
        self.max_bytes.saturating_add(self.max_entries.saturating_mul(2048)).saturating_add(1 << 20)
    }
}
