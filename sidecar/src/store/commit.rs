//! Writing a step's records, all or none.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use vial_protocol::{Problem, Slot, Status};

use super::record::{Began, Keep, Record};
use super::rows::json;
use super::{Store, StoreError, environment, outbox};
use crate::fault;

/// So many characters are said of a deployment's last step: what is kept for a rollback may be lost
/// again and again.
const REMARKS: i64 = 2000;
/// So many answers are kept at least.
const ANSWERS: i64 = 1000;

/// An answer to a request that may be repeated; committed with the records that the request caused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The caller's idempotency key.
    pub key: String,
    /// What was asked for, so that another request with the same key is noticed.
    pub request: String,
    /// The deployment that came of it.
    pub deployment: Option<u64>,
    /// What the caller was told.
    pub message: String,
}

impl Store {
    /// Commits a step's records, and the answer that goes with them, at `now`. Returns when they
    /// are on the disk.
    ///
    /// # Errors
    /// Where nothing of it was written.
    pub async fn commit(
        &self,
        app: &str,
        records: Vec<Record>,
        answer: Option<Answer>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if records.is_empty() && answer.is_none() {
            return Ok(());
        }
        let app = app.to_owned();
        let names = names(&records);
        let grows = outbox::grows(&records);
        fault::point(|| format!("journal: before {names}"));
        self.run(move |connection| commit(connection, &app, &records, answer.as_ref(), now))
            .await?;
        fault::point(|| format!("journal: after {names}"));
        if grows {
            self.outbox_grew();
        }
        Ok(())
    }
}

/// What a step's records are called at a fault's point: `Entered starting, SlotChosen`.
fn names(records: &[Record]) -> String {
    let name = |record: &Record| match record {
        Record::Entered { status, .. } | Record::Ended { status, .. } => {
            format!("{} {status}", fault::name_of(record))
        }
        _ => fault::name_of(record),
    };
    records.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn commit(
    connection: &mut Connection,
    app: &str,
    records: &[Record],
    answer: Option<&Answer>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let now = now.as_millisecond();
    for record in records {
        write(&transaction, app, record, now)?;
    }
    if let Some(answer) = answer {
        transaction
            .prepare_cached(
                "insert into answers (app, key, request, deployment, message, given_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                app,
                answer.key,
                answer.request,
                answer.deployment,
                answer.message,
                now
            ])?;
        // A key is for one press of a button: a day is long enough to repeat it. The newest stay
        // whatever the clock says, which may have been set forward a moment ago.
        transaction
            .prepare_cached(
                "delete from answers where given_at < min(?1, \
                 (select given_at from answers order by given_at desc limit 1 offset ?2))",
            )?
            .execute([now - 86_400_000, ANSWERS])?;
    }
    transaction.commit()?;
    Ok(())
}

