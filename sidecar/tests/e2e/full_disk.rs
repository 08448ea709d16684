//! A data folder that is full to the last byte, or whose disk answers with errors: the app serves
//! on, what cannot be done is refused in words, a rollback works, and all heals by itself.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use vial::store::ballast;
use vial_load::{Load, Running};
use vial_protocol::{Code, Slot, SlotState, Status};

use super::under_load::target;
use super::{BAKING, QUICK};
use crate::figure;
use crate::support::releases::text;
use crate::support::{Host, Setup, archive, is_root, processes};

/// A file system of its own, unmounted with it.
pub(super) struct Disk {
    folder: tempfile::TempDir,
    mount: PathBuf,
}

impl Disk {
    /// An ext4 in a file; says why where there can be none.
    fn ext4(megabytes: u32) -> Option<Disk> {
        let disk = Disk::new()?;
        let image = disk.folder.path().join("image");
        File::create(&image).unwrap().set_len(u64::from(megabytes) << 20).unwrap();
        // No part of it is root's own: full is full for everybody.
        run("mkfs.ext4", &["-q", "-m", "0", image.to_str().unwrap()])?;
        run("mount", &["-o", "loop", image.to_str().unwrap(), disk.mount.to_str().unwrap()])?;
        Some(disk)
    }

    pub(super) fn tmpfs(megabytes: u32) -> Option<Disk> {
        let disk = Disk::new()?;
        let size = format!("size={megabytes}m,mode=755");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", disk.mount.to_str().unwrap()])?;
        Some(disk)
    }

    fn new() -> Option<Disk> {
        if !is_root() {
            println!("SKIPPED: only root may mount a small file system to fill");
            return None;
        }
        let folder = tempfile::Builder::new().prefix("vial-disk-").tempdir().unwrap();
        crate::support::setup::open(folder.path());
        let mount = folder.path().join("mount");
        std::fs::create_dir(&mount).unwrap();
        Some(Disk { folder, mount })
    }

    pub(super) fn state(&self) -> PathBuf {
        self.mount.join("state")
    }

    /// Fills it to the last byte.
    fn fill(&self) {
        let path = self.mount.join("filler");
        let mut filler = OpenOptions::new().create(true).append(true).open(path).unwrap();
        for size in [1 << 20, 64 << 10, 4 << 10, 512, 1] {
            let bytes = vec![b'x'; size];
            while filler.write_all(&bytes).and_then(|()| filler.sync_data()).is_ok() {}
        }
        assert!(free(&self.mount) < 4096, "{} bytes are free", free(&self.mount));
    }

