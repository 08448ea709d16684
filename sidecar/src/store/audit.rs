//! Who did what.

use jiff::Timestamp;
use rusqlite::{Row, params};
use vial_protocol::access::Known;
use vial_protocol::audit::Audit;

use super::rows::at;
use super::{Store, StoreError};

/// So many rows are kept: at a hundred changes a day, those of five years.
const MOST: i64 = 200_000;

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
            tx.prepare_cached("delete from audit where number <= ?1")?.execute([number - MOST])?;
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
