//! What may stand between Caddy and the route folder, judged from this side.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why a process of another user cannot see a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// A folder on the way is closed to other users.
    Closed {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is below a folder that systemd gives Caddy's unit a private copy of.
    PrivateTmp,
    /// The permissions allow it: a sandbox, a container, another root.
    Unknown,
}

impl Obstacle {
    /// Looks for the first thing on the way that would hide `folder` from another user.
    #[must_use]
    pub fn before(folder: &Path) -> Obstacle {
        if let Some((path, mode)) = closed(folder) {
            return Obstacle::Closed { path, mode };
        }
        let private = ["/tmp", "/var/tmp"].iter().any(|tmp| folder.starts_with(tmp));
        if private { Obstacle::PrivateTmp } else { Obstacle::Unknown }
    }

    /// Why, as the end of a sentence.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Obstacle::Closed { path, mode } => {
                format!("{} is closed to other users (mode {mode:04o})", path.display())
            }
            Obstacle::PrivateTmp => {
                "it is below /tmp, and Caddy's unit has a /tmp of its own (PrivateTmp)".into()
            }
            Obstacle::Unknown => "the permissions allow it, so Caddy is in a sandbox or a \
                container, or a security module forbids it"
                .into(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn cure(&self) -> String {
        match self {
            Obstacle::Closed { path, .. } => format!("Run `chmod o+x {}`.", path.display()),
            Obstacle::PrivateTmp => {
                "Move Vial's state out of /tmp: `state_dir = \"/var/lib/vial\"` in vial.toml."
                    .into()
            }
            Obstacle::Unknown => "Look at `systemctl cat caddy` (InaccessiblePaths, \
                TemporaryFileSystem) and give it the folder, read-only, at the same path; where \
                that is not possible, set `mode = \"admin\"` under [caddy] in vial.toml."
                .into(),
        }
    }
}

/// The topmost folder on the way to `folder`, itself included, that other users cannot pass.
pub(super) fn closed(folder: &Path) -> Option<(PathBuf, u32)> {
    let mut way: Vec<&Path> = folder.ancestors().collect();
    way.reverse();
    way.into_iter().find_map(|part| {
        let mode = std::fs::metadata(part).map(|data| data.permissions()).ok()?;
        (!passable(&mode)).then(|| (part.to_owned(), mode.mode() & 0o7777))
    })
}

fn passable(permissions: &Permissions) -> bool {
    permissions.mode() & 0o001 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_closed_folder_is_named() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("state/route/shop");
        std::fs::create_dir_all(&inner).unwrap();
        let open = Permissions::from_mode(0o755);
        for part in ["", "state", "state/route", "state/route/shop"] {
            std::fs::set_permissions(root.path().join(part), open.clone()).unwrap();
        }
        let above_is_closed = closed(root.path()).is_some();
        assert_eq!(closed(&inner).is_some(), above_is_closed);

        let state = root.path().join("state");
        std::fs::set_permissions(&state, Permissions::from_mode(0o750)).unwrap();
        if !above_is_closed {
            let obstacle = Obstacle::before(&inner);
            assert_eq!(obstacle, Obstacle::Closed { path: state.clone(), mode: 0o750 });
            assert!(obstacle.why().contains("0750"), "{}", obstacle.why());
            assert!(obstacle.cure().contains(&format!("chmod o+x {}", state.display())));
        }
    }

    #[test]
    fn a_folder_below_tmp_is_hidden_by_a_private_tmp() {
        assert_eq!(Obstacle::before(Path::new("/tmp")), Obstacle::PrivateTmp);
        assert_eq!(Obstacle::before(Path::new("/usr")), Obstacle::Unknown);
    }
}
