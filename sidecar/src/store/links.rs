//! First-login links, each of which serves once.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use vial_protocol::access::Role;

use super::rows::word;
use super::sessions::{self, MadeSession};
use super::{Store, StoreError};

/// A link as it is kept.
#[derive(Debug, Clone)]
pub struct KeptLink {
    /// Names it.
    pub id: String,
    /// The SHA-256 of what proves it.
    pub hash: Vec<u8>,
    /// The user whom it makes, or to whom it gives a password.
    pub user: String,
    /// What a new user may do.
    pub role: Role,
    /// Who made it.
    pub made_by: String,
}

/// What a link did.
#[derive(Debug)]
pub struct UsedLink {
    /// What the user may do.
    pub role: Role,
    /// The ids of their sessions that ended.
    pub ended: Vec<String>,
}

impl Store {
    /// Keeps a link, in place of others for the same user. Those that have ended go.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn add_link(
        &self,
        link: KeptLink,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.run(move |connection| {
            let tx = connection.transaction()?;
            tx.prepare_cached("delete from links where expires_at <= ?1 or user = ?2")?
                .execute(params![now.as_millisecond(), link.user])?;
            tx.prepare_cached(
                "insert into links (id, hash, user, role, made_by, expires_at) \
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                link.id,
                link.hash,
                link.user,
                link.role.as_str(),
                link.made_by,
                expires_at.as_millisecond()
            ])?;
            tx.commit()?;
            Ok(())
        })
        .await
    }

    /// A link that still serves.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn link(&self, id: &str, now: Timestamp) -> Result<Option<KeptLink>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select id, hash, user, role, made_by from links where id = ?1 and expires_at > ?2",
            )?;
            let mut rows = statement.query(params![id, now.as_millisecond()])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            Ok(Some(KeptLink {
                id: row.get(0)?,
                hash: row.get(1)?,
                user: row.get(2)?,
                role: word(&row.get::<_, String>(3)?)?,
                made_by: row.get(4)?,
            }))
        })
        .await
    }

    /// Uses a link up, in one step: the user is there with this password, has this session and no
    /// other. Absent where the link had served already.
    ///
    /// # Errors
    /// Where it was not written; the link still serves then.
    pub async fn use_link(
        &self,
        id: &str,
        password: String,
        session: MadeSession,
        now: Timestamp,
    ) -> Result<Option<UsedLink>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let now = now.as_millisecond();
            let tx = connection.transaction()?;
            let used: Option<(String, String, String)> = tx
                .prepare_cached(
                    "delete from links where id = ?1 and expires_at > ?2 \
                     returning user, role, made_by",
                )?
                .query_row(params![id, now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((user, role, made_by)) = used else { return Ok(None) };
            let role: String = tx
                .prepare_cached(
                    "insert into users (name, role, password, made_at, made_by) \
                     values (?1, ?2, ?3, ?4, ?5) \
                     on conflict (name) do update set password = excluded.password returning role",
                )?
                .query_row(params![user, role, password, now, made_by], |row| row.get(0))?;
            let ended = tx
                .prepare_cached("delete from sessions where user = ?1 returning id")?
                .query_map([&user], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            sessions::make(&tx, &session, now)?;
            tx.commit()?;
            Ok(Some(UsedLink { role: word(&role)?, ended }))
        })
        .await
    }
}
