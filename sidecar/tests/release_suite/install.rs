//! From the staging folder into place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use vial::release::{InstallError, sweep};

use crate::support::{Place, shop};

#[test]
fn an_installed_release_stands_in_its_place_and_nothing_is_staged() {
    let place = Place::new();
    let staged = place.unpack(&shop().end()).unwrap();
    let mode = fs::metadata(&place.spec.staging).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    staged.install(&place.path("7")).unwrap();
    assert_eq!(fs::read_to_string(place.path("7/bin/shop")).unwrap(), "#!/bin/sh\n");
    fs::remove_dir_all(place.path("7")).unwrap();
    place.assert_clean();
}

#[test]
fn a_release_that_is_not_installed_vanishes() {
    let place = Place::new();
    let staged = place.unpack(&shop().end()).unwrap();
    assert!(staged.path().join("bin/shop").is_file());
    drop(staged);
    place.assert_clean();
}

#[test]
fn nothing_is_ever_replaced() {
    let place = Place::new();
    let target = place.path("taken");
    let again = || place.unpack(&shop().end()).unwrap().install(&target).unwrap_err();
    fs::create_dir(&target).unwrap();
    assert!(matches!(again(), InstallError::Exists(path) if path == target), "an empty folder");
    fs::write(target.join("file"), "").unwrap();
    assert!(matches!(again(), InstallError::Exists(_)), "a folder with content");
    assert!(target.join("file").is_file());
    fs::remove_dir_all(&target).unwrap();
    std::os::unix::fs::symlink("nowhere", &target).unwrap();
    assert!(matches!(again(), InstallError::Exists(_)), "a link to nothing");
    fs::remove_file(&target).unwrap();
    place.assert_clean();
}

#[test]
fn a_place_that_cannot_be_written_is_an_error_that_leaves_nothing() {
    let place = Place::new();
    let error = place.unpack(&shop().end()).unwrap().install(&place.path("no/such")).unwrap_err();
    assert!(matches!(error, InstallError::Disk { .. }), "{error}");
    place.assert_clean();
}

#[test]
fn a_sweep_takes_leftovers_and_spares_what_is_in_use() {
    let place = Place::new();
    assert_eq!(sweep(&place.spec.staging).unwrap(), 0, "no staging folder yet");
    let staged = place.unpack(&shop().end()).unwrap();
    let leftover = place.spec.staging.join("unpack-0123456789abcdef");
    fs::create_dir_all(leftover.join("tree/bin")).unwrap();
    fs::write(leftover.join("tree/bin/shop"), "").unwrap();
    let foreign = place.spec.staging.join("not-ours");
    fs::create_dir(&foreign).unwrap();
    assert_eq!(sweep(&place.spec.staging).unwrap(), 1);
    assert!(!leftover.exists());
    assert!(foreign.is_dir());
    assert!(staged.path().join("bin/shop").is_file());
    fs::remove_dir(foreign).unwrap();
    drop(staged);
    place.assert_clean();
}

#[test]
fn what_a_killed_process_left_is_swept() {
    // This test runs itself once more, as the process that is killed.
    if let Some(staging) = std::env::var_os("VIAL_TEST_STAGING") {
        let mut place = Place::new();
        place.spec.staging = staging.into();
        let _staged = place.unpack(&shop().end()).unwrap();
        println!("unpacked");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let place = Place::new();
    let temporary = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "install::what_a_killed_process_left_is_swept", "--nocapture"])
        .env("VIAL_TEST_STAGING", &place.spec.staging)
        .env("TMPDIR", temporary.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(output);
    assert!(lines.any(|line| line.unwrap().contains("unpacked")));
    assert_eq!(sweep(&place.spec.staging).unwrap(), 0, "it is alive and at work");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(sweep(&place.spec.staging).unwrap(), 1);
    place.assert_clean();
}