    fn empty(&self) {
        std::fs::remove_file(self.mount.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-l".as_ref(), self.mount.as_os_str()]).output();
    }
}

fn free(folder: &Path) -> u64 {
    let stat = rustix::fs::statvfs(folder).unwrap();
    stat.f_bavail * stat.f_frsize
}

fn run(program: &str, args: &[&str]) -> Option<()> {
    match Command::new(program).args(args).output() {
        Ok(output) if output.status.success() => Some(()),
        said => {
            println!("SKIPPED: `{program} {}` does not work here: {said:?}", args.join(" "));
            None
        }
    }
}

fn load(host: &Host) -> Running {
    Load::new(target(host)).keep_alive(30, 4).fresh(10).slow(2, 300).start()
}

async fn nothing_was_lost(load: Running, when: &str) {
    let report = load.stop().await;
    figure!("{when}: {} requests, {} failed", report.sent(), report.failed());
    assert!(report.sent() > 100, "{report}");
    assert_eq!(report.failed(), 0, "{report}");
}

fn reserve(host: &Host) -> u64 {
    std::fs::metadata(host.state.join("ballast")).unwrap().len()
}

async fn until_the_reserve_is_whole(host: &Host) {
    let whole = host.until("shop", |it| it.warnings.iter().all(|it| it.code != Code::NoSpace));
    whole.await;
    assert_eq!(reserve(host), ballast::SIZE);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_a_cold_rollback_works_a_deploy_is_refused_and_space_heals_it() {
    let Some(disk) = Disk::ext4(160) else { return };
    let host = Setup::new().app("shop", QUICK).state(disk.state()).start().await;
    assert_eq!(reserve(&host), ballast::SIZE);
    host.deploy(1).await;
    host.deploy(2).await;
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    host.vial(&["doctor"]).await.never_says(&["the daemon writes its journal from a reserve"]);
    let load = load(&host);
    disk.fill();

    let rollback = host.vial(&["rollback", "shop", "--yes"]).await;
    rollback.ends(0).says(&["Rolled back: v1.0.0 serves"]);
    assert_eq!(host.serving().await, "1.0.0");
    let blue = std::fs::read_to_string(host.state.join("apps/shop/slots/blue.log")).unwrap();
    assert!(!blue.is_empty());
    assert!(reserve(&host) < ballast::SIZE, "it came from the reserve");
    figure!("a cold rollback on a full disk left {} KiB of the reserve", reserve(&host) >> 10);

    disk.fill();
    let words = ["The disk of", "is full", "free space there"];
    host.vial(&["status", "shop"]).await.ends(0).says(&words);
    host.vial(&["doctor"]).await.says(&["is full", "from a reserve", "Free some"]);
    host.vial(&["deploy", "shop", text(&archive(2))])
        .await
        .ends(1)
        .says(&["Nothing was changed: The disk of", "a deploy does not"]);
    assert_eq!(host.serving().await, "1.0.0");

    disk.empty();
    until_the_reserve_is_whole(&host).await;
    assert_eq!(host.deploy(2).await.status, Status::Succeeded);
    nothing_was_lost(load, "on a full disk").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_in_the_middle_of_a_deploy_stops_it_at_no_step() {
    let Some(disk) = Disk::tmpfs(160) else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "SHOP_START_DELAY_MS=700\n").unwrap();
    let lines = format!("{BAKING}\nverify = [\"/slow?ms=300\"]\nenv_file = {:?}", file.path());
    let mut host = Setup::new().app("shop", QUICK).state(disk.state()).start().await;
    host.deploy(1).await;
    host.reconfigure(&lines).await;
    let load = load(&host);
    for at in [Status::Starting, Status::Baking] {
        let number = host.deploy_detached(2).await;
        host.until_deployment(number, |it| it == at).await;
        disk.fill();
        host.until_deployment(number, |it| it == Status::Baking).await;
        assert_eq!(host.serving().await, "2.0.0", "filled while {at}");
        // Hot, from the reserve.
        host.vial(&["rollback", "shop", "--yes"]).await.ends(0).says(&["v1.0.0 serves"]);
        host.until_slot(host.status("shop").await.active.unwrap().other(), SlotState::Stopped)
            .await;
        disk.empty();
        until_the_reserve_is_whole(&host).await;
    }
    nothing_was_lost(load, "while the disk filled in the middle of deploys").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_comes_back_on_a_full_disk() {
    let Some(disk) = Disk::ext4(160) else { return };
    let mut host = Setup::new().app("shop", QUICK).state(disk.state()).start().await;
    host.deploy(1).await;
    host.deploy(2).await;
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    // An end in order takes the write-ahead log away with it; a new one needs room.
    host.end_daemon(nix::sys::signal::Signal::SIGTERM).await;
    let pid = processes::in_folder(&disk.state());
    disk.fill();
    host.start_daemon().await;
    let status = host.status("shop").await;
    assert_eq!(status.slot(Slot::Green).unwrap().state, SlotState::Running, "{status:#?}");
    assert!(pid.contains(&status.slot(Slot::Green).unwrap().pid.unwrap()), "the same process");
    host.vial(&["rollback", "shop", "--yes"]).await.ends(0).says(&["v1.0.0 serves"]);
    assert_eq!(host.serving().await, "1.0.0");
    disk.empty();
    until_the_reserve_is_whole(&host).await;
}

/// Makes what a process writes into a folder fail, while a file is there.
const BROKEN_DISK: &str = include_str!("broken_disk.c");

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_answers_with_errors_stops_no_app_and_what_happened_is_written_down_later() {
    let mut host = Setup::new().app("shop", QUICK).write();
    let (source, library) = (host.path("broken_disk.c"), host.path("broken_disk.so"));
    std::fs::write(&source, BROKEN_DISK).unwrap();
    let (source, shared) = (source.to_str().unwrap(), library.to_str().unwrap());
    let built = run("cc", &["-shared", "-fPIC", "-O1", "-o", shared, source, "-ldl"]);
    assert!(built.is_some(), "a C compiler is needed: Rust links with it too");
    let switch = host.path("broken");
    host.env = vec![
        ("LD_PRELOAD".into(), shared.into()),
        ("BROKEN_FOLDER".into(), host.state.to_str().unwrap().into()),
        ("BROKEN_WHILE".into(), switch.to_str().unwrap().into()),
    ];
    host.start_daemon().await;
    host.start_caddy().await;
    host.deploy(1).await;
    host.deploy(2).await;
    host.until_slot(Slot::Blue, SlotState::Stopped).await;
    let load = load(&host);

    std::fs::write(&switch, "").unwrap();
    let words = ["Nothing was changed", "disk I/O error", "`vial doctor`"];
    host.vial(&["rollback", "shop", "--yes"]).await.ends(1).says(&words);
    host.vial(&["deploy", "shop", text(&archive(1))]).await.ends(1).says(&words);
    host.vial(&["status", "shop"]).await.ends(0).says(&["disk I/O error"]);
    assert_eq!(host.history().await, ["deploy v1.0.0 superseded", "deploy v2.0.0 succeeded"]);
    std::fs::remove_file(&switch).unwrap();
    host.until("shop", |it| it.warnings.is_empty()).await;
    host.vial(&["rollback", "shop", "--yes"]).await.ends(0).says(&["v1.0.0 serves"]);

    // A deployment in progress waits for its next commit, and whoever asks is told why.
    let number = host.deploy_detached(2).await;
    host.until_deployment(number, |it| it == Status::Starting).await;
    std::fs::write(&switch, "").unwrap();
    let waits = host.until("shop", |it| !it.warnings.is_empty()).await;
    assert!(waits.warnings[0].message.contains("disk I/O error"), "{waits:#?}");
    host.vial(&["cancel", "shop"]).await.ends(1).says(&["Nothing was changed"]);
    assert_eq!(host.serving().await, "1.0.0");
    tokio::time::sleep(Duration::from_millis(500)).await;
    std::fs::remove_file(&switch).unwrap();
    let deployed = host.until_ended(number).await;
    assert_eq!(deployed.status, Status::Succeeded, "{deployed:#?}");
    assert_eq!(host.serving().await, "2.0.0");
    nothing_was_lost(load, "on a disk that answers with errors").await;
}
