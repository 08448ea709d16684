//! How much is kept, and what happens on a full disk.

use super::*;

const DAY: i64 = 86_400;

/// A log of random letters in lines, which zstd cannot make much smaller.
fn noisy(log: &mut Log, kib: usize) {
    let mut seed = log.written.wrapping_add(88_172_645_463_325_252);
    let mut text = Vec::with_capacity(kib << 10);
    for index in 0..kib << 10 {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        text.push(if index % 128 == 127 { b'\n' } else { b'!' + (seed % 90) as u8 });
    }
    log.file.write_all(&text).unwrap();
    log.written += text.len() as u64;
}

fn size_of_segments(log: &Log) -> u64 {
    let folder = log.home.path().join("blue.log.d");
    let names = log.names().into_iter().filter(|name| name.ends_with(".zst"));
    names.map(|name| std::fs::metadata(folder.join(name)).unwrap().len()).sum()
}

#[test]
fn the_oldest_go_when_segments_take_more_than_their_share() {
    let mut log = Log::new();
    let mut keeper = log.keeper(&Fake::default());
    let policy = Policy { keep: 200 << 10, ..SMALL };
    for _ in 0..40 {
        noisy(&mut log, 32);
        keeper.keep(&policy, at(1000));
        assert!(size_of_segments(&log) <= policy.keep);
    }
    let part = read(&log.path, 0, 1, Unfinished::Wait).unwrap();
    assert!(part.gap > 500 << 10, "{}", part.gap);
    assert!(size_of_segments(&log) > policy.keep / 2, "no more than needed");
}

#[test]
fn what_is_too_old_goes_compressed_or_not() {
    let mut log = Log::new();
    let edge = Fake::default();
    let mut keeper = log.keeper(&edge);
    for day in 0..10 {
        // A segment every other day; the last ones are live.
        log.write(if day < 8 { 1_000 } else { 100 });
        keeper.keep(&SMALL, at(day * DAY));
    }
    assert_eq!(log.oldest(), 0);
    keeper.keep(&SMALL, at(33 * DAY));
    let oldest = log.oldest();
    assert!((2_000..=4_000).contains(&oldest), "whole segments of the days 0 to 3: {oldest}");
    keeper.keep(&SMALL, at(38 * DAY));
    assert_eq!(log.oldest(), 8_100, "also what was live");
    keeper.keep(&SMALL, at(90 * DAY));
    assert_eq!(log.oldest(), log.written);
    log.write(10);
    keeper.keep(&SMALL, at(90 * DAY + 1));
    assert_eq!(log.oldest(), log.written - 10);
}

#[test]
fn a_log_that_was_never_kept_is_worked_off_in_several_looks() {
    let mut log = Log::new();
    log.write(100_000);
    let mut keeper = log.keeper(&Fake::default());
    let mut looks = 1;
    while keeper.look(&SMALL, at(1000)).unwrap().again == Duration::ZERO {
        looks += 1;
    }
    assert!((3..10).contains(&looks), "{looks} looks");
    assert!(log.on_disk() <= SMALL.live + 4096);
    log.has(0..100_000);
}

#[test]
fn a_disk_that_fills_up_has_the_log_compressed_before_its_time() {
    let mut log = Log::new();
    let edge = Fake::default();
    edge.set(|it| it.room = Some(Room { free: 300 << 20, total: 100 << 30 }));
    let mut keeper = log.keeper(&edge);
    let policy = Policy { live: 64 << 20, ..SMALL };
    log.write(200_000);
    let looked = keeper.keep(&policy, at(1000));
    assert!(log.on_disk() < 300 << 10, "{}", log.on_disk());
    assert!(looked.again < Duration::from_secs(5), "{:?}", looked.again);
    log.has(0..200_000);
    let segments = log.segments();
    log.write(100);
    keeper.keep(&policy, at(1000));
    assert_eq!(log.segments(), segments, "not for every line");
}

