//! What a console printed last, known by how much it had printed before.

use std::collections::VecDeque;

use tokio_util::bytes::Bytes;

/// How much is kept.
const KEPT: usize = 256 << 10;
/// How far a fresh beginning looks for a line break: an escape sequence is shorter.
const LINE: usize = 4 << 10;

/// The last bytes that were printed.
#[derive(Debug, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    /// How many were printed in all.
    end: u64,
}

impl Ring {
    /// More was printed.
    pub(super) fn push(&mut self, printed: &[u8]) {
        self.end += printed.len() as u64;
        let last = &printed[printed.len().saturating_sub(KEPT)..];
        let over = (self.bytes.len() + last.len()).saturating_sub(KEPT);
        self.bytes.drain(..over);
        self.bytes.extend(last);
    }

    /// How many bytes were printed in all.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Where a page goes on that has what came before `cursor`; one that has something else, or
    /// nothing, begins anew.
    pub(super) fn begin(&self, cursor: Option<u64>) -> u64 {
        let start = self.start();
        match cursor {
            Some(cursor) if (start..=self.end).contains(&cursor) => cursor,
            _ if start == 0 => 0,
            // What is left of the line that was cut may begin inside a sequence.
            _ => {
                let cut = self.bytes.iter().take(LINE).position(|byte| *byte == b'\n');
                start + cut.map_or(0, |at| at as u64 + 1)
            }
        }
    }

    /// At most `most` bytes from an offset on.
    pub(super) fn piece(&self, from: u64, most: usize) -> Bytes {
        let skip = usize::try_from(from.saturating_sub(self.start())).unwrap_or(usize::MAX);
        self.bytes.iter().skip(skip).take(most).copied().collect()
    }

    fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_where_it_was() {
        let mut ring = Ring::default();
        ring.push(b"iex(1)> ");
        assert_eq!(ring.begin(Some(4)), 4);
        assert_eq!(ring.piece(4, 99), "1)> ");
        assert_eq!(ring.begin(Some(8)), 8);
        assert_eq!(ring.piece(8, 99), "");
        assert_eq!(ring.piece(0, 3), "iex");
    }

    #[test]
    fn a_page_that_has_nothing_or_something_else_begins_anew() {
        let mut ring = Ring::default();
        ring.push(b"iex(1)> ");
        assert_eq!(ring.begin(None), 0);
        assert_eq!(ring.begin(Some(9)), 0, "of another console");
    }

    #[test]
    fn what_was_printed_long_ago_is_forgotten_up_to_a_whole_line() {
        let mut ring = Ring::default();
        for number in 0..100_000 {
            ring.push(format!("line {number:06}\r\n").as_bytes());
        }
        assert_eq!(ring.end(), 1_300_000);
        assert_eq!(ring.bytes.len(), KEPT);
        let begin = ring.begin(Some(7));
        assert_eq!(begin % 13, 0, "where a line begins");
        assert!(ring.end() - begin > KEPT as u64 - 13);
        assert!(ring.piece(begin, 13).starts_with(b"line "));
    }

    #[test]
    fn more_than_is_kept_at_once_leaves_its_end() {
        let mut ring = Ring::default();
        ring.push(&vec![b'x'; KEPT * 2]);
        ring.push(b"end");
        assert_eq!(ring.end(), KEPT as u64 * 2 + 3);
        assert_eq!(ring.piece(ring.end() - 4, 9), "xend");
        assert_eq!(ring.begin(None), ring.end() - KEPT as u64, "no line break to be found");
    }
}
