//! What others are to be told: written with the records that cause it, and kept until it is.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use vial_protocol::notification::Notification;

use super::record::Notice;
use super::rows::{at, deployments, json};
use super::{Store, StoreError, rows};
use crate::fault;

/// How long one that was given up can still be seen.
const GIVEN_UP_FOR: i64 = 7 * 86_400_000;

/// One notification for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its row.
    pub row: u64,
    /// The app.
    pub app: String,
    /// The target's name in the configuration.
    pub target: String,
    /// What is told, as JSON: the same bytes at each attempt.
    pub payload: String,
    /// When it happened.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried next.
    pub next_at: Timestamp,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// How an attempt to deliver one went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// It was taken.
    Delivered,
    /// Its target is not configured any more.
    Dropped,
    /// It failed, and is tried again then.
    Failed {
        /// Why. Never holds the target's address.
        error: String,
        /// When it is tried again; absent: it was given up.
        next_at: Option<Timestamp>,
    },
}

/// How one target is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The app.
    pub app: String,
    /// The target.
    pub target: String,
    /// How many wait that have failed at least once.
    pub waiting: u64,
    /// How many were given up in the last week.
    pub given_up: u64,
    /// Since when the oldest of these has waited.
    pub since: Timestamp,
    /// The most attempts that any had.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: String,
}

/// Puts a notice into the outbox, within the transaction of what causes it.
pub(super) fn put(
    tx: &Transaction<'_>,
    app: &str,
    notice: &Notice,
    now: i64,
) -> Result<(), StoreError> {
    let Some(mut deployment) = deployments(tx, app, notice.number.checked_add(1), 1)?.pop() else {
        return Ok(());
    };
    deployment.steps = rows::steps(tx, app, deployment.number)?;
    // What an app wrote may hold anything; who wants to read it asks the daemon.
    if let Some(error) = &mut deployment.error {
        error.log.clear();
        error.plan = None;
    }
    let notification = Notification {
        id: notice.id(app, now),
        occasion: notice.occasion,
        app: app.to_owned(),
        host: notice.host.clone(),
        at: at(now)?,
        message: notice.message.clone(),
        deployment,
    };
    let payload = json(&notification)?;
    for target in &notice.targets {
        tx.prepare_cached(
            "insert into outbox (app, target, payload, made_at, next_at) \
             values (?1, ?2, ?3, ?4, ?4)",
        )?
        .execute(params![app, target, payload, now])?;
    }
    Ok(())
}

impl Notice {
    /// The same for each target and each attempt, and another for everything else.
    fn id(&self, app: &str, now: i64) -> String {
        format!("{}.{app}.{}.{}.{now}", self.origin, self.number, self.occasion.as_str())
    }
}

impl Store {
    /// What is to be delivered by then, oldest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn outbox_due(&self, now: Timestamp) -> Result<Vec<Waiting>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select row, app, target, payload, made_at, attempts, next_at, error from outbox \
                 where given_up_at is null and next_at <= ?1 order by row limit 256",
            )?;
            let mut rows = statement.query([now.as_millisecond()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(Waiting {
                    row: row.get(0)?,
                    app: row.get(1)?,
                    target: row.get(2)?,
                    payload: row.get(3)?,
                    made_at: at(row.get(4)?)?,
                    attempts: row.get(5)?,
                    next_at: at(row.get(6)?)?,
                    error: row.get(7)?,
                });
            }
            Ok(found)
        })
        .await
    }

    /// When something is to be delivered next.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn outbox_next(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(|connection| {
            let next: Option<i64> = connection
                .prepare_cached("select min(next_at) from outbox where given_up_at is null")?
                .query_row([], |row| row.get(0))?;
            rows::at_some(next)
        })
        .await
    }

    /// Writes down how an attempt went.
    ///
    /// # Errors
    /// Where it was not written: then it is made again, which the receiver knows by the id.
    pub async fn outbox_tried(
        &self,
        row: u64,
        attempt: Attempt,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        fault::point(|| "journal: before a notification was delivered".into());
        self.run(move |connection| tried(connection, row, &attempt, now)).await
    }

    /// The targets that something waits for because it failed, or was given up.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn outbox_stuck(&self) -> Result<Vec<Stuck>, StoreError> {
        self.run(|connection| stuck(connection)).await
    }
}

fn tried(
    connection: &mut Connection,
    row: u64,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<(), StoreError> {
    let now = now.as_millisecond();
    match attempt {
        Attempt::Delivered => {
            let tx = connection.transaction()?;
            let target: Result<(String, String), _> = tx
                .prepare_cached("delete from outbox where row = ?1 returning app, target")?
                .query_row([row], |row| Ok((row.get(0)?, row.get(1)?)));
            // The target is well again: what it missed is in the history, and no trouble any more.
            if let Ok((app, target)) = target {
                tx.prepare_cached(
                    "delete from outbox where app = ?1 and target = ?2 and given_up_at is not null",
                )?
                .execute(params![app, target])?;
            }
            tx.commit()?;
        }
        Attempt::Dropped => {
            connection.prepare_cached("delete from outbox where row = ?1")?.execute([row])?;
        }
        Attempt::Failed { error, next_at } => {
            connection
                .prepare_cached(
                    "update outbox set attempts = attempts + 1, error = ?2, \
                     next_at = coalesce(?3, next_at), \
                     given_up_at = case when ?3 is null then ?4 end where row = ?1",
                )?
                .execute(params![row, error, next_at.map(Timestamp::as_millisecond), now])?;
            connection
                .prepare_cached("delete from outbox where given_up_at < ?1")?
                .execute([now - GIVEN_UP_FOR])?;
        }
    }
    Ok(())
}

/// As [`Store::outbox_stuck`], for whoever has opened the database by themselves.
pub(super) fn stuck(connection: &Connection) -> Result<Vec<Stuck>, StoreError> {
    // Of a bare column beside max(), SQLite takes the row that has it.
    let mut statement = connection.prepare_cached(
        "select app, target, sum(given_up_at is null), sum(given_up_at is not null), \
         min(made_at), max(attempts), error from outbox where attempts > 0 \
         group by app, target order by app, target",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Stuck {
            app: row.get(0)?,
            target: row.get(1)?,
            waiting: row.get(2)?,
            given_up: row.get(3)?,
            since: at(row.get(4)?)?,
            attempts: row.get(5)?,
            error: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
        });
    }
    Ok(found)
}

