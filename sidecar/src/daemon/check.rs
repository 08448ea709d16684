//! Whether this Vial would start on a configuration: `vial serve --check`.
//!
//! It only looks. It takes no lock and changes nothing, so that a new version can be asked while the
//! old one runs.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, geteuid};
use serde::Serialize;

use crate::app::paths::Layout;
use crate::config::{Config, ConfigError};
use crate::store::trial::{Found, try_out};

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Checked {
    /// The version that would start.
    pub version: &'static str,
    /// What keeps it from starting, or from taking care of every app.
    pub problems: Vec<String>,
    /// What does less than it says.
    pub warnings: Vec<String>,
    /// What is well, in sentences.
    pub fine: Vec<String>,
}

impl Checked {
    /// Whether it would start.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Looks at the configuration that was read from `file`, and at what a daemon would find there.
#[must_use]
pub fn check(file: &Path, config: Result<Config, ConfigError>) -> Checked {
    let mut found = Checked { version: vial_protocol::VERSION, ..Checked::default() };
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            found.problems.push(error.to_string());
            return found;
        }
    };
    found.problems.extend(config.problems.iter().map(ToString::to_string));
    found.warnings.extend(config.warnings.iter().map(ToString::to_string));
    if config.problems.is_empty() {
        let count = config.apps.len();
        found.fine.push(format!("{} and its {count} apps are right.", file.display()));
    }
    let layout = Layout::new(&config.host.state_dir);
    folder(&mut found, layout.root());
    history(&mut found, &layout.database());
    found
}

/// The state folder: there and ours, or to be made.
fn folder(found: &mut Checked, root: &Path) {
    let meta = match fs::metadata(root) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return make(found, root),
        Err(error) => {
            found.problems.push(format!(
                "The state folder {} cannot be looked at: {error}. Run the check as the daemon's \
                 user.",
                root.display()
            ));
            return;
        }
    };
    let own = geteuid().as_raw();
    if !meta.is_dir() {
        found.problems.push(format!(
            "The state folder {} is no folder. Move it away, or name another as `state_dir`.",
            root.display()
        ));
    } else if meta.uid() != own && own != 0 {
        found.problems.push(format!(
            "The state folder {} belongs to another user (uid {}). Run the check as the daemon's \
             user.",
            root.display(),
            meta.uid()
        ));
    } else if let Err(error) = access(root, AccessFlags::W_OK | AccessFlags::X_OK) {
        found.problems.push(format!(
            "The state folder {} cannot be written: {}. Check its mode, and whether its file \
             system is mounted read-only.",
            root.display(),
            error.desc()
        ));
    }
}

fn make(found: &mut Checked, root: &Path) {
    let parent: Option<PathBuf> =
        root.ancestors().skip(1).find(|it| it.exists()).map(Path::to_owned);
    let refused = parent.and_then(|it| access(&it, AccessFlags::W_OK).err().map(|why| (it, why)));
    match refused {
        None => found.fine.push(format!("{} will be made.", root.display())),
        Some((parent, why)) => found.problems.push(format!(
            "The state folder {} cannot be made in {}: {}. Make it, or name another as \
             `state_dir`.",
            root.display(),
            parent.display(),
            why.desc()
        )),
    }
}

fn history(found: &mut Checked, database: &Path) {
    match try_out(database) {
        Ok(Found::Nothing) => found.fine.push("There is no history yet.".into()),
        Ok(Found::Current) => {
            found.fine.push(format!("The history {} can be read.", database.display()));
        }
        Ok(Found::Older { from, to, backup, tried }) => {
            let how = if tried { "which works on a copy" } else { "too large to try on a copy" };
            found.fine.push(format!(
                "The history {} would be brought from schema {from} to {to}, {how}; before that, \
                 it is kept as {}.",
                database.display(),
                backup.display()
            ));
        }
        Err(error) => {
            let said = error.to_string();
            found.problems.push(format!("T{}", said.strip_prefix('t').unwrap_or(&said)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    fn checked(folder: &Path) -> Checked {
        let file = folder.join("vial.toml");
        fs::write(&file, "state_dir = \"state\"\nrun_dir = \"run\"\n").unwrap();
        check(&file, Config::load(&file))
    }

    #[test]
    fn what_is_not_there_yet_is_told_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let found = checked(folder.path());
        assert!(found.is_fine(), "{found:?}");
        assert!(found.fine.iter().any(|it| it.ends_with("state will be made.")), "{found:?}");
        assert!(!folder.path().join("state").exists());
    }

    #[test]
    fn a_history_of_a_newer_vial_and_a_state_folder_that_is_a_file_are_problems() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        let database = state.join("vial.db");
        drop(Store::open(&database).unwrap());
        assert!(checked(folder.path()).is_fine());
        let connection = rusqlite::Connection::open(&database).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        drop(connection);
        let found = checked(folder.path());
        assert!(found.problems[0].starts_with("The history "), "{found:?}");
        assert!(found.problems[0].contains("schema 99"), "{found:?}");
        fs::remove_dir_all(&state).unwrap();
        fs::write(&state, "").unwrap();
        let found = checked(folder.path());
        assert!(found.problems[0].contains("is no folder"), "{found:?}");
    }
}
