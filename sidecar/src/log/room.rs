//! How full the disk is, and what that means for the log.
//!
//! A BEAM whose standard output once failed with ENOSPC never logs again, so space is freed before
//! it comes to that.

use std::io;
use std::path::Path;
use std::time::Duration;

const MIB: u64 = 1 << 20;

/// Below this, or a fifth of a small disk, the live part is compressed early. It costs nothing but
/// time: logs take a tenth, and nothing is lost.
const SCARCE: u64 = 512 * MIB;
/// Below this, or a tenth of a small disk, the oldest segments go. It is what the log of a busy app
/// can grow by until the next look (5 s at 20 MiB/s), and enough for the journal and a segment.
const LOW: u64 = 128 * MIB;
/// How fast a disk is thought to fill at worst while nobody looks.
const FILLS: u64 = 50 * MIB;
/// How long a look may be away on a disk with much room.
const LONGEST: Duration = Duration::from_secs(60);

/// How full a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// What an ordinary user can still write.
    pub(super) free: u64,
    /// All of it.
    pub(super) total: u64,
}

impl Room {
    /// Of the disk that a folder is on.
    pub(super) fn of(folder: &Path) -> io::Result<Room> {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(Room {
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
        })
    }

    /// Whether the live part is to be compressed before its time.
    pub(super) fn is_scarce(self) -> bool {
        self.is_known() && self.free < SCARCE.min(self.total / 5)
    }

    /// How much is missing until segments need not go; 0 where nothing is.
    pub(super) fn missing(self) -> u64 {
        if self.is_known() { LOW.min(self.total / 10).saturating_sub(self.free) } else { 0 }
    }

    /// When to look again at the latest.
    pub(super) fn look_again(self) -> Duration {
        if !self.is_known() {
            return LONGEST;
        }
        let over = self.free.saturating_sub(LOW.min(self.total / 10));
        Duration::from_secs(over / FILLS).clamp(Duration::from_secs(1), LONGEST)
    }

    /// Some file systems do not say how large they are.
    fn is_known(self) -> bool {
        self.total > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn a_large_disk_is_judged_by_what_is_free_and_a_small_one_by_its_share() {
        let large = |free| Room { free, total: 500 * GIB };
        assert!(!large(SCARCE).is_scarce() && large(SCARCE - 1).is_scarce());
        assert_eq!(large(LOW).missing(), 0);
        assert_eq!(large(LOW - 7).missing(), 7);
        let small = |free| Room { free, total: 100 * MIB };
        assert!(!small(20 * MIB).is_scarce() && small(19 * MIB).is_scarce());
        assert_eq!((small(10 * MIB).missing(), small(9 * MIB).missing()), (0, MIB));
    }

    #[test]
    fn the_fuller_a_disk_the_sooner_it_is_looked_at_again() {
        let again = |free| Room { free, total: 500 * GIB }.look_again();
        assert_eq!(again(400 * GIB), LONGEST);
        assert_eq!(again(LOW + 10 * FILLS), Duration::from_secs(10));
        assert_eq!(again(0), Duration::from_secs(1));
    }

    #[test]
    fn a_file_system_that_does_not_say_its_size_is_not_full() {
        let silent = Room { free: 0, total: 0 };
        assert!(!silent.is_scarce() && silent.missing() == 0);
        assert_eq!(silent.look_again(), LONGEST);
    }
}
