//! What Git shows a repository, so that it is let in. It goes through files and the environment of
//! Git alone: every local user can read an argument, and a log is for everyone who may read it.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Uid, chownat};

use super::address::{Address, Protocol};
use super::error::BuildError;
use crate::config::Source;
use crate::slot::User;

/// A key that Git's user may read, while Git runs. Dropped, it is gone.
#[derive(Debug)]
pub(super) struct Key(PathBuf);

impl Drop for Key {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Lets Git's user read the private key, where there is one. `folder` is closed but for Git.
pub(super) fn key(
    source: &Source,
    folder: &Path,
    builder: Option<&User>,
) -> Result<Option<Key>, BuildError> {
    let Some(file) = &source.ssh_key else { return Ok(None) };
    let text = fs::read(file).map_err(BuildError::disk(file))?;
    let copy = folder.join("key");
    let _ = fs::remove_file(&copy);
    let disk = || BuildError::disk(&copy);
    let mut out =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy).map_err(disk())?;
    let key = Key(copy.clone());
    out.write_all(&text).map_err(disk())?;
    if let Some(user) = builder {
        let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
        chownat(rustix::fs::CWD, &copy, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)
            .map_err(|errno| disk()(errno.into()))?;
    }
    Ok(Some(key))
}

/// What Git's environment says of ssh and of https.
pub(super) fn environment(
    source: &Source,
    address: &Address,
    folder: &Path,
    key: Option<&Key>,
) -> Result<Vec<(OsString, OsString)>, BuildError> {
    let mut variables = vec![("GIT_SSH_COMMAND".into(), ssh(source, folder, key).into())];
    if let Some(login) = login(source, address)? {
        let name = format!("http.{}.extraHeader", address.origin());
        let value = format!("Authorization: Basic {}", base64(login.as_bytes()));
        variables.push(("GIT_CONFIG_COUNT".into(), "1".into()));
        variables.push(("GIT_CONFIG_KEY_0".into(), name.into()));
        variables.push(("GIT_CONFIG_VALUE_0".into(), value.into()));
    }
    Ok(variables)
}

fn login(source: &Source, address: &Address) -> Result<Option<String>, BuildError> {
    if address.protocol != Protocol::Http {
        return Ok(None);
    }
    let Some(file) = &source.token_file else { return Ok(address.secret.clone()) };
    let text = fs::read_to_string(file).map_err(BuildError::disk(file))?;
    let token = text.trim();
    // Forges take any name beside a token; where one wants its own, the file says it.
    Ok(Some(if token.contains(':') { token.into() } else { format!("git:{token}") }))
}

/// A fixed command: nothing that asks, nothing of the user's own.
fn ssh(source: &Source, folder: &Path, key: Option<&Key>) -> String {
    let (known, trust) = match &source.known_hosts {
        Some(file) => (file.clone(), "yes"),
        None => (folder.join("home/known_hosts"), "accept-new"),
    };
    let mut command = format!(
        "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=20 -o StrictHostKeyChecking={trust} \
         -o UserKnownHostsFile={}",
        quoted(&known)
    );
    if let Some(Key(path)) = key {
        command.push_str(&format!(" -o IdentitiesOnly=yes -i {}", quoted(path)));
    }
    command
}

/// A path as Git's shell takes it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let letter = LETTERS[(group >> shift & 63) as usize];
            text.push(if index > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_as_everybody_writes_it() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("git:tökén", "Z2l0OnTDtmvDqW4="),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word_of_the_shell() {
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
    }
}
