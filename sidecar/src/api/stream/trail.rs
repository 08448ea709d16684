//! The audit log as it is written, without a row lost to a slow browser.

use std::collections::VecDeque;

use futures_util::stream::{self, Stream};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use vial_protocol::audit::Audit;
use vial_protocol::live::Live;
use vial_protocol::{Code, Problem};

use crate::api::audit::Trail;
use crate::store::{Store, StoreError};

/// So many rows are read at once where a browser was too slow for them.
const MOST: usize = 1000;

/// Each row after a number.
pub(super) fn rows(
    trail: &Trail,
    store: Store,
    after: u64,
) -> impl Stream<Item = Live> + Send + use<> {
    let (told, missed) = (trail.subscribe(), VecDeque::new());
    let rows = Rows { told, store, last: after, behind: true, missed };
    stream::unfold(Some(rows), |rows| async move {
        let mut rows = rows?;
        match rows.next().await {
            Ok(Some(row)) => Some((Live::Audit(row), Some(rows))),
            Ok(None) => None,
            Err(error) => {
                let what = format!("The audit log cannot be followed any more: {error}.");
                let problem = Problem::new(Code::Internal, what).next("`vial doctor`");
                Some((Live::Lost { app: String::new(), problem }, None))
            }
        }
    })
}

struct Rows {
    told: Receiver<Audit>,
    store: Store,
    /// The number of the row that was told last.
    last: u64,
    /// Whether the store has rows that were not told, and will not come again.
    behind: bool,
    /// Those, oldest first.
    missed: VecDeque<Audit>,
}

impl Rows {
    /// The next row; none where the daemon stops.
    async fn next(&mut self) -> Result<Option<Audit>, StoreError> {
        loop {
            if self.behind {
                self.missed = self.since().await?;
                self.behind = false;
            }
            let row = match self.missed.pop_front() {
                Some(row) => row,
                None => match self.told.recv().await {
                    Ok(row) => row,
                    Err(RecvError::Closed) => return Ok(None),
                    Err(RecvError::Lagged(_)) => {
                        self.behind = true;
                        continue;
                    }
                },
            };
            // A row that was read from the store may come once more.
            if row.number > self.last {
                self.last = row.number;
                return Ok(Some(row));
            }
        }
    }

    /// What the store has after the row that was told last.
    async fn since(&self) -> Result<VecDeque<Audit>, StoreError> {
        let mut rows = self.store.audit(None, None, MOST).await?;
        rows.retain(|row| row.number > self.last);
        rows.reverse();
        Ok(rows.into())
    }
}

/// The number of the newest row.
pub(super) async fn newest(store: &Store) -> Result<u64, StoreError> {
    let rows = store.audit(None, None, 1).await?;
    Ok(rows.first().map_or(0, |row| row.number))
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;
    use crate::store::audit::Entry;

    fn entry(action: String) -> Entry {
        Entry {
            actor: "ada".into(),
            by: None,
            from: None,
            action,
            app: None,
            detail: None,
            outcome: "ok".into(),
        }
    }

    #[tokio::test]
    async fn a_browser_that_is_too_slow_for_the_audit_log_is_told_each_row_once() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&home.path().join("vial.db")).unwrap();
        let trail = Trail::new(store.clone());
        trail.write(entry("before".into())).await;
        let after = newest(&store).await.unwrap();
        trail.write(entry("0".into())).await;
        let mut rows = Box::pin(rows(&trail, store, after));
        // More than wait for whoever watches.
        for number in 1..400 {
            trail.write(entry(number.to_string())).await;
        }
        for number in 0..400 {
            match rows.next().await.unwrap() {
                Live::Audit(row) => assert_eq!(row.action, number.to_string()),
                other => panic!("{other:?}"),
            }
        }
    }
}
