//! What was opened by a session or a token learns when that has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

/// No timer is set for longer: whether it has ended is asked again then.
const LONGEST: Duration = Duration::from_secs(3600);

/// By the id of a session or a token, what ends with it.
#[derive(Debug, Clone, Default)]
pub struct Endings(Arc<Mutex<HashMap<String, CancellationToken>>>);

impl Endings {
    /// What ends with a session or a token. `until` tells when that will be: at once where it has
    /// ended already.
    pub(super) fn of<F, T>(&self, id: &str, until: F) -> CancellationToken
    where
        F: Fn() -> T + Send + Sync + 'static,
        T: Future<Output = Option<Timestamp>> + Send,
    {
        let mut all = self.all();
        if let Some(token) = all.get(id) {
            return token.clone();
        }
        let token = CancellationToken::new();
        all.insert(id.to_owned(), token.clone());
        let (endings, id, watched) = (self.clone(), id.to_owned(), token.clone());
        tokio::spawn(async move {
            let over = async {
                while let Some(until) = until().await {
                    let left = until.duration_since(Timestamp::now());
                    let Ok(left) = Duration::try_from(left) else { return };
                    tokio::time::sleep((left + Duration::from_millis(10)).min(LONGEST)).await;
                }
            };
            tokio::select! {
                () = over => endings.end(&id),
                () = watched.cancelled() => {}
            }
        });
        token
    }

    /// Ends what was opened by it.
    pub(super) fn end(&self, id: &str) {
        let ended = self.all().remove(id);
        if let Some(token) = ended {
            token.cancel();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_open_ends_by_hand_by_time_and_where_it_had_ended_before() {
        let endings = Endings::default();
        let far = || async { Timestamp::now().checked_add(Duration::from_secs(900)).ok() };
        let token = endings.of("one", far);
        assert!(!endings.of("one", far).is_cancelled());
        endings.end("one");
        assert!(token.is_cancelled());
        assert!(!endings.of("one", far).is_cancelled(), "another that is opened later");

        endings.of("gone", || async { None }).cancelled().await;
        let soon = Timestamp::now() + Duration::from_millis(30);
        let over = move || async move { (soon > Timestamp::now()).then_some(soon) };
        endings.of("soon", over).cancelled().await;
        assert!(Timestamp::now() >= soon);
    }
}
