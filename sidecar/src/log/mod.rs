//! A slot's log: what its releases wrote, kept within bounds without losing a line to a reader.
//!
//! ```text
//! release ──appends──▶ blue.log            the live part, by the kernel, whether or not we live
//!                        │ oldest first: [`Keeper`] (`keeper`)
//!                        ▼
//!                      blue.log.d/00000000000000000000-00000000000004194209.zst   a segment
//!                      blue.log.d/times                                          length by time
//! ```
//!
//! # One offset, for ever
//!
//! A line is known by its offset in all that was ever written, and that never changes: it is a
//! reader's cursor. The live file is never renamed or truncated under a release that writes to it.
//! What is older than its limit is compressed into a segment, which is named by the offsets that it
//! covers; only then is the same range freed in the live file, by punching a hole. The order is:
//!
//! 1. the segment is written aside and synced, 2. renamed, and its folder synced, 3. the hole is
//!    punched, 4. segments that are too many or too old go.
//!
//! So the segments cover one range without gaps, and their end says where the live part begins,
//! whatever the file still holds before that. A crash between any two steps leaves a file aside,
//! which is removed, or a range that is there twice: then the segment counts, and the hole is
//! punched at the next look. The newest segment is never removed but emptied: its name keeps the
//! place.
//!
//! A reader looks into the live file first and at the segments after that: what was freed under its
//! hands is in a segment by then. Where its cursor is older than all that is kept it goes on with the
//! oldest that is, and is told how much it missed.
//!
//! # Where the file system cannot punch holes
//!
//! Segments are made all the same, so nothing changes for readers; but the live file grows, which
//! the daemon's log and `vial doctor` say. When the slot is started the next time and nobody has the
//! file open to write, [`renew`] puts a shorter one in its place: what no segment has, behind a
//! header of one line that says which offset it begins with. One rename, so there is no moment in
//! which file and offset disagree. The same keeps a file of a terabyte from the limits of ext4.
//!
//! # The map
//!
//! `lines` cuts bytes into lines. `live` is the file, `segment` the compressed part, `times` which
//! length the log had when. [`read`] puts them together for readers, [`search`] looks through
//! them from the end, [`follow`] waits for more.
//! `level` guesses how grave a line is. `keeper` does the work above in one look, `room` tells it how
//! full the disk is, `mend` takes up a file that somebody else emptied, `edge` is what of the system
//! a test replaces.
//!
//! This folder knows nothing of deployments, apps or the API, and must not import them.

pub mod follow;

mod edge;
mod keeper;
mod level;
mod lines;
mod live;
mod mend;
mod read;
mod renew;
mod room;
mod search;
mod segment;
mod times;

#[cfg(test)]
mod keeper_tests;

pub use keeper::{Keeper, Looked, Policy};
pub use level::Level;
pub use lines::{LINE, LogRead, Unfinished};
pub use read::{len, offset_at, offset_by, read, tail};
pub use renew::{renew, unfreed};
pub use search::{Found, Range, search};