#[test]
fn on_a_full_disk_the_oldest_segments_go_and_no_more_of_them_than_needed() {
    let mut log = Log::new();
    let edge = Fake::default();
    let mut keeper = log.keeper(&edge);
    for _ in 0..20 {
        noisy(&mut log, 64);
        keeper.keep(&SMALL, at(1000));
    }
    let before = size_of_segments(&log);
    let missing = 300 << 10;
    edge.set(|it| it.room = Some(Room { free: (128 << 20) - missing, total: 100 << 30 }));
    keeper.keep(&SMALL, at(1000));
    let freed = before - size_of_segments(&log);
    assert!((missing..missing + (128 << 10)).contains(&freed), "{freed} of {before}");
    edge.set(|it| it.room = Some(Room { free: 0, total: 100 << 30 }));
    keeper.keep(&SMALL, at(1000));
    assert_eq!(size_of_segments(&log), 0, "all that there is");
    let end = super::super::len(&log.path).unwrap();
    assert_eq!(read(&log.path, end, 1, Unfinished::Wait).unwrap().cursor, end);
}

#[test]
fn where_not_even_a_segment_can_be_written_the_oldest_lines_make_way() {
    let mut log = Log::new();
    let edge = Fake::default();
    let mut keeper = log.keeper(&edge);
    log.write(5_000);
    keeper.keep(&SMALL, at(1000));
    log.write(5_000);
    keeper.keep(&SMALL, at(1000));
    assert!(log.segments() > 2);
    log.write(5_000);
    edge.set(|it| it.full = 1);
    keeper.keep(&SMALL, at(1000));
    let oldest = log.oldest();
    assert!((800..1_000).contains(&oldest), "the first segment made room: {oldest}");
    log.write(5_000);
    edge.set(|it| it.full = 100);
    keeper.keep(&SMALL, at(1000));
    let oldest = log.oldest();
    assert!((15_000..20_000).contains(&oldest), "only the live part is left: {oldest}");
    assert!(log.on_disk() <= SMALL.live + 4096);
    edge.set(|it| it.full = 0);
    log.write(5_000);
    keeper.keep(&SMALL, at(1000));
    assert_eq!(log.oldest(), oldest, "and from here on all is kept again");
}

#[test]
fn a_release_that_writes_much_more_than_the_disk_has_never_meets_its_end() {
    let Some(mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=8m"]) else { return };
    let mut log = mounted.log();
    let mut keeper = Keeper::new(&log.path);
    let policy = Policy { live: 64 << 20, ..SMALL };
    for _ in 0..400 {
        // Fails on a full disk, as the release would.
        noisy(&mut log, 128);
        keeper.keep(&policy, at(1000));
    }
    let written = super::super::len(&log.path).unwrap();
    assert_eq!(written, 400 << 17);
    let (lines, gap) = log.all(0);
    let kept = lines.iter().map(|line| line.len() as u64 + 1).sum::<u64>();
    assert_eq!(gap + kept, written);
    assert!(kept > 3 << 20, "{kept} bytes are kept of a disk of 8 MiB");
}

#[test]
fn a_log_that_somebody_emptied_goes_on_behind_its_old_end() {
    for looks_before in [true, false] {
        let mut log = Log::new();
        let mut keeper = log.keeper(&Fake::default());
        log.write(5_000);
        keeper.keep(&SMALL, at(1000));
        let (end, segments) = (5_000 * LINE, log.segments() as u64);
        assert!(segments > 0);
        log.file.set_len(0).unwrap();
        if !looks_before {
            keeper = log.keeper(&Fake::default());
        }
        log.write(200);
        keeper.keep(&SMALL, at(1001));
        log.write(300);
        let (lines, gap) = log.all(end);
        assert!(gap > 0, "what is missing is told");
        assert!(lines.into_iter().eq((5_000..5_500).map(line)), "and nothing of what came after");
        let (lines, _) = log.all(0);
        assert_eq!(lines[0], line(0), "what was compressed is still there");
        keeper.keep(&SMALL, at(1002));
        assert_eq!(log.all(end).0.len(), 500);
    }
}
