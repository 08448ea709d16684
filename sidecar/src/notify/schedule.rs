//! When what failed is tried again.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// For so long it is tried.
const FOR: SignedDuration = SignedDuration::from_hours(24);
/// After the first failure.
const FIRST: u64 = 5;
/// The longest wait between two attempts.
const LONGEST: u64 = 3600;

/// When it is tried again after `failures` in a row; absent where it is given up.
pub(super) fn next(made_at: Timestamp, failures: u32, now: Timestamp) -> Option<Timestamp> {
    let doubled = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(20));
    let wait = Duration::from_secs(doubled.min(LONGEST));
    let next = now.checked_add(wait).ok()?;
    let last = made_at.checked_add(FOR).ok()?;
    // One more at the very end, where the next one would come too late.
    if next <= last { Some(next) } else { Some(last).filter(|last| *last > now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_a_day_ever_more_rarely_and_then_given_up() {
        let made = Timestamp::from_second(1_700_000_000).unwrap();
        let (mut now, mut waits) = (made, Vec::new());
        while let Some(next) = next(made, u32::try_from(waits.len()).unwrap() + 1, now) {
            waits.push(next.as_second() - now.as_second());
            now = next;
        }
        assert_eq!(waits[..10], [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560]);
        assert!(waits[10..waits.len() - 1].iter().all(|it| *it == 3600), "{waits:?}");
        assert_eq!(now.as_second() - made.as_second(), 86_400);
    }

    #[test]
    fn a_clock_that_jumps_ahead_gives_it_up_at_once_and_no_earlier() {
        let made = Timestamp::from_second(1_700_000_000).unwrap();
        let later = made.checked_add(SignedDuration::from_hours(25)).unwrap();
        assert_eq!(next(made, 1, later), None);
        let earlier = made.checked_sub(SignedDuration::from_hours(25)).unwrap();
        assert!(next(made, 1, earlier).is_some());
    }
}
