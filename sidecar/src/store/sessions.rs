//! Sessions of the dashboard's users.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use vial_protocol::access::Role;

use super::rows::{at, at_some, word};
use super::{Store, StoreError};

/// Which sessions are open: used lately, and not made too long ago.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// The time that it is asked of.
    pub now: Timestamp,
    /// How long a session may be idle.
    pub idle: SignedDuration,
    /// How long a session lasts at most.
    pub most: SignedDuration,
}

impl Open {
    pub(super) fn seen_after(self) -> i64 {
        self.now.as_millisecond().saturating_sub(millis(self.idle))
    }

    pub(super) fn made_after(self) -> i64 {
        self.now.as_millisecond().saturating_sub(millis(self.most))
    }
}

fn millis(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A session as it is kept.
#[derive(Debug, Clone)]
pub struct KeptSession {
    /// Names it.
    pub id: String,
    /// The SHA-256 of what opens it.
    pub hash: Vec<u8>,
    /// Whose it is.
    pub user: String,
    /// What they may do.
    pub role: Role,
    /// When they logged in.
    pub made_at: Timestamp,
    /// When it was used last.
    pub seen_at: Timestamp,
    /// Until when the password counts as fresh.
    pub fresh_until: Option<Timestamp>,
    /// From where they logged in.
    pub address: String,
    /// What browser they said they had.
    pub agent: String,
}

/// A session to be made.
#[derive(Debug, Clone)]
pub struct MadeSession {
    /// Names it.
    pub id: String,
    /// The SHA-256 of what opens it.
    pub hash: Vec<u8>,
    /// Whose it is.
    pub user: String,
    /// From where they logged in.
    pub address: String,
    /// What browser they said they had.
    pub agent: String,
}

/// So many sessions a user may have: the one that was used longest ago makes room.
const MOST: u64 = 50;

const COLUMNS: &str = "select s.id, s.hash, s.user, u.role, s.made_at, s.seen_at, s.fresh_until, \
                       s.address, s.agent from sessions s join users u on u.name = s.user";

fn session(row: &Row<'_>) -> Result<KeptSession, StoreError> {
    Ok(KeptSession {
        id: row.get(0)?,
        hash: row.get(1)?,
        user: row.get(2)?,
        role: word(&row.get::<_, String>(3)?)?,
        made_at: at(row.get(4)?)?,
        seen_at: at(row.get(5)?)?,
        fresh_until: at_some(row.get(6)?)?,
        address: row.get(7)?,
        agent: row.get(8)?,
    })
}

/// Makes a session, within the transaction of what else a login does. The ids of those that made
/// room for it.
pub(super) fn make(
    connection: &Connection,
    made: &MadeSession,
    now: i64,
) -> Result<Vec<String>, StoreError> {
    connection
        .prepare_cached(
            "insert into sessions (id, hash, user, made_at, seen_at, address, agent) \
             values (?1, ?2, ?3, ?4, ?4, ?5, ?6)",
        )?
        .execute(params![made.id, made.hash, made.user, now, made.address, made.agent])?;
    connection
        .prepare_cached("update users set seen_at = ?2 where name = ?1")?
        .execute(params![made.user, now])?;
    let ended = connection
        .prepare_cached(
            "delete from sessions where user = ?1 and id in (select id from sessions \
             where user = ?1 order by seen_at desc, made_at desc limit -1 offset ?2) returning id",
        )?
        .query_map(params![made.user, MOST], |row| row.get(0))?
        .collect::<Result<Vec<String>, _>>()?;
    Ok(ended)
}

impl Store {
    /// Makes a session of a user who is there, if their password still has the hash that was checked:
    /// the ids of those that made room for it; absent where it was changed meanwhile.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn add_session(
        &self,
        made: MadeSession,
        password: String,
        open: Open,
    ) -> Result<Option<Vec<String>>, StoreError> {
        self.run(move |connection| {
            let tx = connection.transaction()?;
            let same: bool = tx
                .prepare_cached(
                    "select exists (select 1 from users where name = ?1 and password = ?2)",
                )?
                .query_row(params![made.user, password], |row| row.get(0))?;
            if !same {
                return Ok(None);
            }
            tx.prepare_cached("delete from sessions where seen_at <= ?1 or made_at <= ?2")?
                .execute(params![open.seen_after(), open.made_after()])?;
            let ended = make(&tx, &made, open.now.as_millisecond())?;
            tx.commit()?;
            Ok(Some(ended))
        })
        .await
    }

    /// An open session.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn session(&self, id: &str, open: Open) -> Result<Option<KeptSession>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let sql = format!("{COLUMNS} where s.id = ?1 and s.seen_at > ?2 and s.made_at > ?3");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![id, open.seen_after(), open.made_after()])?;
            rows.next()?.map(session).transpose()
        })
        .await
    }

    /// Every open session, or those of one user, used last first.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn sessions(
        &self,
        user: Option<String>,
        open: Open,
    ) -> Result<Vec<KeptSession>, StoreError> {
        self.run(move |connection| {
            let sql = format!(
                "{COLUMNS} where s.seen_at > ?1 and s.made_at > ?2 \
                 and (?3 is null or s.user = ?3) order by s.seen_at desc, s.id"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query(params![open.seen_after(), open.made_after(), user])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(session(row)?);
            }
            Ok(found)
        })
        .await
    }

    /// Keeps when a session was used last.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn used_session(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached("update sessions set seen_at = max(seen_at, ?2) where id = ?1")?
                .execute(params![id, now.as_millisecond()])?;
            Ok(())
        })
        .await
    }

    /// Keeps until when a session's password counts as fresh.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn freshen_session(&self, id: &str, until: Timestamp) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            connection
                .prepare_cached("update sessions set fresh_until = ?2 where id = ?1")?
                .execute(params![id, until.as_millisecond()])?;
            Ok(())
        })
        .await
    }

    /// Ends a session, of one user alone where one is named: whose it was; absent where there is none.
    ///
    /// # Errors
    /// Where it was not written.
    pub async fn end_session(
        &self,
        id: &str,
        of: Option<String>,
    ) -> Result<Option<String>, StoreError> {
        let id = id.to_owned();
        self.run(move |connection| {
            let ended = connection
                .prepare_cached(
                    "delete from sessions where id = ?1 and (?2 is null or user = ?2) returning user",
                )?
                .query_row(params![id, of], |row| row.get(0))
                .optional()?;
            Ok(ended)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::super::users::MadeUser;
    use super::*;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("vial.db")).unwrap();
        for name in ["anna", "ben"] {
            let user = MadeUser {
                name: name.into(),
                role: Role::Viewer,
                password: "hash".into(),
                made_by: "root".into(),
            };
            assert!(store.add_user(user, at(0)).await.unwrap());
        }
        (folder, store)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn open(second: i64) -> Open {
        Open {
            now: at(second),
            idle: SignedDuration::from_secs(100),
            most: SignedDuration::from_secs(1000),
        }
    }

    fn made(id: &str, user: &str) -> MadeSession {
        MadeSession {
            id: id.into(),
            hash: vec![1],
            user: user.into(),
            address: "192.0.2.1".into(),
            agent: String::new(),
        }
    }

    #[tokio::test]
    async fn a_session_lasts_while_it_is_used_and_no_longer_than_any_may() {
        let (_folder, store) = store().await;
        store.add_session(made("one", "anna"), "hash".into(), open(0)).await.unwrap().unwrap();
        assert!(store.session("one", open(99)).await.unwrap().is_some());
        assert!(store.session("one", open(100)).await.unwrap().is_none());
        for second in (90..1000).step_by(90) {
            assert!(store.session("one", open(second)).await.unwrap().is_some(), "{second}");
            store.used_session("one", at(second)).await.unwrap();
        }
        assert!(store.session("one", open(1000)).await.unwrap().is_none());
        // The next login takes it away.
        store.add_session(made("two", "anna"), "hash".into(), open(2000)).await.unwrap().unwrap();
        assert_eq!(store.end_session("one", None).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_password_that_was_changed_meanwhile_opens_nothing() {
        let (_folder, store) = store().await;
        let old = store.add_session(made("one", "anna"), "old".into(), open(0)).await.unwrap();
        assert_eq!(old, None);
        assert!(store.session("one", open(1)).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_session_that_was_used_longest_ago_makes_room() {
        let (_folder, store) = store().await;
        store.add_session(made("ben", "ben"), "hash".into(), open(0)).await.unwrap().unwrap();
        let mut ended = Vec::new();
        for number in 0..=MOST {
            let made = made(&format!("{number:02}"), "anna");
            let second = i64::try_from(number).unwrap();
            ended.extend(
                store.add_session(made, "hash".into(), open(second)).await.unwrap().unwrap(),
            );
        }
        assert_eq!(ended, ["00"]);
        assert!(store.session("ben", open(60)).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn whose_session_it_is_decides_who_ends_it_and_a_user_who_goes_takes_theirs_along() {
        let (_folder, store) = store().await;
        for (id, user) in [("one", "anna"), ("two", "anna"), ("ben", "ben")] {
            store.add_session(made(id, user), "hash".into(), open(0)).await.unwrap().unwrap();
        }
        assert_eq!(store.end_session("ben", Some("anna".into())).await.unwrap(), None);
        assert_eq!(store.end_session("one", None).await.unwrap().as_deref(), Some("anna"));
        let but = store.change_user("anna", None, Some("new".into()), Some("two".into())).await;
        assert_eq!(but.unwrap(), Some(Vec::new()));
        assert_eq!(store.remove_user("anna").await.unwrap(), Some(vec!["two".into()]));
        assert_eq!(store.remove_user("anna").await.unwrap(), None);
        assert!(store.session("ben", open(1)).await.unwrap().is_some());
    }
}
