//! When to look again at what is looked at over and over.
//!
//! A daemon that wakes for each of a hundred apps at a moment of its own spends more on waking than on
//! looking. So what is due at nearly the same time is due at the same time: the moments lie on a beat that
//! all share.

use std::sync::OnceLock;
use std::time::Duration;

use tokio::time::Instant;

/// The beats of an interval are at most such a part of it apart, so that what came apart stays apart: the
/// looks of a hundred apps need not all be at once.
const STEPS: u128 = 10;
/// Where the beats count from.
static ORIGIN: OnceLock<Instant> = OnceLock::new();

/// When an interval that begins now ends: at most a twentieth of it early or late.
#[must_use]
pub fn beat(interval: Duration) -> Instant {
    beat_from(Instant::now(), interval)
}

/// The same for one that began at `began`.
#[must_use]
pub fn beat_from(began: Instant, interval: Duration) -> Instant {
    beat_after(*ORIGIN.get_or_init(|| began), began, interval)
}

fn beat_after(origin: Instant, began: Instant, interval: Duration) -> Instant {
    let Some(since) = began.checked_duration_since(origin) else { return began + interval };
    let step = step(interval);
    let beats = ((since + interval).as_millis() + step / 2) / step;
    let due = u64::try_from(beats * step).ok().map(Duration::from_millis);
    due.and_then(|due| origin.checked_add(due)).unwrap_or(began + interval)
}

/// One, two or five times a power of ten milliseconds: intervals that are not alike share beats too.
fn step(interval: Duration) -> u128 {
    let most = (interval.as_millis() / STEPS).max(1);
    let power = 10_u128.pow(most.ilog10());
    [5, 2, 1].into_iter().map(|it| it * power).find(|it| *it <= most).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_interval_is_due_at_moments_that_are_shared() {
        let (origin, interval) = (Instant::now(), Duration::from_secs(2));
        let mut moments = std::collections::BTreeSet::new();
        for apart in 0..40 {
            let now = origin + Duration::from_millis(5_000 + apart * 17);
            let due = beat_after(origin, now, interval);
            let wait = due - now;
            assert!(wait >= interval * 19 / 20 && wait <= interval * 21 / 20, "{wait:?}");
            moments.insert(due);
        }
        // Of the 680 ms between the first and the last.
        assert!(moments.len() <= 5, "{}", moments.len());
    }

    #[test]
    fn what_is_due_on_the_beat_keeps_its_interval() {
        let (origin, interval) = (Instant::now(), Duration::from_millis(500));
        let mut last = beat_after(origin, origin + Duration::from_millis(1_234), interval);
        for _ in 0..10 {
            let due = beat_after(origin, last + Duration::from_millis(3), interval);
            assert_eq!(due - last, interval);
            last = due;
        }
        let before = origin.checked_sub(interval).unwrap_or(origin);
        assert!(beat_after(origin, before, interval) >= before + interval);
    }

    #[test]
    fn the_beats_of_all_intervals_are_near_and_those_of_round_ones_meet() {
        for millis in [1, 7, 20, 99, 250, 1_000, 2_000, 2_500, 10_000, 15_000, 86_400_000] {
            let step = step(Duration::from_millis(millis));
            assert!(step <= u128::from(millis / 10).max(1), "{step} for {millis}");
        }
        let step = |seconds| step(Duration::from_secs(seconds));
        assert_eq!((step(1), step(2), step(5), step(10), step(15)), (100, 200, 500, 1_000, 1_000));
    }
}
