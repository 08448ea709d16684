//! Whom the permission bits keep out of a file or folder.
//!
//! Asked of the bits and not of the kernel, because the one in question is another user: the
//! daemon's, the app's, Caddy's. Access control lists and security modules are not seen.

use std::ffi::CString;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, User, getgrouplist};

/// A user of the system and the groups that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) uid: u32,
    groups: Vec<u32>,
}

/// What is wanted of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// To read the file.
    Read,
    /// To make and remove things in the folder.
    Fill,
    /// To go through the folder.
    Pass,
}

impl Want {
    fn bits(self) -> u32 {
        match self {
            Want::Read => 0o4,
            Want::Fill => 0o3,
            Want::Pass => 0o1,
        }
    }
}

/// The first thing on the way that is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) path: PathBuf,
    pub(super) mode: u32,
    pub(super) owner: u32,
}

impl Who {
    /// A user, known to the system or not.
    pub(super) fn of(uid: u32) -> Who {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let groups = user.map(|user| groups(&user.name, user.gid)).unwrap_or_default();
        Who { uid, groups }
    }

    /// A user by name; `None` where there is none.
    pub(super) fn named(name: &str) -> Option<Who> {
        let user = User::from_name(name).ok().flatten()?;
        Some(Who { uid: user.uid.as_raw(), groups: groups(name, user.gid) })
    }

    /// Its name, or its number.
    pub(super) fn name(&self) -> String {
        name(self.uid)
    }

    fn may(&self, data: &Metadata, want: Want) -> bool {
        // Root goes everywhere; that a network file system thinks otherwise is not seen here.
        if self.uid == 0 {
            return true;
        }
        let mode = data.mode();
        let bits = match () {
            () if data.uid() == self.uid => mode >> 6,
            () if self.groups.contains(&data.gid()) => mode >> 3,
            () => mode,
        };
        bits & want.bits() == want.bits()
    }

    /// What keeps the user from `want`ing something of `path`, the folders above it included.
    ///
    /// # Errors
    /// Where something on the way is missing, or we cannot look at it ourselves.
    pub(super) fn stopped(&self, path: &Path, want: Want) -> io::Result<Option<Closed>> {
        // Links are followed, so that the folders are those that are really gone through.
        let path = path.canonicalize()?;
        let mut way: Vec<&Path> = path.ancestors().collect();
        way.reverse();
        for part in way {
            let data = fs::metadata(part)?;
            let want = if part == path { want } else { Want::Pass };
            if !self.may(&data, want) {
                let (mode, owner) = (data.mode() & 0o7777, data.uid());
                return Ok(Some(Closed { path: part.to_owned(), mode, owner }));
            }
        }
        Ok(None)
    }
}

fn groups(name: &str, primary: Gid) -> Vec<u32> {
    let listed = CString::new(name).ok().and_then(|name| getgrouplist(&name, primary).ok());
    listed.unwrap_or_else(|| vec![primary]).into_iter().map(Gid::as_raw).collect()
}

/// A user's name, or its number where it has none.
pub(super) fn name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map_or_else(|| format!("uid {uid}"), |user| user.name)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A user that owns nothing here.
    fn stranger() -> Who {
        Who { uid: 3_999_999, groups: vec![3_999_999] }
    }

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn the_topmost_closed_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        set(folder.path(), 0o711);
        set(&folder.path().join("a"), 0o700);
        set(&inner, 0o700);
        let closed = stranger().stopped(&inner, Want::Pass).unwrap().unwrap();
        assert_eq!(closed.path, folder.path().canonicalize().unwrap().join("a"));
        assert_eq!(closed.mode, 0o700);
        set(&folder.path().join("a"), 0o711);
        assert_eq!(stranger().stopped(&inner, Want::Pass).unwrap().unwrap().mode, 0o700);
        set(&inner, 0o711);
        assert_eq!(stranger().stopped(&inner, Want::Pass).unwrap(), None);
        assert!(stranger().stopped(&inner, Want::Fill).unwrap().is_some());
    }

    #[test]
    fn the_owners_bits_count_for_the_owner_and_root_passes_everywhere() {
        let folder = tempfile::tempdir().unwrap();
        set(folder.path(), 0o077);
        let owner = fs::metadata(folder.path()).unwrap().uid();
        let data = fs::metadata(folder.path()).unwrap();
        assert_eq!(Who { uid: owner, groups: vec![] }.may(&data, Want::Fill), owner == 0);
        assert!(stranger().may(&data, Want::Fill));
        assert!(Who { uid: 0, groups: vec![] }.may(&data, Want::Read));
        set(folder.path(), 0o070);
        let data = fs::metadata(folder.path()).unwrap();
        assert!(!stranger().may(&data, Want::Pass));
        assert!(Who { uid: 3_999_999, groups: vec![data.gid()] }.may(&data, Want::Pass));
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        assert!(stranger().stopped(&folder.path().join("none"), Want::Read).is_err());
    }
}
