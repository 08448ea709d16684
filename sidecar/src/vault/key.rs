//! The key file, and what it seals: XChaCha20-Poly1305, a fresh nonce for each value.
//!
//! The key lies beside the history and not in it: a backup of the database alone opens nothing, and
//! neither does the key alone. The app, the name and the version are sealed with the value, so that
//! a row that was copied to another place does not open there.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};

use super::Plain;
use crate::secret_file;

/// The key's own length.
const KEY: usize = 32;
/// What stands before each sealed value.
const NONCE: usize = 24;

/// Opens and seals.
pub struct Key(XChaCha20Poly1305);

/// Where a sealed value belongs; it opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The app.
    pub app: &'a str,
    /// The variable's name.
    pub name: &'a str,
    /// The version of the environment that brought it.
    pub version: u64,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key")
    }
}

impl Key {
    /// Reads the key file; absent where there is none.
    ///
    /// # Errors
    /// Where it cannot be read, or is no key.
    pub fn read(path: &Path) -> io::Result<Option<Key>> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            // A restored backup may have lost its mode.
            fs::set_permissions(path, Permissions::from_mode(0o600))?;
        }
        let bytes = decode(text.trim()).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it is not 64 hexadecimal digits")
        })?;
        Ok(Some(Key::of(&bytes)))
    }

    /// Makes the key file: aside, on the disk, and then in its place.
    ///
    /// # Errors
    /// Where it cannot be written; nothing has changed then.
    pub fn make(path: &Path) -> io::Result<Key> {
        let bytes: [u8; KEY] = random()?;
        secret_file::write(path, format!("{}\n", encode(&bytes)).as_bytes())?;
        Ok(Key::of(&bytes))
    }

    fn of(bytes: &[u8; KEY]) -> Key {
        Key(XChaCha20Poly1305::new(bytes.into()))
    }

    /// Seals a value for its place.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn seal(&self, place: Place<'_>, value: &Plain) -> io::Result<Vec<u8>> {
        let nonce: [u8; NONCE] = random()?;
        let aad = place.bytes();
        let payload = Payload { msg: value.reveal().as_bytes(), aad: &aad };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| io::Error::other("the value could not be sealed"))?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens a sealed value; absent where it was sealed by another key, for another place, or is
    /// damaged.
    #[must_use]
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Plain> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let aad = place.bytes();
        let payload = Payload { msg: sealed, aad: &aad };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(opened).ok().map(Plain::new)
    }
}

impl Place<'_> {
    /// Each part behind its length: no two places have the same bytes.
    fn bytes(self) -> Vec<u8> {
        let mut bytes = b"vial env 1".to_vec();
        for part in [self.app, self.name] {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
        }
        bytes.extend(self.version.to_be_bytes());
        bytes
    }
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(text: &str) -> Option<[u8; KEY]> {
    if text.len() != 2 * KEY || !text.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; KEY];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place<'static> = Place { app: "shop", name: "DATABASE_URL", version: 3 };

    fn key() -> (tempfile::TempDir, Key) {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::make(&folder.path().join("environment.key")).unwrap();
        (folder, key)
    }

    fn plain(text: &str) -> Plain {
        Plain::new(text.into())
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let (_folder, key) = key();
        let sealed = key.seal(HERE, &plain("ecto://s3cret")).unwrap();
        assert_eq!(key.open(HERE, &sealed), Some(plain("ecto://s3cret")));
        for elsewhere in [
            Place { app: "other", ..HERE },
            Place { name: "OTHER", ..HERE },
            Place { version: 4, ..HERE },
            Place { app: "shopD", name: "ATABASE_URL", ..HERE },
        ] {
            assert_eq!(key.open(elsewhere, &sealed), None, "{elsewhere:?}");
        }
    }

    #[test]
    fn what_was_damaged_cut_or_sealed_by_another_key_does_not_open() {
        let (_folder, mine) = key();
        let (_other_folder, another) = key();
        let sealed = mine.seal(HERE, &plain("s3cret")).unwrap();
        assert_eq!(another.open(HERE, &sealed), None);
        assert_eq!(mine.open(HERE, &sealed[..NONCE - 1]), None);
        assert_eq!(mine.open(HERE, &[]), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(mine.open(HERE, &damaged), None, "byte {at}");
        }
    }

    #[test]
    fn the_same_value_is_never_sealed_alike_and_its_text_is_not_in_there() {
        let (_folder, key) = key();
        let value = plain("correct horse battery staple");
        let (one, other) = (key.seal(HERE, &value).unwrap(), key.seal(HERE, &value).unwrap());
        assert_ne!(one, other);
        assert!(!one.windows(7).any(|it| it == b"battery"));
    }

    #[test]
    fn the_file_is_its_owners_alone_and_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environment.key");
        assert!(Key::read(&path).unwrap().is_none());
        let made = Key::make(&path).unwrap();
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left aside");
        let sealed = made.seal(HERE, &plain("s3cret")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let read = Key::read(&path).unwrap().unwrap();
        assert_eq!(read.open(HERE, &sealed), Some(plain("s3cret")));
        assert_eq!(mode(), 0o600, "a mode that was lost is taken back");
        fs::write(&path, "not a key").unwrap();
        let error = Key::read(&path).unwrap_err().to_string();
        assert!(!error.contains("not a key"), "{error}");
    }

    #[test]
    fn neither_a_key_nor_a_value_is_printed_by_mistake() {
        let (_folder, key) = key();
        assert_eq!(format!("{key:?} {:?}", plain("s3cret")), "Key •••");
    }
}
