//! The state folder: its modes, its lock, and the secrets in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use super::ServeError;
use crate::app::paths::{AppLayout, Layout};
use crate::secret_file;
use crate::store::Store;

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ServeError + '_ {
    move |why| ServeError::Place { path: path.to_owned(), why }
}

/// Makes the state folder and holds its lock for as long as the answer lives.
pub(super) fn take(layout: &Layout) -> Result<Flock<File>, ServeError> {
    let root = layout.root();
    // Others pass through to their own part; only the daemon may list it.
    folder(root, 0o711).map_err(failed(root))?;
    let apps = root.join("apps");
    folder(&apps, 0o711).map_err(failed(&apps))?;
    let lock = layout.lock();
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&lock)
        .map_err(failed(&lock))?;
    let held = Flock::lock(file, FlockArg::LockExclusiveNonblock)
        .map_err(|_| ServeError::Taken { path: lock.clone() })?;
    // SQLite gives its other files the mode of this one.
    let database = layout.database();
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&database)
        .map_err(failed(&database))?;
    Ok(held)
}

/// Makes an app's folders.
pub(super) fn app(layout: &AppLayout) -> io::Result<()> {
    folder(layout.root(), 0o711)?;
    folder(&layout.releases(), 0o711)?;
    folder(&layout.slots(), 0o711)
}

fn folder(path: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path)?;
    let now = fs::metadata(path)?.permissions().mode() & 0o7777;
    if now != mode {
        fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}

/// A secret that is made once and kept in a file of mode 0600.
pub(super) fn secret(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(kept) if kept.trim().len() >= 32 => return Ok(kept.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let fresh = random()?;
    secret_file::write(path, fresh.as_bytes())?;
    Ok(fresh)
}

/// 160 random bits, as letters that are safe everywhere.
fn random() -> io::Result<String> {
    secret_file::random::<20>()
}

/// What names this state folder among those of the host; made once.
pub(super) async fn id(store: &Store) -> Result<String, ServeError> {
    if let Some(id) = store.setting("id").await? {
        return Ok(id);
    }
    let mut id = random().map_err(failed(Path::new("/dev/urandom")))?;
    id.truncate(12);
    store.keep_setting("id", id.clone()).await?;
    Ok(id)
}

/// The port of this daemon's epmd: the configured one, or one that was free when it was chosen.
/// It is kept, because the slots outlive the daemon.
pub(super) async fn epmd_port(store: &Store, wanted: Option<u16>) -> Result<u16, ServeError> {
    if let Some(port) = wanted {
        return Ok(port);
    }
    if let Some(port) = store.setting("epmd_port").await?.and_then(|text| text.parse().ok()) {
        return Ok(port);
    }
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map_err(failed(Path::new("127.0.0.1")))?
        .port();
    store.keep_setting("epmd_port", port.to_string()).await?;
    Ok(port)
}