fn write(tx: &Transaction<'_>, app: &str, record: &Record, now: i64) -> Result<(), StoreError> {
    match record {
        Record::Began(began) => insert_deployment(tx, app, began, now)?,
        Record::Entered { number, status } => enter(tx, app, *number, *status, now)?,
        Record::Noted { number, outcome } => {
            tx.prepare_cached(
                "update steps set outcome = ?3 where app = ?1 and deployment = ?2 \
                 and ended_at is null",
            )?
            .execute(params![app, number, outcome])?;
        }
        Record::Migrated { number, applied } => {
            tx.prepare_cached(
                "update deployments set applied = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, json(applied)?])?;
        }
        Record::Reverted { number, moved } => {
            tx.prepare_cached(
                "update deployments set reverted = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, json(moved)?])?;
        }
        Record::Failing { number, error } => set_error(tx, app, *number, error.as_ref())?,
        Record::CommitChosen { number, commit } => {
            tx.prepare_cached(
                "update deployments set built_commit = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, json(commit)?])?;
        }
        Record::ReleaseChosen { number, release } => {
            tx.prepare_cached(
                "update deployments set release = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, release])?;
        }
        Record::SlotChosen { number, slot, replaces } => {
            tx.prepare_cached(
                "update deployments set slot = ?3, replaces = ?4 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, slot.as_str(), replaces])?;
        }
        Record::WentLive { number, slot } => {
            tx.prepare_cached(
                "update deployments set live_at = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, now])?;
            tx.prepare_cached("update apps set active = ?2, serving = ?3 where name = ?1")?
                .execute(params![app, slot.as_str(), number])?;
        }
        Record::Ended { number, status, error } => {
            end(tx, app, *number, *status, error.as_ref(), now)?;
        }
        Record::Settled { number, took_back } => settle(tx, app, *number, *took_back)?,
        Record::EnvironmentChosen { number, environment } => {
            tx.prepare_cached(
                "update deployments set environment = ?3 where app = ?1 and number = ?2",
            )?
            .execute(params![app, number, environment])?;
        }
        Record::EnvironmentChanged(change) => environment::change(tx, app, change, now)?,
        Record::SlotFilled { slot, release, environment, fresh } => {
            tx.prepare_cached(
                "insert into slots (app, slot, release, environment, fresh) \
                 values (?1, ?2, ?3, ?4, ?5) \
                 on conflict (app, slot) do update set release = excluded.release, \
                 environment = excluded.environment, fresh = excluded.fresh, speaks = 0",
            )?
            .execute(params![app, slot.as_str(), release, environment, fresh])?;
        }
        Record::Standby { slot, kept } => set_standby(tx, app, *slot, kept.as_ref(), now)?,
        Record::Works(slot) => {
            tx.prepare_cached("update apps set works = ?2 where name = ?1")?
                .execute(params![app, slot.map(Slot::as_str)])?;
        }
        Record::Speaks { slot } => {
            tx.prepare_cached("update slots set speaks = 1 where app = ?1 and slot = ?2")?
                .execute(params![app, slot.as_str()])?;
        }
        Record::Remarked { number, outcome } => {
            tx.prepare_cached(
                "update steps set outcome = coalesce(outcome || ' ', '') || ?3 \
                 where app = ?1 and deployment = ?2 and length(coalesce(outcome, '')) < ?4 \
                 and position = (select max(position) from steps \
                                 where app = ?1 and deployment = ?2)",
            )?
            .execute(params![app, number, outcome, REMARKS])?;
        }
        Record::Stopping { run } => {
            tx.prepare_cached(
                "insert into stops (app, run) values (?1, ?2) on conflict do nothing",
            )?
            .execute(params![app, run])?;
        }
        Record::Wanted(desired) => {
            tx.prepare_cached("update apps set desired = ?2 where name = ?1")?
                .execute(params![app, desired.as_str()])?;
        }
        Record::ClockHeld(anchor) => {
            tx.prepare_cached(
                "insert into settings (key, value) values (?1, ?2) \
                 on conflict (key) do update set value = excluded.value",
            )?
            .execute(params![clock_key(app), json(anchor)?])?;
        }
        Record::Noticed(notice) => outbox::put(tx, app, notice, now)?,
    }
    Ok(())
}

/// Where an app's anchor is among the settings.
pub(super) fn clock_key(app: &str) -> String {
    format!("clock of {app}")
}

fn insert_deployment(
    tx: &Transaction<'_>,
    app: &str,
    began: &Began,
    now: i64,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into deployments (app, number, kind, status, release, actor, reason, queued_at, \
         reverts, build) values (?1, ?2, ?3, 'queued', ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        app,
        began.number,
        began.kind.as_str(),
        began.release,
        began.actor,
        began.reason,
        now,
        json(&began.reverts)?,
        began.build.as_ref().map(json).transpose()?
    ])?;
    Ok(())
}

fn enter(
    tx: &Transaction<'_>,
    app: &str,
    number: u64,
    status: Status,
    now: i64,
) -> Result<(), StoreError> {
    close_step(tx, app, number, now)?;
    tx.prepare_cached(
        "insert into steps (app, deployment, position, status, started_at) \
         select ?1, ?2, count(*), ?3, ?4 from steps where app = ?1 and deployment = ?2",
    )?
    .execute(params![app, number, status.as_str(), now])?;
    set_status(tx, app, number, status)
}

fn end(
    tx: &Transaction<'_>,
    app: &str,
    number: u64,
    status: Status,
    error: Option<&Problem>,
    now: i64,
) -> Result<(), StoreError> {
    close_step(tx, app, number, now)?;
    set_error(tx, app, number, error)?;
    tx.prepare_cached("update deployments set ended_at = ?3 where app = ?1 and number = ?2")?
        .execute(params![app, number, now])?;
    set_status(tx, app, number, status)
}

fn set_error(
    tx: &Transaction<'_>,
    app: &str,
    number: u64,
    error: Option<&Problem>,
) -> Result<(), StoreError> {
    let error = error.map(json).transpose()?;
    tx.prepare_cached("update deployments set error = ?3 where app = ?1 and number = ?2")?
        .execute(params![app, number, error])?;
    Ok(())
}

fn settle(
    tx: &Transaction<'_>,
    app: &str,
    number: u64,
    took_back: Option<u64>,
) -> Result<(), StoreError> {
    if let Some(left) = took_back {
        tx.prepare_cached(
            "update deployments set status = 'rolled_back', rolled_back_by = ?3 \
             where app = ?1 and number = ?2",
        )?
        .execute(params![app, left, number])?;
    }
    tx.prepare_cached(SUPERSEDE)?.execute(params![app, number])?;
    Ok(())
}

/// The list is that of the index, word for word: SQLite does not see otherwise that the index will do,
/// and would read every deployment that the app ever had.
const SUPERSEDE: &str = "update deployments indexed by deployments_in_progress \
     set status = 'superseded' where app = ?1 and number < ?2 and status = 'succeeded' \
     and status in ('queued', 'building', 'unpacking', 'migrating', 'starting', 'reverting', \
                    'verifying', 'restoring', 'switching', 'draining', 'baking', 'succeeded')";

/// What is said again of a slot that is so already changes when it ends, not since when it is so.
fn set_standby(
    tx: &Transaction<'_>,
    app: &str,
    slot: Slot,
    kept: Option<&Keep>,
    now: i64,
) -> Result<(), StoreError> {
    let Some(Keep { mode, lasts, ready }) = kept else {
        tx.prepare_cached(
            "update slots set standby = null, standby_ready = 0, standby_since = null, \
             standby_ms = null where app = ?1 and slot = ?2",
        )?
        .execute(params![app, slot.as_str()])?;
        return Ok(());
    };
    let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "insert into slots (app, slot, standby, standby_ready, standby_since, standby_ms) \
         values (?1, ?2, ?3, ?4, ?5, ?6) \
         on conflict (app, slot) do update set \
         standby_ms = ?5 + ?6 - case when standby is ?3 and standby_ready = ?4 \
                                     then standby_since else ?5 end, \
         standby_since = case when standby is ?3 and standby_ready = ?4 \
                              then standby_since else ?5 end, \
         standby = ?3, standby_ready = ?4",
    )?
    .execute(params![app, slot.as_str(), mode.as_str(), ready, now, lasts])?;
    Ok(())
}

fn set_status(
    tx: &Transaction<'_>,
    app: &str,
    number: u64,
    status: Status,
) -> Result<(), StoreError> {
    tx.prepare_cached("update deployments set status = ?3 where app = ?1 and number = ?2")?
        .execute(params![app, number, status.as_str()])?;
    Ok(())
}

fn close_step(tx: &Transaction<'_>, app: &str, number: u64, now: i64) -> Result<(), StoreError> {
    tx.prepare_cached(
        "update steps set ended_at = ?3 where app = ?1 and deployment = ?2 and ended_at is null",
    )?
    .execute(params![app, number, now])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema::MIGRATIONS;

    #[test]
    fn a_deployment_that_settles_does_not_read_all_that_were_before_it() {
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.to_latest(&mut connection).unwrap();
        let plan: String = connection
            .query_row(&format!("explain query plan {SUPERSEDE}"), params!["shop", 9], |row| {
                row.get(3)
            })
            .unwrap();
        assert!(plan.contains("deployments_in_progress (app=? AND status=?"), "{plan}");
    }
}
