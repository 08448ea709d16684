//! The place for a BEAM's crash dump, which holds every secret of the app: nobody but its user
//! reads it.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

use nix::fcntl::OFlag;

use super::spawn::User;

/// Makes a dump's file ready, empty where there was none, because the BEAM would make it readable
/// for its group. A dump from before stays until the next crash.
///
/// # Errors
/// Where the file cannot be made, or something else is in its place.
pub fn prepare(path: &Path, user: Option<&User>) -> io::Result<()> {
    let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let file = File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits())
        .open(path)?;
    let metadata = file.metadata()?;
    // A second name would be a file of someone else's that the app's user is about to be given.
    if !metadata.is_file() || metadata.nlink() != 1 {
        return Err(io::Error::other("something else is in the crash dump's place"));
    }
    file.set_permissions(Permissions::from_mode(0o600))?;
    match user {
        Some(user) if user.uid != metadata.uid() => fchown(&file, Some(user.uid), Some(user.gid)),
        _ => Ok(()),
    }
}

/// How many bytes a dump has; 0 where the BEAM has not crashed.
#[must_use]
pub fn size(path: &Path) -> u64 {
    std::fs::symlink_metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_is_for_its_user_alone_and_an_earlier_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("erl_crash.dump");
        prepare(&path, None).unwrap();
        assert_eq!((size(&path), mode(&path)), (0, 0o600));
        std::fs::write(&path, "=erl_crash_dump:0.5").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        prepare(&path, None).unwrap();
        assert_eq!((size(&path), mode(&path)), (19, 0o600));
    }

    #[test]
    fn what_belongs_elsewhere_is_not_given_away() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&other, &link).unwrap();
        let name = folder.path().join("name");
        std::fs::hard_link(&other, &name).unwrap();
        for path in [&link, &name, &folder.path().to_path_buf()] {
            assert!(prepare(path, None).is_err(), "{path:?}");
        }
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }
}
