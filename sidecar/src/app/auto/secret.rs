//! An app's secret, which the forge knows too.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The secret in a file, made where there is none yet.
///
/// # Errors
/// What the system says.
pub fn read_secret(path: &Path) -> io::Result<String> {
    match existing(path)? {
        Some(kept) => Ok(kept),
        None => rotate_secret(path),
    }
}

/// The secret in a file; absent where there is none.
///
/// # Errors
/// What the system says.
pub fn existing(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(kept) => Ok(Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a new secret in place of the one that there is; from now on that one is refused.
///
/// # Errors
/// What the system says; then the old one holds.
pub fn rotate_secret(path: &Path) -> io::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    let fresh: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let aside = path.with_extension("new");
    // Nobody else's file: one that is there already is of a crash, and gets its mode anew.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&aside)?;
    file.write_all(fresh.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_kept_from_others_and_changed_on_request() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hook-secret");
        assert_eq!(existing(&path).unwrap(), None);
        let first = read_secret(&path).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(read_secret(&path).unwrap(), first);
        let second = rotate_secret(&path).unwrap();
        assert_ne!(first, second);
        assert_eq!(existing(&path).unwrap(), Some(second));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}
