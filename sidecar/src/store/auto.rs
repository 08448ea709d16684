//! Auto-deploy: whether it is on, and the pushes that were told of.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::rows::at_some;
use super::{Store, StoreError};
use crate::fault;

/// So many marks of deliveries are kept of each app at least.
const MARKS: i64 = 1000;
/// And all of the last 30 days: no forge sends a delivery again that late.
const MARKS_FOR: i64 = 30 * 86_400_000;

/// What is kept of an app's auto-deploy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whether a person wants it on or off; absent: as the configuration says.
    pub wanted: Option<bool>,
    /// Who said so.
    pub set_by: Option<String>,
    /// When a push was told of that nobody has looked at yet.
    pub pushed_at: Option<Timestamp>,
    /// The commit that was deployed by itself last, or tried to be.
    pub tried: Option<Tried>,
}

/// A commit that was deployed by itself, or tried to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its full hash.
    pub commit: String,
    /// The deployment that came of it.
    pub deployment: u64,
}

impl Store {
    /// What is kept of an app's auto-deploy.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn auto_deploy(&self, app: &str) -> Result<Kept, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select wanted, set_by, pushed_at, tried, tried_as from auto_deploy where app = ?1",
            )?;
            let mut rows = statement.query([&app])?;
            let Some(row) = rows.next()? else { return Ok(Kept::default()) };
            let tried: Option<String> = row.get(3)?;
            let tried_as: Option<u64> = row.get(4)?;
            Ok(Kept {
                wanted: row.get(0)?,
                set_by: row.get(1)?,
                pushed_at: at_some(row.get(2)?)?,
                tried: tried.zip(tried_as).map(|(commit, deployment)| Tried { commit, deployment }),
            })
        })
        .await
    }

    /// Keeps whether a person wants it on.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn want_auto_deploy(
        &self,
        app: &str,
        on: bool,
        actor: &str,
    ) -> Result<(), StoreError> {
        let (app, actor) = (app.to_owned(), actor.to_owned());
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "insert into auto_deploy (app, wanted, set_by) values (?1, ?2, ?3) \
                     on conflict (app) do update set wanted = excluded.wanted, \
                     set_by = excluded.set_by",
                )?
                .execute(params![app, on, actor])?;
            Ok(())
        })
        .await
    }

    /// Keeps that a push was told of, and what marks the delivery, together: after a crash either
    /// both are known or the forge sends it again. Whether it is new: a replay changes nothing.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn pushed(
        &self,
        app: &str,
        marks: Vec<String>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let app = app.to_owned();
        fault::point(|| "journal: before pushed".into());
        let new = self.run(move |connection| pushed(connection, &app, &marks, now)).await;
        fault::point(|| "journal: after pushed".into());
        new
    }

    /// Keeps that the push that was told of by `told` was looked at. One that came later waits on.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn looked_at_push(&self, app: &str, told: Timestamp) -> Result<(), StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "update auto_deploy set pushed_at = null where app = ?1 and pushed_at <= ?2",
                )?
                .execute(params![app, told.as_millisecond()])?;
            Ok(())
        })
        .await
    }

    /// Keeps which commit was deployed by itself, or tried to be.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn tried_to_deploy(&self, app: &str, tried: Tried) -> Result<(), StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "insert into auto_deploy (app, tried, tried_as) values (?1, ?2, ?3) \
                     on conflict (app) do update set tried = excluded.tried, \
                     tried_as = excluded.tried_as",
                )?
                .execute(params![app, tried.commit, tried.deployment])?;
            Ok(())
        })
        .await
    }
}

fn pushed(
    connection: &mut Connection,
    app: &str,
    marks: &[String],
    now: Timestamp,
) -> Result<bool, StoreError> {
    let now = now.as_millisecond();
    let tx = connection.transaction()?;
    let mut known = 0;
    for mark in marks {
        let added = tx
            .prepare_cached(
                "insert into deliveries (app, mark, came_at) values (?1, ?2, ?3) \
                 on conflict do nothing",
            )?
            .execute(params![app, mark, now])?;
        known += 1 - added;
    }
    if known > 0 {
        // What is new of its marks stays: a third time is known by those, too.
        tx.commit()?;
        return Ok(false);
    }
    tx.prepare_cached(
        "insert into auto_deploy (app, pushed_at) values (?1, ?2) \
         on conflict (app) do update set pushed_at = excluded.pushed_at",
    )?
    .execute(params![app, now])?;
    // The newest stay whatever the clock says, which may have been set forward a moment ago.
    tx.prepare_cached(
        "delete from deliveries where app = ?1 and came_at < min(?2, \
         (select came_at from deliveries where app = ?1 order by came_at desc limit 1 offset ?3))",
    )?
    .execute(params![app, now - MARKS_FOR, MARKS])?;
    tx.commit()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        store.load("shop", 1).await.unwrap();
        (folder, store)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[tokio::test]
    async fn a_delivery_is_new_once_under_each_of_its_marks() {
        let (_folder, store) = store().await;
        let marks = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert!(store.pushed("shop", marks(&["id 1", "signature a"]), at(1)).await.unwrap());
        assert!(!store.pushed("shop", marks(&["id 1", "signature a"]), at(2)).await.unwrap());
        assert!(!store.pushed("shop", marks(&["id 2", "signature a"]), at(3)).await.unwrap());
        assert!(!store.pushed("shop", marks(&["id 2", "signature b"]), at(4)).await.unwrap());
        let kept = store.auto_deploy("shop").await.unwrap();
        assert_eq!(kept.pushed_at, Some(at(1)), "a replay is no push");
        assert!(store.pushed("shop", marks(&["id 3"]), at(5)).await.unwrap());
    }

    #[tokio::test]
    async fn a_push_that_came_while_another_was_looked_at_waits_on() {
        let (_folder, store) = store().await;
        store.pushed("shop", vec!["id 1".into()], at(1)).await.unwrap();
        let told = store.auto_deploy("shop").await.unwrap().pushed_at.unwrap();
        store.pushed("shop", vec!["id 2".into()], at(2)).await.unwrap();
        store.looked_at_push("shop", told).await.unwrap();
        assert_eq!(store.auto_deploy("shop").await.unwrap().pushed_at, Some(at(2)));
        store.looked_at_push("shop", at(2)).await.unwrap();
        assert_eq!(store.auto_deploy("shop").await.unwrap().pushed_at, None);
    }

    #[tokio::test]
    async fn what_a_person_wants_outlives_pushes_and_attempts() {
        let (_folder, store) = store().await;
        assert_eq!(store.auto_deploy("shop").await.unwrap(), Kept::default());
        store.want_auto_deploy("shop", true, "anna").await.unwrap();
        store.pushed("shop", vec!["id 1".into()], at(1)).await.unwrap();
        let tried = Tried { commit: "abc".into(), deployment: 4 };
        store.tried_to_deploy("shop", tried.clone()).await.unwrap();
        let kept = store.auto_deploy("shop").await.unwrap();
        assert_eq!((kept.wanted, kept.tried), (Some(true), Some(tried)));
        assert_eq!(kept.set_by.as_deref(), Some("anna"));
        store.want_auto_deploy("shop", false, "root").await.unwrap();
        assert_eq!(store.auto_deploy("shop").await.unwrap().wanted, Some(false));
    }
}
