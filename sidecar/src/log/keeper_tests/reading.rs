//! What readers see while a log is kept.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::{len, offset_at, tail};
use super::*;

fn kept(lines: u64) -> Log {
    let mut log = Log::new();
    let mut keeper = log.keeper(&Fake::default());
    while log.written < lines {
        log.write(1000);
        keeper.keep(&SMALL, at(1000));
    }
    log
}

#[test]
fn every_line_is_read_once_across_segments_and_the_live_part() {
    let log = kept(20_000);
    assert!(log.segments() > 5, "{:?}", log.names());
    assert!(log.on_disk() <= SMALL.live + 4096, "{} bytes are live", log.on_disk());
    assert_eq!(len(&log.path).unwrap(), 20_000 * LINE);
    log.has(0..20_000);
    log.has(7_777..20_000);
    log.has(19_999..20_000);
}

#[test]
fn the_last_lines_are_found_wherever_they_are() {
    let log = kept(20_000);
    let last = |count, since| {
        let read = tail(&log.path, count, since, Unfinished::Take).unwrap();
        assert_eq!(read.cursor, 20_000 * LINE);
        let first = read.lines.first().map(|line| line.at);
        let texts: Vec<String> = read.lines.into_iter().map(|line| line.text).collect();
        let from = 20_000 - texts.len() as u64;
        assert_eq!(first, Some(from * LINE));
        assert!(texts.into_iter().eq((from..20_000).map(line)));
        20_000 - from
    };
    assert_eq!(last(100, 0), 100);
    assert_eq!(last(5_000, 0), 5_000, "beyond the live part");
    assert_eq!(last(30_000, 0), 20_000, "all there is");
    assert_eq!(last(30_000, 12_345 * LINE), 20_000 - 12_345);
}

#[test]
fn the_last_lines_are_there_when_nothing_is_live() {
    let mut log = kept(20_000);
    let none = Policy { live: 0, ..SMALL };
    log.keeper(&Fake::default()).keep(&none, at(1000));
    assert!(log.on_disk() <= 4096);
    let texts: Vec<String> = tail(&log.path, 100, 0, Unfinished::Take)
        .unwrap()
        .lines
        .into_iter()
        .map(|line| line.text)
        .collect();
    assert!(texts.into_iter().eq((19_900..20_000).map(line)));
    log.write(1);
    log.has(19_999..20_001);
}

#[test]
fn a_reader_whose_place_is_no_longer_kept_is_told_and_goes_on_with_the_oldest() {
    let mut log = kept(20_000);
    let little = Policy { keep: 10_000, ..SMALL };
    log.keeper(&Fake::default()).keep(&little, at(1000));
    let oldest = log.oldest();
    assert!(oldest > 5_000, "{oldest}");
    let part = read(&log.path, (oldest - 1) * LINE, 1, Unfinished::Wait).unwrap();
    assert_eq!((part.gap, part.lines[0].at), (LINE, oldest * LINE));
    let nothing = Policy { keep: 0, live: 0, ..SMALL };
    log.keeper(&Fake::default()).keep(&nothing, at(1000));
    let part = read(&log.path, 5, 1, Unfinished::Wait).unwrap();
    assert_eq!((part.lines.len(), part.cursor), (0, 20_000 * LINE), "also where nothing is left");
    assert_eq!(part.gap, 20_000 * LINE - 5);
    log.write(1);
    log.has(20_000..20_001);
}

#[test]
fn a_damaged_segment_is_a_gap() {
    let log = kept(20_000);
    let names = log.names();
    let path = log.home.path().join("blue.log.d").join(&names[1]);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&path, bytes).unwrap();
    let (lines, gap) = log.all(0);
    let missing = gap / LINE;
    assert!(missing > 0 && lines.len() as u64 == 20_000 - missing);
    assert_eq!(lines.last().unwrap(), &line(19_999));
}

#[test]
fn half_a_line_is_left_where_it_is_until_it_is_whole() {
    let mut log = Log::new();
    let mut keeper = log.keeper(&Fake::default());
    log.write(3_000);
    log.file.write_all(b"half of").unwrap();
    keeper.keep(&Policy { live: 0, ..SMALL }, at(1000));
    let cursor = 3_000 * LINE;
    assert_eq!(read(&log.path, cursor, 1, Unfinished::Wait).unwrap().cursor, cursor);
    log.file.write_all(b" it\n").unwrap();
    let whole = read(&log.path, cursor, 1, Unfinished::Wait).unwrap();
    assert_eq!(whole.lines[0].text, "half of it");
}

#[test]
fn a_line_that_is_longer_than_a_segment_is_all_there() {
    let mut log = Log::new();
    let mut keeper = log.keeper(&Fake::default());
    let long = vec![b'x'; 9 << 20];
    log.file.write_all(&long).unwrap();
    log.file.write_all(b"\nend\n").unwrap();
    keeper.keep(&Policy { live: 1 << 20, ..SMALL }, at(1000));
    assert!(log.segments() > 10);
    let (lines, gap) = log.all(0);
    assert_eq!((gap, lines.last().map(String::as_str)), (0, Some("end")));
    assert_eq!(lines.iter().map(String::len).sum::<usize>(), long.len() + 3);
}

#[test]
fn what_was_written_since_a_time_is_found_by_the_minute() {
    let mut log = Log::new();
    let mut keeper = log.keeper(&Fake::default());
    for minute in 1..=10 {
        log.write(500);
        keeper.keep(&SMALL, at(minute * 60));
    }
    let since = |second| offset_at(&log.path, at(second)).unwrap() / LINE;
    assert_eq!(since(0), 0);
    assert_eq!(since(60), 500);
    assert_eq!(since(330), 2_500);
    assert_eq!(since(9_999), 5_000);
    let last = tail(&log.path, 7_000, since(330) * LINE, Unfinished::Take).unwrap();
    assert_eq!(last.lines.len(), 2_500);
}

#[test]
fn a_reader_that_reads_while_the_log_is_freed_misses_nothing() {
    const LINES: u64 = 100_000;
    let mut log = Log::new();
    let path = log.path.clone();
    let (done, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let seen = std::thread::scope(|scope| {
        let mut keeper = log.keeper(&Fake::default());
        let (done, looks) = (&done, &looks);
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                keeper.keep(&SMALL, at(1000));
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        let reading = scope.spawn(move || {
            let (mut next, mut cursor) = (0, 0);
            while next < LINES {
                let part = read(&path, cursor, 1, Unfinished::Wait).unwrap();
                assert_eq!(part.gap, 0);
                for it in &part.lines {
                    assert_eq!(it.text, line(next), "at {}", it.at);
                    next += 1;
                }
                cursor = part.cursor;
            }
            done.store(true, Ordering::Relaxed);
            next
        });
        while log.written < LINES {
            log.write(20);
            // So that much of it is freed while it is written and read.
            while looks.load(Ordering::Relaxed) < log.written / 4000 {
                std::thread::yield_now();
            }
        }
        reading.join().unwrap()
    });
    assert_eq!(seen, LINES);
    assert!(log.segments() >= 3, "{:?}", log.names());
}
