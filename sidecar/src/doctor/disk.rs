//! Room for the next release.

use rustix::fs::statvfs;
use vial_protocol::AppStatus;

use super::finding::Finding;
use super::scene::SetUp;
use crate::store::ballast;

const SUBJECT: &str = "disk";
const GIB: u64 = 1 << 30;
/// A release with its dependencies has a few thousand files; two may be unpacked at a time.
const INODES: u64 = 20_000;

pub(super) fn check(set: &SetUp<'_>) -> Vec<Finding> {
    let folder = &set.config.host.state_dir;
    let Some(there) = folder.ancestors().find(|above| above.exists()) else { return Vec::new() };
    let Ok(stat) = statvfs(there) else { return Vec::new() };
    let room = Room {
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        inodes: (stat.f_files > 0).then_some(stat.f_favail),
        newest: newest(set),
        // There is none before a daemon has run.
        reserve: std::fs::metadata(set.layout().ballast()).ok().map(|data| data.len()),
    };
    vec![room.judge(&folder.display().to_string())]
}

/// The largest of the apps' newest releases.
fn newest(set: &SetUp<'_>) -> u64 {
    let known = set.history().into_iter().flat_map(|history| history.releases.values());
    let known = known.filter_map(|releases| releases.values().next_back().copied());
    let daemon = set.scene.daemon.iter().flat_map(|daemon| &daemon.apps);
    let told = daemon.filter_map(|app: &AppStatus| Some(app.serving.as_ref()?.size));
    known.chain(told).max().unwrap_or(0)
}

struct Room {
    free: u64,
    /// Absent where the file system makes them as they are needed.
    inodes: Option<u64>,
    newest: u64,
    /// How much is left of the daemon's reserve; absent where it has none.
    reserve: Option<u64>,
}

impl Room {
    fn judge(&self, folder: &str) -> Finding {
        let free = shown(self.free);
        let cure = "Free some: `vial history APP` shows what is kept, `keep_releases` in the app's \
                    file how many, `journalctl --vacuum-size=200M` and old logs are often the rest.";
        if let Some(left) = self.reserve.filter(|left| *left < ballast::SIZE) {
            return Finding::problem(
                SUBJECT,
                format!(
                    "The disk of {folder} is full ({free} free): the daemon writes its journal from \
                     a reserve, of which {} are left. A rollback works, a deploy does not, and what \
                     the apps write is lost.",
                    shown(left)
                ),
                format!("{cure} The daemon takes its reserve again by itself."),
            );
        }
        // The archive, the unpacked release, and what it writes until the old one is removed.
        let wanted = self.newest.saturating_mul(3);
        if self.free < wanted {
            return Finding::warning(
                SUBJECT,
                format!(
                    "{free} are free where {folder} is, and the newest release takes {}: the next \
                     deploy may not fit.",
                    shown(self.newest)
                ),
                cure,
            );
        }
        if self.free < GIB {
            return Finding::warning(
                SUBJECT,
                format!(
                    "Only {free} are free where {folder} is. On a full disk a release loses \
                     its log for good, and no deploy is possible."
                ),
                cure,
            );
        }
        match self.inodes {
            Some(inodes) if inodes < INODES => Finding::warning(
                SUBJECT,
                format!(
                    "Only {inodes} more files fit where {folder} is, though there is room: a \
                     release has thousands."
                ),
                "Remove what has many small files; `du --inodes -x -d 3 / | sort -n` finds it.",
            ),
            _ => Finding::ok(SUBJECT, format!("{free} are free.")),
        }
    }
}

/// Bytes as people say them.
fn shown(bytes: u64) -> String {
    let tenths = |unit: u64| bytes.saturating_mul(10) / unit;
    match bytes {
        ..=0xF_FFFF => format!("{} KiB", bytes >> 10),
        0x10_0000..GIB => format!("{} MiB", bytes >> 20),
        GIB.. => format!("{}.{} GiB", tenths(GIB) / 10, tenths(GIB) % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    const ENOUGH: Room =
        Room { free: 10 * GIB, inodes: Some(1_000_000), newest: 100 << 20, reserve: None };

    #[test]
    fn a_disk_with_room_is_fine_also_where_files_are_not_counted() {
        assert_eq!(ENOUGH.judge("/state").level, Level::Ok);
        assert_eq!(Room { inodes: None, ..ENOUGH }.judge("/state").level, Level::Ok);
    }

    #[test]
    fn a_full_disk_a_large_release_and_a_lack_of_inodes_are_told_apart() {
        let said = |room: Room| {
            let finding = room.judge("/state");
            assert_eq!(finding.level, Level::Warning, "{finding:?}");
            assert!(finding.cure.is_some());
            finding.message
        };
        let full = said(Room { free: 700 << 20, ..ENOUGH });
        assert!(full.contains("Only 700 MiB are free where /state is"), "{full}");
        let large = said(Room { newest: 5 * GIB, ..ENOUGH });
        assert!(large.contains("the newest release takes 5.0 GiB"), "{large}");
        let inodes = said(Room { inodes: Some(12), ..ENOUGH });
        assert!(inodes.contains("Only 12 more files fit"), "{inodes}");
    }

    #[test]
    fn a_reserve_that_was_given_up_is_a_problem_whatever_is_free() {
        let full = Room { free: 0, reserve: Some(ballast::SIZE / 2), ..ENOUGH }.judge("/state");
        assert_eq!(full.level, Level::Problem);
        assert!(full.message.contains("a reserve, of which 4 MiB are left"), "{full:?}");
        assert_eq!(Room { reserve: Some(ballast::SIZE), ..ENOUGH }.judge("/").level, Level::Ok);
    }

    #[test]
    fn bytes_are_said_in_the_largest_unit() {
        assert_eq!(shown(5000), "4 KiB");
        assert_eq!(shown(3 << 20), "3 MiB");
        assert_eq!(shown(GIB * 3 / 2), "1.5 GiB");
    }
}
