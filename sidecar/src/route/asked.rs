//! Whether Caddy's admin endpoints can be asked: what one app was told counts for the others.
//!
//! The apps of a host share an endpoint, and each of them wants to know that at the same moment. What it
//! tells grows with their number, and so would what each of a hundred costs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::address::Address;
use super::admin::AdminError;

/// For how long an answer shows that it can be asked. No multiple of the intervals at which it is.
const RECENTLY: Duration = Duration::from_secs(7);
/// And for how long a failure counts: who mends it wants to see that.
const FAILED_RECENTLY: Duration = Duration::from_secs(1);

type Outcome = Result<(), AdminError>;

static ALL: Mutex<Vec<(Address, Arc<Asked>)>> = Mutex::new(Vec::new());

/// What is known of one endpoint.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// One at a time: the others are told what it was told.
    turn: tokio::sync::Mutex<()>,
    last: Mutex<Option<(Instant, Outcome)>>,
}

impl Asked {
    /// What is known of this one, by whoever asks it.
    pub(super) fn of(address: &Address) -> Arc<Asked> {
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, asked)) = all.iter().find(|(known, _)| known == address) {
            return asked.clone();
        }
        let asked = Arc::<Asked>::default();
        all.push((address.clone(), asked.clone()));
        asked
    }

    /// It was asked, with this outcome.
    pub(super) fn note(&self, outcome: Outcome) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), outcome));
    }

    /// The last outcome, or, where that is no news, what `ask` brings, which notes it.
    pub(super) async fn unless_recently(&self, ask: impl AsyncFnOnce() -> Outcome) -> Outcome {
        if let Some(outcome) = self.recent() {
            return outcome;
        }
        let _turn = self.turn.lock().await;
        match self.recent() {
            Some(outcome) => outcome,
            None => ask().await,
        }
    }

    fn recent(&self) -> Option<Outcome> {
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
        let asked = Asked::default();
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
        let asked = Asked::default();
        asked.note(Ok(()));
        let down = || AdminError::Down("connection refused".into());
        asked.note(Err(down()));
        let unasked = async || panic!("it was asked a moment ago");
        assert_eq!(asked.unless_recently(unasked).await, Err(down()));
        tokio::time::sleep(FAILED_RECENTLY + Duration::from_millis(1)).await;
        assert_eq!(asked.unless_recently(async || Ok(())).await, Ok(()));
    }

    #[test]
    fn each_endpoint_is_known_once() {
        let address = |port: u16| format!("127.0.0.1:{port}").parse::<Address>().unwrap();
        let (one, same, other) =
            (Asked::of(&address(1)), Asked::of(&address(1)), Asked::of(&address(2)));
        assert!(Arc::ptr_eq(&one, &same) && !Arc::ptr_eq(&one, &other));
    }
}
