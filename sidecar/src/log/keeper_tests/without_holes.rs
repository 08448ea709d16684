//! File systems that cannot free a part of a file.

use super::super::renew::{renew_on, unfreed};
use super::super::{follow::Follower, len, renew, tail};
use super::*;

/// Ends the writer, as a slot that is stopped does.
fn stop_writing(log: &mut Log) {
    log.file = File::open("/dev/null").unwrap();
}

fn filled(edge: &Fake) -> Log {
    edge.set(|it| it.solid = true);
    let mut log = Log::new();
    let mut keeper = log.keeper(edge);
    for _ in 0..6 {
        log.write(10_000);
        keeper.keep(&SMALL, at(1000));
    }
    log
}

#[test]
fn readers_see_no_difference_and_how_much_it_grew_can_be_told() {
    let edge = Fake::default();
    let log = filled(&edge);
    assert!(log.segments() >= 6);
    log.has(0..60_000);
    let unfreed = unfreed(&log.path).unwrap();
    assert!(unfreed > 1_900_000, "{unfreed}");
    edge.set(|it| it.solid = false);
    log.keeper(&edge).keep(&SMALL, at(1000));
    assert!(super::unfreed_is_little(&log), "where holes can be made they are");
}

#[test]
fn a_shorter_file_takes_its_place_once_nobody_writes_and_every_cursor_stays() {
    let edge = Fake::default();
    let mut log = filled(&edge);
    assert!(!renew_on(&log.path, &edge).unwrap(), "it is written to");
    log.has(0..60_000);
    stop_writing(&mut log);
    assert!(renew_on(&log.path, &edge).unwrap());
    assert!(!renew_on(&log.path, &edge).unwrap(), "once is enough");
    assert!(log.on_disk() <= SMALL.live + 8192, "{}", log.on_disk());
    assert_eq!(len(&log.path).unwrap(), 60_000 * LINE);
    log.has(0..60_000);
    log.file = append_to(&log.path);
    let mut keeper = log.keeper(&edge);
    for _ in 0..6 {
        log.write(10_000);
        keeper.keep(&SMALL, at(1000));
        log.has(45_000..log.written);
    }
    let last = tail(&log.path, 30_000, 0, Unfinished::Take).unwrap();
    assert_eq!(last.lines[0].text, line(90_000));
    stop_writing(&mut log);
    assert!(renew_on(&log.path, &edge).unwrap(), "and a second time");
    log.has(0..120_000);
}

#[test]
fn the_header_of_a_file_that_is_freed_later_stays() {
    let edge = Fake::default();
    let mut log = filled(&edge);
    stop_writing(&mut log);
    renew_on(&log.path, &edge).unwrap();
    edge.set(|it| it.solid = false);
    log.file = append_to(&log.path);
    let mut keeper = log.keeper(&edge);
    for _ in 0..6 {
        log.write(10_000);
        keeper.keep(&SMALL, at(1000));
    }
    assert!(log.on_disk() <= SMALL.live + 8192);
    log.has(0..120_000);
}

#[tokio::test]
async fn a_follower_goes_on_in_the_file_that_took_its_place() {
    let edge = Fake::default();
    let mut log = filled(&edge);
    let mut follower = Follower::new(&log.path).unwrap();
    let cursor = 60_000 * LINE;
    let soon = Duration::from_millis(50);
    assert!(tokio::time::timeout(soon, follower.grown(cursor)).await.is_err());
    stop_writing(&mut log);
    assert!(renew_on(&log.path, &edge).unwrap());
    assert!(tokio::time::timeout(soon, follower.grown(cursor)).await.is_err());
    log.file = append_to(&log.path);
    log.write(1);
    tokio::time::timeout(Duration::from_secs(5), follower.grown(cursor)).await.unwrap().unwrap();
    log.has(60_000..60_001);
}

/// A ramfs has no holes in truth. Only root can mount one.
#[test]
fn all_of_it_holds_on_a_real_file_system_without_holes() {
    let Some(mounted) = Mounted::new(&["-t", "ramfs"]) else { return };
    let mut log = mounted.log();
    let mut keeper = Keeper::new(&log.path);
    log.write(60_000);
    keeper.keep(&SMALL, at(1000));
    log.write(100);
    keeper.keep(&SMALL, at(1000));
    log.has(0..60_100);
    stop_writing(&mut log);
    let before = std::fs::metadata(&log.path).unwrap().len();
    assert!(before > 2_000_000, "nothing was freed: {before}");
    assert!(renew(&log.path).unwrap());
    let after = std::fs::metadata(&log.path).unwrap().len();
    assert!(after < 100_000, "{after}");
    log.has(0..60_100);
    drop(log);
    drop(mounted);
}
