//! A live file that somebody else emptied: a hand at night, a logrotate with `copytruncate`.
//!
//! The release appends at the new end, and offsets would begin again. So the file is made longer than
//! it ever was, which moves the end to where it belongs; what was written in between, at the file's
//! beginning, becomes a segment.

use std::io;
use std::path::Path;

use super::edge::Edge;
use super::live::Live;
use super::segment::Segments;

/// What a release may write while this is done. More than that would reach beyond the new end.
const SLACK: u64 = 4 << 20;

/// Moves the end of a file that is shorter than it was `known` to be behind that.
pub(super) fn mend(
    path: &Path,
    edge: &dyn Edge,
    live: &Live,
    segments: &mut Segments,
    known: u64,
) -> io::Result<()> {
    let first = live.start();
    let there = live.end()?.saturating_sub(first);
    let end = known + there + SLACK;
    live.grow(end)?;
    let written = live.hole(first)?;
    tracing::warn!(
        log = %path.display(),
        "somebody else emptied this log: what it said before is lost where no segment has it. Vial \
         keeps it within its bounds itself; take it out of logrotate"
    );
    if written > first {
        let begin = end - (written - first);
        segments.skip(edge, begin)?;
        segments.make(edge, end, &mut live.range(first, written)?)?;
    } else {
        segments.skip(edge, end)?;
    }
    Ok(())
}
