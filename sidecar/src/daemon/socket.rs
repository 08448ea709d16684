//! The API's socket in the file system.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdListener, UnixStream};
use std::path::Path;

use tokio::net::UnixListener;

use super::ServeError;

/// Takes over a socket that the service manager holds open: its file, mode and owner are the
/// manager's, and whoever called while no daemon ran is answered now.
pub(super) fn adopt(listener: StdListener, expected: &Path) -> Result<UnixListener, ServeError> {
    let failed = |why| ServeError::Socket { path: expected.to_owned(), why };
    let address = listener.local_addr().map_err(failed)?;
    if address.as_pathname() != Some(expected) {
        tracing::warn!(
            given = ?address,
            configured = %expected.display(),
            "the service manager's socket is not the configured one: commands call the configured \
             one. Make `ListenStream` and `socket` agree."
        );
    }
    listener.set_nonblocking(true).map_err(failed)?;
    UnixListener::from_std(listener).map_err(failed)
}

/// Opens the socket for everybody: who may do what, the peer's credentials decide. What a daemon
/// that was killed left there is replaced; a socket that answers is not.
pub(super) fn listen(path: &Path) -> Result<UnixListener, ServeError> {
    let failed = |why| ServeError::Socket { path: path.to_owned(), why };
    if let Some(parent) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(parent).map_err(failed)?;
    }
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(failed(std::io::Error::other(
                "something that is not a socket stands in its place; move it away",
            )));
        }
        Ok(_) if UnixStream::connect(path).is_ok() => {
            return Err(failed(std::io::Error::other(
                "another daemon answers there; stop it, or give this one a `run_dir` of its own",
            )));
        }
        Ok(_) => fs::remove_file(path).map_err(failed)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).map_err(failed)?;
    Ok(listener)
}

/// Takes the socket away, so that a caller sees at once that nobody is there.
pub(super) fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(%error, "the socket was gone already");
    }
}
