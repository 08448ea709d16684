//! Where a node reads its cookie, so that it stands on no command line.
//!
//! ```text
//! nodes/                        0755, Vial's own: nobody puts another file there
//! nodes/erlang/.erlang.cookie   0400, the app's user's
//! nodes/blue.boot               0400: the boot script of what was started directly in this slot
//! ```
//!
//! Erlang reads a cookie that nobody gave it from `.erlang.cookie` in the home folder, and from
//! `$XDG_CONFIG_HOME/erlang/.erlang.cookie` where it cannot say which folder that is. The home
//! folder is the user's own, and may be another app's as well; so the second is the one. A node
//! that is told its home folder twice cannot say which it is for this purpose, though it is twice
//! the same, and whoever else asks is told the first of them: Elixir's `System.user_home/0` as
//! well.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use vial_protocol::Slot;

use crate::slot::spawn::User;

/// The variable that names the folder in which `erlang/.erlang.cookie` lies.
pub const VARIABLE: &str = "XDG_CONFIG_HOME";

/// The version of the runtime system, OTP 25, from which on it is heeded.
pub(super) const SINCE: u32 = 13;

const MODE: u32 = 0o400;

/// What tells a node its home folder once more.
#[must_use]
pub fn flags(home: OsString) -> Vec<OsString> {
    vec!["-home".into(), home]
}

/// Where what a node reads lies, for one slot.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    slot: Slot,
    /// Whose the files are; the daemon's own user's where absent.
    owner: Option<(u32, u32)>,
}

impl Place {
    /// In a folder of Vial's own, for the nodes of a user.
    #[must_use]
    pub fn new(folder: PathBuf, slot: Slot, user: Option<&User>) -> Place {
        Place { folder, slot, owner: user.map(|user| (user.uid, user.gid)) }
    }

    /// What [`VARIABLE`] must say.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The boot script, as `-boot` wants it: without its ending.
    pub(super) fn boot(&self) -> PathBuf {
        self.folder.join(self.slot.as_str())
    }

    /// Writes the cookie down, where it is not there already.
    ///
    /// # Errors
    /// What the system says.
    pub fn write_cookie(&self, cookie: &str) -> io::Result<()> {
        let folder = self.folder.join("erlang");
        open(&self.folder)?;
        open(&folder)?;
        self.put(&folder.join(".erlang.cookie"), cookie.as_bytes())
    }

    pub(super) fn write_boot(&self, script: &[u8]) -> io::Result<()> {
        open(&self.folder)?;
        self.put(&self.boot().with_extension("boot"), script)
    }

    /// Puts a file there for its owner to read; whole, or what was there stays.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.has(path, bytes) {
            return Ok(());
        }
        let random = getrandom::u64().map_err(|error| io::Error::other(error.to_string()))?;
        let aside = path.with_extension(format!("{random:016x}.new"));
        let write = || {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(MODE).open(&aside)?;
            if let Some((uid, gid)) = self.owner {
                fchown(&file, Some(uid), Some(gid))?;
            }
            file.write_all(bytes)?;
            fs::rename(&aside, path)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&aside);
        })
    }

    /// Whether it is there as it shall be.
    fn has(&self, path: &Path, bytes: &[u8]) -> bool {
        let same = || {
            let file = OpenOptions::new().read(true).open(path).ok()?;
            let found = file.metadata().ok()?;
            let owner = self.owner.map_or_else(|| nix::unistd::geteuid().as_raw(), |it| it.0);
            let right = found.mode() & 0o7777 == MODE
                && found.uid() == owner
                && found.len() == bytes.len() as u64;
            let mut there = Vec::new();
            (&file).take(found.len()).read_to_end(&mut there).ok()?;
            Some(right && there == bytes)
        };
        same().unwrap_or(false)
    }
}

/// Makes a folder that everybody passes, whatever the umask.
fn open(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    match fs::metadata(folder)?.mode() & 0o777 {
        0o755 => Ok(()),
        _ => fs::set_permissions(folder, Permissions::from_mode(0o755)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_its_owner_alone_and_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("nodes"), Slot::Blue, None);
        let path = folder.path().join("nodes/erlang/.erlang.cookie");
        place.write_cookie("FIRST").unwrap();
        let first = fs::metadata(&path).unwrap();
        assert_eq!(first.mode() & 0o7777, 0o400);
        place.write_cookie("FIRST").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), first.ino());
        // Somebody opened it to others, or another is wanted.
        fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
        place.write_cookie("FIRST").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o400);
        place.write_cookie("OTHER").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "OTHER");
        let beside = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "nothing is left beside it");
    }
}