/// Whether a step's records put something into the outbox.
pub(super) fn grows(records: &[super::record::Record]) -> bool {
    records.iter().any(|it| matches!(it, super::record::Record::Noticed(_)))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use vial_protocol::notification::Occasion;
    use vial_protocol::{Code, Kind, Problem, Status};

    use super::super::record::{Began, Record};
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn later(seconds: i64) -> Timestamp {
        NOW.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    fn began(number: u64) -> Record {
        Record::Began(Began {
            number,
            kind: Kind::Deploy,
            release: None,
            actor: "anna".into(),
            reason: None,
            reverts: Vec::new(),
            build: None,
        })
    }

    fn failed(number: u64, targets: &[&str]) -> Vec<Record> {
        let mut error = Problem::new(Code::Exited, "it exited").log(vec!["PLANTED".into()]);
        error.next = Some("look".into());
        let notice = Notice {
            occasion: Occasion::Failed,
            number,
            message: "it failed".into(),
            targets: targets.iter().map(|it| (*it).to_owned()).collect(),
            origin: "abc".into(),
            host: "www1".into(),
        };
        let ended = Record::Ended { number, status: Status::Failed, error: Some(error) };
        vec![ended, Record::Noticed(notice)]
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        store.load("shop", 1).await.unwrap();
        store.commit("shop", vec![began(1)], None, NOW).await.unwrap();
        (folder, store)
    }

    #[tokio::test]
    async fn what_is_told_is_the_deployment_as_the_same_step_left_it_and_no_line_of_a_log() {
        let (_folder, store) = store().await;
        store.commit("shop", failed(1, &["audit", "team"]), None, later(1)).await.unwrap();
        let due = store.outbox_due(later(1)).await.unwrap();
        assert_eq!(due.iter().map(|it| it.target.as_str()).collect::<Vec<_>>(), ["audit", "team"]);
        assert_eq!(due[0].payload, due[1].payload);
        assert!(!due[0].payload.contains("PLANTED"));
        let told: Notification = serde_json::from_str(&due[0].payload).unwrap();
        assert_eq!(told.id, "abc.shop.1.failed.1000");
        assert_eq!((told.deployment.status, told.at), (Status::Failed, later(1)));
        assert_eq!(told.deployment.error.unwrap().message, "it exited");
    }

    #[tokio::test]
    async fn a_step_that_was_not_written_tells_nothing() {
        let (_folder, store) = store().await;
        let mut records = failed(1, &["audit"]);
        // There is such a deployment already.
        records.push(began(1));
        store.commit("shop", records, None, NOW).await.unwrap_err();
        assert_eq!(store.outbox_due(later(1)).await.unwrap(), []);
        assert_eq!(store.deployment("shop", 1).await.unwrap().unwrap().status, Status::Queued);
    }

    #[tokio::test]
    async fn what_failed_waits_for_its_time_and_can_be_seen_until_its_target_is_well() {
        let (_folder, store) = store().await;
        store.commit("shop", failed(1, &["audit"]), None, NOW).await.unwrap();
        let row = store.outbox_due(NOW).await.unwrap()[0].row;
        assert_eq!(store.outbox_stuck().await.unwrap(), [], "nothing was tried yet");
        let again = |next_at| Attempt::Failed { error: "it is away".into(), next_at };
        store.outbox_tried(row, again(Some(later(5))), NOW).await.unwrap();
        assert_eq!(store.outbox_due(later(4)).await.unwrap(), []);
        assert_eq!(store.outbox_next().await.unwrap(), Some(later(5)));
        assert_eq!(store.outbox_due(later(5)).await.unwrap()[0].attempts, 1);
        store.outbox_tried(row, again(None), later(6)).await.unwrap();
        assert_eq!(store.outbox_next().await.unwrap(), None, "it was given up");
        let stuck = store.outbox_stuck().await.unwrap();
        assert_eq!((stuck[0].waiting, stuck[0].given_up, stuck[0].attempts), (0, 1, 2));
        assert_eq!(stuck[0].error, "it is away");
        store.commit("shop", vec![began(2)], None, NOW).await.unwrap();
        store.commit("shop", failed(2, &["audit"]), None, later(7)).await.unwrap();
        let row = store.outbox_due(later(7)).await.unwrap()[0].row;
        store.outbox_tried(row, Attempt::Delivered, later(8)).await.unwrap();
        assert_eq!(store.outbox_stuck().await.unwrap(), []);
    }
}
