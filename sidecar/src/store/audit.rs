//! Who did what.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use vial_protocol::access::Known;
use vial_protocol::audit::Audit;

use super::rows::at;
use super::{Store, StoreError};

/// So many rows of what was done are kept: at a hundred changes a day, those of five years.
const DONE: i64 = 200_000;
/// So many of what was refused, which anybody may ask for: they push out none of the others.
const REFUSED: i64 = 20_000;
/// The oldest are looked for with one row in so many.
const SOMETIMES: i64 = 500;

/// A row to be written.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who.
    pub actor: String,
    /// How they were known.
    pub by: Option<Known>,
    /// From where.
    pub from: Option<String>,
    /// What.
    pub action: String,
    /// The app that it was about.
    pub app: Option<String>,
    /// What else it was about. Never a value.
    pub detail: Option<String>,
    /// `ok`, or the code of the problem.
    pub outcome: String,
}

/// Forgets the oldest rows, where there are more than so many of what was done and of what was not.
fn forget(connection: &Connection, done: i64, refused: i64) -> Result<(), StoreError> {
    for (which, most) in [("outcome = 'ok'", done), ("outcome <> 'ok'", refused)] {
        let sql = format!(
            "delete from audit where {which} and number <= (select number from audit \
             where {which} order by number desc limit 1 offset ?1)"
        );
        connection.prepare_cached(&sql)?.execute([most])?;
    }
    Ok(())
}

fn known(word: Option<&str>) -> Result<Option<Known>, StoreError> {
    match word {
        None => Ok(None),
        Some("session") => Ok(Some(Known::Session)),
        Some("token") => Ok(Some(Known::Token)),
        Some("socket") => Ok(Some(Known::Socket)),
        Some(other) => Err(StoreError::Foreign(other.to_owned())),
    }
}

fn as_word(known: Known) -> &'static str {
    match known {
        Known::Session => "session",
        Known::Token => "token",
        Known::Socket => "socket",
    }
}

fn audit(row: &Row<'_>) -> Result<Audit, StoreError> {
    Ok(Audit {
        number: row.get(0)?,
        at: at(row.get(1)?)?,
        actor: row.get(2)?,
        by: known(row.get::<_, Option<String>>(3)?.as_deref())?,
        from: row.get(4)?,
        action: row.get(5)?,
        app: row.get(6)?,
        detail: row.get(7)?,
        outcome: row.get(8)?,
    })
}

impl Store {
    /// Writes who did what: the row as it is read.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn add_audit(&self, entry: Entry, now: Timestamp) -> Result<Audit, StoreError> {
        self.run(move |connection| {
            let tx = connection.transaction()?;
            let number = tx
                .prepare_cached(
                    "insert into audit (at, actor, by, from_where, action, app, detail, outcome) \
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) returning number",
                )?
                .query_row(
                    params![
                        now.as_millisecond(),
                        entry.actor,
                        entry.by.map(as_word),
                        entry.from,
                        entry.action,
                        entry.app,
                        entry.detail,
                        entry.outcome
                    ],
                    |row| row.get::<_, i64>(0),
                )?;
            if number % SOMETIMES == 0 {
                forget(&tx, DONE, REFUSED)?;
            }
            tx.commit()?;
            let entry = entry.clone();
            Ok(Audit {
                number: u64::try_from(number).unwrap_or_default(),
                at: at(now.as_millisecond())?,
                actor: entry.actor,
                by: entry.by,
                from: entry.from,
                action: entry.action,
                app: entry.app,
                detail: entry.detail,
                outcome: entry.outcome,
            })
        })
        .await
    }

    /// Rows before a number, of one app where one is named, newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn audit(
        &self,
        app: Option<String>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Audit>, StoreError> {
        let before = before.and_then(|it| i64::try_from(it).ok()).unwrap_or(i64::MAX);
        self.run(move |connection| {
            let of = if app.is_some() { "app = ?1" } else { "?1 is null" };
            let sql = format!(
                "select number, at, actor, by, from_where, action, app, detail, outcome from audit \
                 where {of} and number < ?2 order by number desc limit ?3"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![app, before, limit])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(audit(row)?);
            }
            Ok(found)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(actor: &str, outcome: &str) -> Entry {
        Entry {
            actor: actor.into(),
            by: Some(Known::Session),
            from: None,
            action: "rollback".into(),
            app: Some("shop".into()),
            detail: None,
            outcome: outcome.into(),
        }
    }

    #[tokio::test]
    async fn what_is_refused_again_and_again_pushes_out_nothing_that_was_done() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        for outcome in ["ok", "ok", "ok", "forbidden", "forbidden", "forbidden", "not_found"] {
            store.add_audit(entry("anna", outcome), now).await.unwrap();
        }
        store.run(|connection| forget(connection, 2, 1)).await.unwrap();
        let kept = store.audit(None, None, 100).await.unwrap();
        let kept: Vec<_> = kept.iter().map(|it| (it.number, it.outcome.as_str())).collect();
        assert_eq!(kept, [(7, "not_found"), (3, "ok"), (2, "ok")]);
    }

    #[tokio::test]
    async fn rows_are_read_as_they_were_written_of_all_or_of_one_app() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        let now = Timestamp::UNIX_EPOCH;
        let shop = store.add_audit(entry("anna", "ok"), now).await.unwrap();
        let other = Entry { app: None, by: None, ..entry("ben", "login_needed") };
        let other = store.add_audit(other, now).await.unwrap();
        assert_eq!(store.audit(None, None, 9).await.unwrap(), [other, shop.clone()]);
        assert_eq!(store.audit(Some("shop".into()), None, 9).await.unwrap(), [shop]);
        assert_eq!(store.audit(Some("none".into()), None, 9).await.unwrap(), []);
    }
}
