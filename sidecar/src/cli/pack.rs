//! A release folder as a plain tar archive, links kept as links.

use std::io::{self, Write};
use std::path::Path;

/// Writes `folder` to `writer`. Not compressed: it goes through a socket on this host.
///
/// # Errors
/// A file cannot be read, or the writer's end is gone.
pub fn pack(folder: &Path, writer: &mut dyn Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(writer);
    archive.follow_symlinks(false);
    archive.append_dir_all(".", folder)?;
    archive.into_inner()?.flush()
}
