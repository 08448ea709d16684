//! The 512 bytes that precede each entry of a tar stream.

use tar::Header;

/// Tar's unit: a header is one, and an entry's bytes are padded to whole ones.
pub(super) const BLOCK: usize = 512;

/// Whether a header's checksum is right.
pub(super) fn checksum(block: &[u8]) -> bool {
    if block.len() != BLOCK {
        return false;
    }
    let sum = block[..148].iter().chain(&block[156..]).map(|byte| u32::from(*byte)).sum::<u32>()
        + 8 * u32::from(b' ');
    Header::from_byte_slice(block).cksum().is_ok_and(|said| said == sum)
}
