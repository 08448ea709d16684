//! What came of a build: a release's folder that is the builder's own, all of it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::BuildError;
use crate::slot::User;

/// No release has folders so deep.
const DEEPEST: usize = 64;

/// Finds the release below a checkout. Nothing of the build runs any more.
///
/// # Errors
/// Where there is none, or it has something that was never the builder's.
pub fn find(source: &Path, below: &str, builder: Option<&User>) -> Result<PathBuf, BuildError> {
    let missing = || BuildError::NoRelease(below.into());
    let root = source.canonicalize().map_err(BuildError::disk(source))?;
    let found = source.join(below).canonicalize().map_err(|_| missing())?;
    if !found.starts_with(&root) || !found.is_dir() {
        return Err(missing());
    }
    if let Some(user) = builder {
        check(&found, user.uid, 0)?;
    }
    Ok(found)
}

/// The daemon reads it as root: a file that the builder only linked to must not be among it.
fn check(folder: &Path, uid: u32, depth: usize) -> Result<(), BuildError> {
    let foreign = |path: &Path, why| BuildError::Foreign { path: path.to_owned(), why };
    if depth > DEEPEST {
        return Err(foreign(folder, "is too deep"));
    }
    for entry in fs::read_dir(folder).map_err(BuildError::disk(folder))? {
        let path = entry.map_err(BuildError::disk(folder))?.path();
        let meta = fs::symlink_metadata(&path).map_err(BuildError::disk(&path))?;
        if meta.uid() != uid {
            return Err(foreign(&path, "belongs to another user than the one that built"));
        }
        if meta.is_dir() {
            check(&path, uid, depth + 1)?;
        }
    }
    Ok(())
}
