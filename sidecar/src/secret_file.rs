//! Files that hold a secret: of mode 0600, whole or not there.
//!
//! A leaf: what the secret is for, the caller knows.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Puts a secret into a file, in place of what is there. It is on the disk when this returns.
///
/// # Errors
/// What the system says; what was there stays.
pub fn write(path: &Path, secret: &[u8]) -> io::Result<()> {
    let aside = path.with_extension("new");
    // One that is there already is of a crash. It is made anew, so that its mode is ours.
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&aside)?;
    file.write_all(secret)?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    match path.parent() {
        Some(parent) => File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// `BYTES` random bytes as hexadecimal digits, which are safe everywhere.
///
/// # Errors
/// Where the system has none.
pub fn random<const BYTES: usize>() -> io::Result<String> {
    let mut bytes = [0_u8; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_replaced_whole_and_for_nobody_else_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        // What a crash left, for everybody to read.
        fs::write(path.with_extension("new"), "half").unwrap();
        for secret in ["first", "second"] {
            write(&path, secret.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), secret);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn two_random_texts_differ() {
        let (one, two) = (random::<20>().unwrap(), random::<20>().unwrap());
        assert_eq!(one.len(), 40);
        assert_ne!(one, two);
    }
}
