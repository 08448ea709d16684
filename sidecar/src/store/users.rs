//! The dashboard's users.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use vial_protocol::access::{Role, User};

use super::rows::{at, at_some, word};
use super::{Store, StoreError};

/// A user to be made.
#[derive(Clone)]
pub struct MadeUser {
    /// Their name.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of their password.
    pub password: String,
    /// Who makes them.
    pub made_by: String,
}

/// What a login needs to know.
#[derive(Clone)]
pub struct Credentials {
    /// What they may do.
    pub role: Role,
    /// The hash of their password.
    pub password: String,
}

impl Store {
    /// Every user, by name, with how many sessions they have that are open at a time.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn users(&self, open: super::sessions::Open) -> Result<Vec<User>, StoreError> {
        self.run(move |connection| {
            let mut statement = connection.prepare_cached(
                "select name, role, made_at, made_by, seen_at, (select count(*) from sessions s \
                 where s.user = u.name and s.seen_at > ?1 and s.made_at > ?2) \
                 from users u order by name",
            )?;
            let mut rows = statement.query(params![open.seen_after(), open.made_after()])?;
            let mut users = Vec::new();
            while let Some(row) = rows.next()? {
                users.push(User {
                    name: row.get(0)?,
                    role: word(&row.get::<_, String>(1)?)?,
                    made_at: at(row.get(2)?)?,
                    made_by: row.get(3)?,
                    seen_at: at_some(row.get(4)?)?,
                    sessions: row.get(5)?,
                });
            }
            Ok(users)
        })
        .await
    }

    /// What a user's login needs; absent where there is no such user.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn credentials(&self, name: &str) -> Result<Option<Credentials>, StoreError> {
        let name = name.to_owned();
        self.run(move |connection| {
            let found: Option<(String, String)> = connection
                .prepare_cached("select role, password from users where name = ?1")?
                .query_row([&name], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            found
                .map(|(role, password)| Ok(Credentials { role: word(&role)?, password }))
                .transpose()
        })
        .await
    }

    /// Makes a user; whether there was none of that name.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn add_user(&self, user: MadeUser, now: Timestamp) -> Result<bool, StoreError> {
        self.run(move |connection| {
            let added = connection
                .prepare_cached(
                    "insert into users (name, role, password, made_at, made_by) \
                     values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                )?
                .execute(params![
                    user.name,
                    user.role.as_str(),
                    user.password,
                    now.as_millisecond(),
                    user.made_by
                ])?;
            Ok(added == 1)
        })
        .await
    }

    /// Changes a user, and ends their sessions but for one: their ids; absent where there is no such
    /// user.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn change_user(
        &self,
        name: &str,
        role: Option<Role>,
        password: Option<String>,
        but: Option<String>,
    ) -> Result<Option<Vec<String>>, StoreError> {
        let name = name.to_owned();
        self.run(move |connection| {
            let tx = connection.transaction()?;
            let changed = tx
                .prepare_cached(
                    "update users set role = coalesce(?2, role), \
                     password = coalesce(?3, password) where name = ?1",
                )?
                .execute(params![name, role.map(Role::as_str), password])?;
            if changed == 0 {
                return Ok(None);
            }
            let ended = tx
                .prepare_cached(
                    "delete from sessions where user = ?1 and id is not ?2 returning id",
                )?
                .query_map(params![name, but], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            tx.commit()?;
            Ok(Some(ended))
        })
        .await
    }

    /// Removes a user and their sessions: the sessions' ids; absent where there is no such user.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn remove_user(&self, name: &str) -> Result<Option<Vec<String>>, StoreError> {
        let name = name.to_owned();
        self.run(move |connection| {
            let tx = connection.transaction()?;
            let ended = tx
                .prepare_cached("delete from sessions where user = ?1 returning id")?
                .query_map([&name], |row| row.get(0))?
                .collect::<Result<Vec<String>, _>>()?;
            // A link would make them again.
            tx.prepare_cached("delete from links where user = ?1")?.execute([&name])?;
            let removed =
                tx.prepare_cached("delete from users where name = ?1")?.execute([&name])?;
            tx.commit()?;
            Ok((removed == 1).then_some(ended))
        })
        .await
    }
}
