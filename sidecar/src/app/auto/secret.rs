//! An app's secret, which the forge knows too.

use std::fs;
use std::io;
use std::path::Path;

use crate::secret_file;

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
    let fresh = secret_file::random::<32>()?;
    secret_file::write(path, fresh.as_bytes())?;
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
