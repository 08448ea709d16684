//! Reading a release into memory before it is started.
//!
//! A release that has not run for a while is on the disk alone, and its start waits for each of a
//! thousand small files in turn. Told all of them at once, the system reads them while everything
//! else about the start is still being prepared.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

/// Far more than any release has.
const MOST: usize = 50_000;

/// Has the system read what a start of a release needs: its runtime system, its modules, its
/// configuration. What cannot be read is read later, or missed, by the release itself.
pub fn read(release: &Path) {
    let mut left = MOST;
    for folder in wanted(release) {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            // A link is not followed, and a FIFO not opened.
            if entry.file_type().is_ok_and(|kind| kind.is_file()) && left > 0 {
                left -= 1;
                ask_for(&entry.path());
            }
        }
    }
}

fn wanted(release: &Path) -> Vec<PathBuf> {
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let is_erts = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|it| it.starts_with("erts-"))
    };
    let erts = below(release).into_iter().filter(is_erts).map(|path| path.join("bin"));
    let versions = below(&release.join("releases"));
    let consolidated = versions.iter().map(|path| path.join("consolidated"));
    let modules = below(&release.join("lib")).into_iter().map(|path| path.join("ebin"));
    let first: Vec<PathBuf> = erts.chain(versions.iter().cloned()).chain(consolidated).collect();
    first.into_iter().chain(modules).collect()
}

fn ask_for(path: &Path) {
    if let Ok(file) = File::open(path) {
        let _ = posix_fadvise(&file, 0, 0, PosixFadviseAdvice::POSIX_FADV_WILLNEED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_start_needs_is_read_and_a_folder_that_is_none_does_no_harm() {
        let release = tempfile::tempdir().unwrap();
        let root = release.path();
        for folder in [
            "erts-13.1.5/bin",
            "lib/shop-1.0.0/ebin",
            "lib/shop-1.0.0/priv",
            "releases/1.0.0/consolidated",
        ] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let found = wanted(root);
        for folder in [
            "erts-13.1.5/bin",
            "lib/shop-1.0.0/ebin",
            "releases/1.0.0",
            "releases/1.0.0/consolidated",
        ] {
            assert!(found.contains(&root.join(folder)), "{folder}: {found:?}");
        }
        assert_eq!(found.len(), 4, "{found:?}");
        read(root);
        read(&root.join("gone"));
    }
}
