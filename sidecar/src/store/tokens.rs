//! API tokens.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use vial_protocol::access::Token;

use super::rows::{at, at_some, word};
use super::{Store, StoreError};

const COLUMNS: &str =
    "select id, name, role, made_at, made_by, used_at, expires_at, hash from tokens";

fn token(row: &Row<'_>) -> Result<Token, StoreError> {
    Ok(Token {
        id: row.get(0)?,
        name: row.get(1)?,
        role: word(&row.get::<_, String>(2)?)?,
        made_at: at(row.get(3)?)?,
        made_by: row.get(4)?,
        used_at: at_some(row.get(5)?)?,
        expires_at: at(row.get(6)?)?,
    })
}

impl Store {
    /// Every token that has not ended, newest first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn tokens(&self, now: Timestamp) -> Result<Vec<Token>, StoreError> {
        self.run(move |connection| {
            let sql = format!("{COLUMNS} where expires_at > ?1 order by made_at desc, id");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([now.as_millisecond()])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(token(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// A token that has not ended, and the SHA-256 of what proves it.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn token(
        &self,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<(Token, Vec<u8>)>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let sql = format!("{COLUMNS} where id = ?1 and expires_at > ?2");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![id, now.as_millisecond()])?;
            rows.next()?.map(|row| Ok((token(row)?, row.get(7)?))).transpose()
        })
        .await
    }

    /// Keeps a new token. Those that have ended go.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn add_token(&self, token: Token, hash: Vec<u8>) -> Result<(), StoreError> {
        self.run(move |connection| {
            let made_at = token.made_at.as_millisecond();
            let tx = connection.transaction()?;
            tx.prepare_cached("delete from tokens where expires_at <= ?1")?.execute([made_at])?;
            tx.prepare_cached(
                "insert into tokens (id, hash, name, role, made_at, made_by, expires_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                token.id,
                hash,
                token.name,
                token.role.as_str(),
                made_at,
                token.made_by,
                token.expires_at.as_millisecond()
            ])?;
            tx.commit()?;
            Ok(())
        })
        .await
    }

    /// Keeps when a token was used last.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn used_token(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached(
                    "update tokens set used_at = max(coalesce(used_at, 0), ?2) where id = ?1",
                )?
                .execute(params![id, now.as_millisecond()])?;
            Ok(())
        })
        .await
    }

    /// Removes a token: its name; absent where there is none.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn remove_token(&self, id: &str) -> Result<Option<String>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let removed = connection
                .prepare_cached("delete from tokens where id = ?1 returning name")?
                .query_row([&id], |row| row.get(0))
                .optional()?;
            Ok(removed)
        })
        .await
    }
}
