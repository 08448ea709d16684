//! Programs of a release that were run beside its slots: written before they may act, closed when
//! they ended, so that the next daemon finds what still runs.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};

use super::{Store, StoreError};
use crate::fault;

/// A closed row is for whoever asks what ran; nobody asks after a month.
const KEPT: i64 = 30 * 86_400_000;

/// A program that is about to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperRow {
    /// What for, in one word: `migrate`, `rpc`.
    pub purpose: String,
    /// The deployment that it belongs to, where it is a step of one.
    pub deployment: Option<u64>,
    /// Marks everything that it starts.
    pub marker: String,
    /// Its process: meaningful only together with the two below.
    pub pid: u32,
    /// When the kernel says that it started, in clock ticks since boot.
    pub start_ticks: u64,
    /// The boot that this was in.
    pub boot_id: String,
}

/// A program that was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptHelper {
    /// Its row.
    pub id: i64,
    /// What it was.
    pub row: HelperRow,
    /// How it ended; absent where that is not known.
    pub ending: Option<String>,
}

const COLUMNS: &str =
    "select id, purpose, deployment, marker, pid, start_ticks, boot_id, ending from helpers";

impl Store {
    /// Writes down a program before it is let go. The number of its row.
    ///
    /// # Errors
    /// Where it was not written: then it must not be let go.
    pub async fn helper_started(
        &self,
        app: &str,
        helper: HelperRow,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        let app = app.to_owned();
        fault::point(|| "journal: before helper started".into());
        let written = self
            .run(move |connection| {
                connection
                    .prepare_cached(
                        "insert into helpers (app, purpose, deployment, marker, pid, start_ticks, \
                     boot_id, started_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        app,
                        helper.purpose,
                        helper.deployment,
                        helper.marker,
                        helper.pid,
                        helper.start_ticks,
                        helper.boot_id,
                        now.as_millisecond()
                    ])?;
                Ok(connection.last_insert_rowid())
            })
            .await;
        fault::point(|| "journal: after helper started".into());
        written
    }

    /// Writes down how a program ended.
    ///
    /// # Errors
    /// Where it was not written; the next start of the daemon finds out by itself.
    pub async fn helper_ended(
        &self,
        id: i64,
        ending: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ending = ending.to_owned();
        fault::point(|| "journal: before helper ended".into());
        let written = self
            .run(move |connection| {
                let transaction = connection.transaction()?;
                transaction
                    .prepare_cached(
                        "update helpers set ended_at = ?2, ending = ?3 \
                     where id = ?1 and ended_at is null",
                    )?
                    .execute(params![id, now.as_millisecond(), ending])?;
                transaction
                    // A repository may be asked for its tip each minute: nobody asks for those.
                    .prepare_cached(
                        "delete from helpers where ended_at < ?1 or (id = ?2 and purpose = 'tip')",
                    )?
                    .execute([now.as_millisecond() - KEPT, id])?;
                transaction.commit()?;
                Ok(())
            })
            .await;
        fault::point(|| "journal: after helper ended".into());
        written
    }

    /// The programs of an app that are not known to have ended.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn open_helpers(&self, app: &str) -> Result<Vec<KeptHelper>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "{COLUMNS} where app = ?1 and ended_at is null order by id"
            ))?;
            let found = statement.query_map([&app], kept)?;
            Ok(found.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The last program that a deployment ran for a purpose.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn last_helper(
        &self,
        app: &str,
        deployment: u64,
        purpose: &'static str,
    ) -> Result<Option<KeptHelper>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(&format!(
                "{COLUMNS} where app = ?1 and deployment = ?2 and purpose = ?3 \
                 order by id desc limit 1"
            ))?;
            Ok(statement.query_row(params![app, deployment, purpose], kept).optional()?)
        })
        .await
    }
}

fn kept(row: &Row<'_>) -> Result<KeptHelper, rusqlite::Error> {
    Ok(KeptHelper {
        id: row.get(0)?,
        row: HelperRow {
            purpose: row.get(1)?,
            deployment: row.get(2)?,
            marker: row.get(3)?,
            pid: row.get(4)?,
            start_ticks: row.get(5)?,
            boot_id: row.get(6)?,
        },
        ending: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(purpose: &str, deployment: Option<u64>) -> HelperRow {
        HelperRow {
            purpose: purpose.into(),
            deployment,
            marker: "id.shop.0.1".into(),
            pid: 41,
            start_ticks: 7,
            boot_id: "boot".into(),
        }
    }

    #[tokio::test]
    async fn a_program_is_open_until_it_is_closed_and_is_found_by_its_deployment_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        store.load("shop", 1).await.unwrap();
        let now = Timestamp::now();
        let migrate = store.helper_started("shop", row("migrate", Some(3)), now).await.unwrap();
        let rpc = store.helper_started("shop", row("rpc", None), now).await.unwrap();
        let open = store.open_helpers("shop").await.unwrap();
        assert_eq!(open.iter().map(|it| it.id).collect::<Vec<_>>(), [migrate, rpc]);
        assert_eq!(open[0].row, row("migrate", Some(3)));
        store.helper_ended(migrate, "exited with status 0", now).await.unwrap();
        store.helper_ended(migrate, "another story", now).await.unwrap();
        assert_eq!(store.open_helpers("shop").await.unwrap().len(), 1);
        let last = store.last_helper("shop", 3, "migrate").await.unwrap().unwrap();
        assert_eq!(last.ending.as_deref(), Some("exited with status 0"));
        assert_eq!(store.last_helper("shop", 4, "migrate").await.unwrap(), None);
        assert_eq!(store.last_helper("shop", 3, "revert").await.unwrap(), None);
    }

    #[tokio::test]
    async fn closed_rows_go_after_a_month_and_open_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        store.load("shop", 1).await.unwrap();
        let start = Timestamp::from_millisecond(0).unwrap();
        let old = store.helper_started("shop", row("migrate", Some(1)), start).await.unwrap();
        let open = store.helper_started("shop", row("console", None), start).await.unwrap();
        store.helper_ended(old, "exited with status 0", start).await.unwrap();
        let new = store.helper_started("shop", row("migrate", Some(2)), start).await.unwrap();
        let later = Timestamp::from_millisecond(KEPT + 1).unwrap();
        store.helper_ended(new, "exited with status 0", later).await.unwrap();
        assert_eq!(store.last_helper("shop", 1, "migrate").await.unwrap(), None);
        assert!(store.last_helper("shop", 2, "migrate").await.unwrap().is_some());
        assert_eq!(store.open_helpers("shop").await.unwrap()[0].id, open);
    }
}
