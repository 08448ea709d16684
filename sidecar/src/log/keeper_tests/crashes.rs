//! The keeper ends between any two steps, and the next one goes on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::renew::{renew_on, unfreed};
use super::super::{len, tail};
use super::*;

/// Looks, and ends as a crash would: whether it did.
fn crashes(keeper: &mut Keeper, policy: &Policy) -> bool {
    catch_unwind(AssertUnwindSafe(|| keeper.keep(policy, at(1000)))).is_err()
}

#[test]
fn no_line_is_lost_and_none_comes_twice_wherever_it_ends() {
    for step in [Step::Written, Step::Named, Step::Freed] {
        for times in 1..=4 {
            let edge = Fake::default();
            let mut log = Log::new();
            let mut crashed = 0;
            for round in 0..8 {
                log.write(2_000);
                if round % 2 == 0 {
                    edge.set(|it| it.crash = Some((step, times)));
                }
                // Each look is a daemon of its own.
                crashed += u32::from(crashes(&mut log.keeper(&edge), &SMALL));
                edge.set(|it| it.crash = None);
                log.has(0..log.written);
                log.has(log.written / 3..log.written);
                assert_eq!(len(&log.path).unwrap(), log.written * LINE);
                let last = tail(&log.path, 3_000, 0, Unfinished::Take).unwrap();
                assert_eq!(last.lines[0].text, line(log.written.saturating_sub(3_000)));
            }
            assert!(crashed > 0 || times > 2, "{step:?} is never done {times} times");
            log.keeper(&edge).keep(&SMALL, at(1000));
            log.has(0..log.written);
            assert!(log.names().iter().all(|name| !name.ends_with("new")), "{:?}", log.names());
            assert!(log.on_disk() <= SMALL.live + 4096, "{step:?} {times}");
        }
    }
}

#[test]
fn what_remains_after_a_crash_while_old_ones_go_is_whole() {
    let little = Policy { keep: 20_000, ..SMALL };
    for times in 1..=3 {
        let edge = Fake::default();
        let mut log = Log::new();
        log.write(40_000);
        log.keeper(&edge).keep(&SMALL, at(1000));
        for _ in 0..10 {
            log.write(3_000);
            log.keeper(&edge).keep(&SMALL, at(1000));
        }
        edge.set(|it| it.crash = Some((Step::Dropped, times)));
        assert!(crashes(&mut log.keeper(&edge), &little), "{:?}", log.names());
        let oldest = log.oldest();
        edge.set(|it| it.crash = None);
        log.keeper(&edge).keep(&little, at(1000));
        assert!(log.oldest() >= oldest, "nothing comes back");
    }
}

#[test]
fn a_shorter_file_is_put_in_place_in_one_step() {
    let edge = Fake::default();
    edge.set(|it| it.solid = true);
    let mut log = Log::new();
    log.write(60_000);
    log.keeper(&edge).keep(&SMALL, at(1000));
    drop(std::mem::replace(&mut log.file, File::open("/dev/null").unwrap()));
    edge.set(|it| it.crash = Some((Step::Copied, 1)));
    assert!(catch_unwind(AssertUnwindSafe(|| renew_on(&log.path, &edge))).is_err());
    log.has(0..60_000);
    assert!(unfreed(&log.path).unwrap() > 1 << 20);
    edge.set(|it| it.crash = None);
    log.keeper(&edge).keep(&SMALL, at(1000));
    assert!(log.names().iter().all(|name| !name.ends_with("new")), "{:?}", log.names());
    assert!(renew_on(&log.path, &edge).unwrap());
    log.has(0..60_000);
}
