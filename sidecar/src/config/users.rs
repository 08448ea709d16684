//! Users of the system, and whether the daemon may start a release as one.

use std::path::PathBuf;

use nix::unistd::{Group, User, geteuid};

/// A user of the system, as the host knew it when the configuration was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserIds {
    /// Its name.
    pub name: String,
    /// Its user id.
    pub uid: u32,
    /// Its primary group.
    pub gid: u32,
    /// Its home folder; it need not exist.
    pub home: PathBuf,
}

/// Who the daemon is.
#[derive(Debug, Clone)]
pub(super) struct Daemon {
    /// Whether it may become another user.
    pub privileged: bool,
    /// Its own name, where it has one.
    pub name: Option<String>,
}

/// Why a release cannot be started as a user: what was found, and what would be right.
pub(super) struct NoUser {
    pub what: String,
    pub hint: String,
}

impl Daemon {
    /// This process, taken as `privileged` or not.
    pub fn current(privileged: bool) -> Daemon {
        let name = User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
        Daemon { privileged, name }
    }

    /// The user by that name, if a release may run as it.
    pub fn user(&self, name: &str) -> Result<UserIds, NoUser> {
        let refuse = |what: String, hint: String| Err(NoUser { what, hint });
        if !self.privileged && self.name.as_deref() != Some(name) {
            let own = self.name.as_deref().unwrap_or("another user");
            return refuse(
                format!("user \"{name}\""),
                format!(
                    "this daemon runs as {own}, and only a daemon that runs as root can start as \
                     another user; leave `user` out"
                ),
            );
        }
        let user = match User::from_name(name) {
            Ok(Some(user)) => user,
            Ok(None) => {
                return refuse(
                    format!("user \"{name}\""),
                    format!(
                        "there is no such user on this host; make it with `adduser --system \
                         --group {name}`"
                    ),
                );
            }
            Err(error) => {
                return refuse(
                    format!("user \"{name}\""),
                    format!("the host's user database did not answer: {error}"),
                );
            }
        };
        if self.privileged && (user.uid.is_root() || user.gid.as_raw() == 0) {
            let whose = if user.uid.is_root() { "is root" } else { "belongs to the group root" };
            return refuse(
                format!("user \"{name}\", which {whose},"),
                "a release must not be able to change the host: give the app a user of its own"
                    .into(),
            );
        }
        Ok(UserIds {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            home: user.dir,
        })
    }
}

impl UserIds {
    /// Whether the user belongs to a group of that name.
    pub(super) fn is_member(&self, group: &str) -> bool {
        let group = Group::from_name(group).ok().flatten();
        group.is_some_and(|group| group.gid.as_raw() == self.gid || group.mem.contains(&self.name))
    }
}
