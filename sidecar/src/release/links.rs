//! After everything was written: no symbolic link may lead out of the release.
//!
//! Links are resolved by hand, one name at a time, against what is really there, so that a chain
//! of links is judged by where it ends. A link to nothing is fine as long as the nothing is
//! inside: nobody can put anything there later.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::Path;

use super::error::{EntryFault, UnpackError};
use super::names::printable;

/// As many links as Linux follows before it calls it a loop.
const MOST_HOPS: usize = 40;

/// Checks every link below a folder in which each folder is a real one.
pub(super) fn check(root: &Path) -> Result<(), UnpackError> {
    walk(root, &mut Vec::new())
}

/// Where a link that stands in the folder `at` (its parts from the root) leads.
pub(super) fn judge(root: &Path, at: &[String], target: &Path) -> Result<(), EntryFault> {
    let leaves = || EntryFault::LinkLeaves(printable(target.as_os_str().as_encoded_bytes()));
    let mut here: Vec<String> = at.to_vec();
    let mut rest: VecDeque<String> = parts(target).ok_or_else(leaves)?.into();
    let mut hops = 0;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            here.pop().ok_or_else(leaves)?;
            continue;
        }
        here.push(part);
        let mut path = root.to_owned();
        path.extend(&here);
        if let Ok(next) = fs::read_link(&path) {
            hops += 1;
            if hops > MOST_HOPS {
                return Err(EntryFault::LinkLoop);
            }
            here.pop();
            for part in parts(&next).ok_or_else(leaves)?.into_iter().rev() {
                rest.push_front(part);
            }
        }
    }
    Ok(())
}

/// The parts of a relative target; none for an absolute one or one that is no text.
fn parts(target: &Path) -> Option<Vec<String>> {
    let text = target.to_str()?;
    if text.starts_with('/') {
        return None;
    }
    Some(text.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect())
}

fn walk(root: &Path, at: &mut Vec<String>) -> Result<(), UnpackError> {
    let mut folder = root.to_owned();
    folder.extend(&*at);
    let disk = |source: io::Error| UnpackError::Disk {
        doing: "read the folder",
        path: folder.clone(),
        source,
    };
    for entry in fs::read_dir(&folder).map_err(disk)? {
        let entry = entry.map_err(disk)?;
        let kind = entry.file_type().map_err(disk)?;
        if kind.is_symlink() {
            let target = fs::read_link(entry.path()).map_err(disk)?;
            judge(root, at, &target).map_err(|fault| {
                let path = entry.path();
                let name = path.strip_prefix(root).unwrap_or(&path);
                UnpackError::Entry { name: printable(name.as_os_str().as_encoded_bytes()), fault }
            })?;
        } else if kind.is_dir() {
            at.push(entry.file_name().to_string_lossy().into_owned());
            walk(root, at)?;
            at.pop();
        }
    }
    Ok(())
}
