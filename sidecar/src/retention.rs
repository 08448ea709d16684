//! Which of many folders stay, where each has a number and something adds one now and then: the
//! newest few whatever their age, and the others for a time.
//!
//! A leaf: what is needed for another reason, the caller says.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How much stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// So many of the newest stay, however old they are.
    pub count: usize,
    /// The others stay for so long.
    pub lasts: Duration,
}

/// A folder or file whose name is a number, or begins with one and a dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number.
    pub number: u64,
    /// Where it is.
    pub path: PathBuf,
    /// When it was changed last.
    pub at: SystemTime,
}

/// What has a number in a folder, oldest number first; nothing where there is no such folder.
///
/// # Errors
/// Where it cannot be read.
pub fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let found = match fs::read_dir(folder) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut entries = Vec::new();
    for entry in found {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.split('.').next()?.parse().ok());
        let Some(number) = number else { continue };
        // Of a link its own time: where it leads to is not looked at.
        let at = entry.path().symlink_metadata()?.modified()?;
        entries.push(Entry { number, path: entry.path(), at });
    }
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}

/// What may go: neither needed, nor among the newest, nor young. One whose time lies ahead is young:
/// the clock was set back.
#[must_use]
pub fn spent<'a>(
    entries: &'a [Entry],
    policy: Policy,
    needed: &BTreeSet<u64>,
    now: SystemTime,
) -> Vec<&'a Entry> {
    let numbers: BTreeSet<u64> = entries.iter().map(|entry| entry.number).collect();
    let newest: BTreeSet<u64> = numbers.into_iter().rev().take(policy.count).collect();
    let is_old = |entry: &Entry| now.duration_since(entry.at).is_ok_and(|age| age > policy.lasts);
    entries
        .iter()
        .filter(|entry| !needed.contains(&entry.number) && !newest.contains(&entry.number))
        .filter(|entry| is_old(entry))
        .collect()
}

/// Removes what may go from a folder; the numbers that went. One that cannot be removed stays for
/// the next time, and the log says so.
///
/// # Errors
/// Where the folder cannot be read.
pub fn tidy(
    folder: &Path,
    policy: Policy,
    needed: &BTreeSet<u64>,
    now: SystemTime,
) -> io::Result<Vec<u64>> {
    let entries = entries(folder)?;
    let mut gone = Vec::new();
    for Entry { number, path, .. } in spent(&entries, policy, needed, now) {
        let removed = match path.symlink_metadata() {
            Ok(data) if data.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => gone.push(*number),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "not removed"),
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);
    const POLICY: Policy = Policy { count: 2, lasts: Duration::from_secs(10 * 86_400) };

    fn at(number: u64, days: u32) -> Entry {
        let path = PathBuf::from(number.to_string());
        Entry { number, path, at: SystemTime::UNIX_EPOCH + DAY * days }
    }

    fn go(entries: &[Entry], needed: &[u64], today: u32) -> Vec<u64> {
        let needed = needed.iter().copied().collect();
        let now = SystemTime::UNIX_EPOCH + DAY * today;
        spent(entries, POLICY, &needed, now).iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn the_newest_stay_at_any_age_and_the_others_for_their_time() {
        let all = [at(1, 1), at(2, 2), at(3, 3), at(4, 4)];
        assert_eq!(go(&all, &[], 12), [1]);
        assert_eq!(go(&all, &[], 1000), [1, 2]);
        assert_eq!(go(&all, &[1], 1000), [2], "what is needed stays");
        assert!(go(&all[..2], &[], 1000).is_empty());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nothing_old() {
        let all = [at(1, 900), at(2, 901), at(3, 902)];
        assert!(go(&all, &[], 5).is_empty());
    }

    #[test]
    fn folders_and_files_go_links_are_not_followed_and_strangers_stay() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let root = folder.path().join("builds");
        fs::create_dir_all(root.join("1/deep")).unwrap();
        fs::create_dir_all(&kept).unwrap();
        fs::write(kept.join("file"), "x").unwrap();
        fs::write(root.join("2.log"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, root.join("3")).unwrap();
        for stranger in ["cache", "x1", "4"] {
            fs::create_dir(root.join(stranger)).unwrap();
        }
        let later = SystemTime::now() + DAY;
        let policy = Policy { count: 1, lasts: Duration::from_secs(60) };
        let gone = tidy(&root, policy, &BTreeSet::new(), later).unwrap();
        assert_eq!(gone, [1, 2, 3]);
        let mut left: Vec<_> =
            fs::read_dir(&root).unwrap().map(|it| it.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["4", "cache", "x1"]);
        assert!(kept.join("file").exists());
        assert!(tidy(&root.join("none"), policy, &BTreeSet::new(), later).unwrap().is_empty());
    }
}
