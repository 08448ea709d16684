//! A disk that is full.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vial::release::UnpackError;

use crate::support::{Place, gzip, shop};

/// A small file system of its own, gone at the end.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, options: &str) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mounted = nix::unistd::geteuid().is_root()
            && Command::new("mount")
                .args(["-t", "tmpfs", "-o", options, "vial-test"])
                .arg(at)
                .status()
                .is_ok_and(|status| status.success());
        if mounted {
            Some(SmallDisk(at.to_owned()))
        } else {
            eprintln!("skipped: a small file system can be mounted by root only");
            None
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_fills_up_is_told_with_figures_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), "size=2m") else { return };
    let mut place = Place::new();
    place.spec.staging = disk.0.join("staging");
    // Random-looking bytes in files that are each too small to be judged by their size.
    let tar = (0..40).fold(shop(), |tar, i| tar.file(&format!("lib/{i}"), 0o644, [7; 100_000]));
    let error = place.unpack(&gzip(&tar.end())).unwrap_err();
    let text = error.to_string();
    let UnpackError::NoSpace { needed, free, .. } = error else { panic!("{text}") };
    assert!((1_500_000..=2_200_000).contains(&needed), "{text}");
    assert!((1_500_000..=2_200_000).contains(&free), "{text}");
    place.assert_clean();
    place.unpack(&shop().end()).unwrap();
}

#[test]
fn a_disk_without_inodes_is_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(&folder.path().join("disk"), "size=2m,nr_inodes=15") else {
        return;
    };
    let mut place = Place::new();
    place.spec.staging = disk.0.join("staging");
    let error = place.unpack(&shop().end()).unwrap_err();
    assert!(matches!(error, UnpackError::NoSpace { no_inodes: true, .. }), "{error}");
    assert!(error.to_string().contains("no inode is left"), "{error}");
    place.assert_clean();
}

#[test]
fn what_must_stay_free_on_the_disk_is_not_touched() {
    let mut place = Place::new();
    place.spec.limits.keep_free = u64::MAX / 2;
    let error = place.unpack(&shop().end()).unwrap_err();
    assert!(matches!(error, UnpackError::NoSpace { needed: 0, .. }), "{error}");
    place.assert_clean();
}

#[test]
fn a_file_larger_than_the_disk_is_refused_before_it_is_written() {
    let mut place = Place::new();
    place.spec.limits.max_bytes = u64::MAX;
    let tar = shop().raw(b'0', b"lib/huge", b"", 0o644, 1 << 60, b"");
    let error = place.unpack(&tar.cut()).unwrap_err();
    assert!(matches!(error, UnpackError::NoSpace { needed, .. } if needed > 1 << 60), "{error}");
    place.assert_clean();
}
