//! Whether something that many share can be asked: what one of them was told counts for the others.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// For how long an answer shows that it can be asked. No multiple of the intervals at which it is.
const RECENTLY: Duration = Duration::from_secs(7);
/// And for how long a failure counts: who mends it wants to see that.
const FAILED_RECENTLY: Duration = Duration::from_secs(1);

/// What is known of it, `E` being why it could not be asked.
#[derive(Debug)]
pub(super) struct Asked<E> {
    /// One at a time: the others are told what it was told.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Option<(Instant, Result<(), E>)>>,
}

impl<E: Clone> Asked<E> {
    /// Nothing yet.
    pub(super) fn new() -> Asked<E> {
        Asked { turn: tokio::sync::Mutex::default(), last: Mutex::new(None) }
    }

    /// It was asked, with this outcome.
    pub(super) fn note(&self, outcome: Result<(), E>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), outcome));
    }

    /// The last outcome, or, where that is no news, what `ask` brings, which notes it.
    pub(super) async fn unless_recently(
        &self,
        ask: impl AsyncFnOnce() -> Result<(), E>,
    ) -> Result<(), E> {
        if let Some(outcome) = self.recent() {
            return outcome;
        }
        let _turn = self.turn.lock().await;
        match self.recent() {
            Some(outcome) => outcome,
            None => ask().await,
        }
    }

    fn recent(&self) -> Option<Result<(), E>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, outcome) = last.as_ref()?;
        let counts = if outcome.is_ok() { RECENTLY } else { FAILED_RECENTLY };
        (at.elapsed() <= counts).then(|| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_a_hundred_who_want_to_know_at_once_one_asks() {
        let asked = Asked::<&str>::new();
        let times = AtomicUsize::new(0);
        let know = || {
            asked.unless_recently(async || {
                times.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
                asked.note(Ok(()));
                Ok(())
            })
        };
        assert!(join_all((0..100).map(|_| know())).await.iter().all(Result::is_ok));
        tokio::time::sleep(RECENTLY).await;
        assert!(know().await.is_ok());
        assert_eq!(times.load(Ordering::Relaxed), 1);
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(know().await.is_ok());
        assert_eq!(times.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_fails_after_it_answered_is_known_to_fail_until_it_answers() {
        let asked = Asked::<&str>::new();
        asked.note(Ok(()));
        asked.note(Err("connection refused"));
        let unasked = async || panic!("it was asked a moment ago");
        assert_eq!(asked.unless_recently(unasked).await, Err("connection refused"));
        tokio::time::sleep(FAILED_RECENTLY + Duration::from_millis(1)).await;
        assert_eq!(asked.unless_recently(async || Ok(())).await, Ok(()));
    }
}
