//! Waiting for at most so long, counted in time in which this process could have looked.
//!
//! A process that was stopped (SIGSTOP, a frozen cgroup, a host that gave it no processor) finds
//! that every deadline has passed at once, though nobody has looked in between. A release must not
//! fail for that. So a wait is cut into slices, and of each no more than twice its length counts.
//! Time in which the machine itself was suspended never counts: the clock behind this stands still.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// A wait has so many slices, unless that would make them shorter or longer than these two.
const SLICES: u32 = 20;
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// Waits so long.
pub async fn attended(limit: Duration) {
    let slice = (limit / SLICES).clamp(SHORTEST, LONGEST);
    let mut left = limit;
    while !left.is_zero() {
        let wanted = slice.min(left);
        let began = Instant::now();
        sleep(wanted).await;
        left = left.saturating_sub(began.elapsed().min(wanted * 2));
    }
}

/// Waits for work, at most so long. Where both are there at once, the work counts.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = attended(limit) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_as_long_as_it_was_asked_for() {
        for millis in [0, 1, 60, 1_000, 90_000] {
            let (limit, began) = (Duration::from_millis(millis), Instant::now());
            attended(limit).await;
            // A timer may be a millisecond late, once a slice.
            let took = began.elapsed();
            assert!(took >= limit && took <= limit + Duration::from_millis(100), "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_could_look_counts_for_a_slice_and_no_more() {
        let began = Instant::now();
        let waiting = tokio::spawn(attended(Duration::from_secs(10)));
        tokio::time::sleep(Duration::from_millis(2_100)).await;
        // As after a stop: half a minute has passed, and nothing ran in it.
        tokio::time::advance(Duration::from_secs(30)).await;
        waiting.await.unwrap();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(39_000), "{took:?}");
        assert!(took <= Duration::from_millis(40_200), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn work_that_is_done_counts_also_where_its_time_is_over() {
        assert_eq!(within(Duration::ZERO, ready(7)).await, Some(7));
        assert_eq!(within(Duration::from_millis(5), pending::<()>()).await, None);
    }
}
