//! The values of an app's environment, as they are on the disk: sealed by whoever has the key.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use vial_protocol::Slot;

use super::record::EnvironmentChange;
use super::rows::at;
use super::{Store, StoreError};

/// What a version made of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// The variable's name.
    pub name: String,
    /// The version.
    pub version: u64,
    /// Whether it is marked secret from here on.
    pub secret: bool,
    /// Its sealed value; absent where it was unset.
    pub sealed: Option<Vec<u8>>,
    /// When the version was made.
    pub at: Timestamp,
    /// Who made it.
    pub actor: String,
}

impl Store {
    /// The rows of an app's environment, and its newest version.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn environment(&self, app: &str) -> Result<(u64, Vec<SealedRow>), StoreError> {
        let app = app.to_owned();
        self.run(move |connection| Ok((newest(connection, &app)?, rows(connection, &app)?))).await
    }

    /// Whether any app has a value today that only the key opens.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn has_sealed_values(&self) -> Result<bool, StoreError> {
        self.run(|connection| {
            Ok(connection.query_row(
                "select exists (select 1 from environment_values v where sealed is not null \
                   and version = (select max(version) from environment_values n \
                                   where n.app = v.app and n.name = v.name))",
                [],
                |row| row.get(0),
            )?)
        })
        .await
    }

    /// The version that a slot's release is started with; absent where the slot is empty, or has
    /// another release than this one.
    ///
    /// # Errors
    /// Where the database cannot be read.
    pub async fn slot_environment(
        &self,
        app: &str,
        slot: Slot,
        release: Option<u64>,
    ) -> Result<Option<u64>, StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let sql = "select environment from slots where app = ?1 and slot = ?2 \
                       and release is not null and release = coalesce(?3, release)";
            let found =
                connection.query_row(sql, params![app, slot.as_str(), release], |row| row.get(0));
            Ok(found.optional()?)
        })
        .await
    }

    /// Removes rows that nothing needs any more.
    ///
    /// # Errors
    /// Where they were not removed.
    pub async fn environment_spent(
        &self,
        app: &str,
        spent: Vec<(String, u64)>,
    ) -> Result<(), StoreError> {
        let app = app.to_owned();
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            for (name, version) in &spent {
                transaction
                    .prepare_cached(
                        "delete from environment_values \
                         where app = ?1 and name = ?2 and version = ?3",
                    )?
                    .execute(params![app, name, version])?;
            }
            transaction.commit()?;
            Ok(())
        })
        .await
    }
}

/// An app's newest version.
pub(super) fn newest(connection: &Connection, app: &str) -> Result<u64, StoreError> {
    let sql = "select coalesce(max(version), 0) from environment_versions where app = ?1";
    Ok(connection.query_row(sql, [app], |row| row.get(0))?)
}

/// The newest version in which something secret changed.
pub(super) fn newest_secret(connection: &Connection, app: &str) -> Result<u64, StoreError> {
    let sql = "select coalesce(max(version), 0) from environment_values \
               where app = ?1 and secret = 1";
    Ok(connection.query_row(sql, [app], |row| row.get(0))?)
}

fn rows(connection: &Connection, app: &str) -> Result<Vec<SealedRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "select v.name, v.version, v.secret, v.sealed, n.made_at, n.actor \
         from environment_values v \
         join environment_versions n on n.app = v.app and n.version = v.version \
         where v.app = ?1 order by v.name, v.version",
    )?;
    let mut found = statement.query([app])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        rows.push(SealedRow {
            name: row.get(0)?,
            version: row.get(1)?,
            secret: row.get(2)?,
            sealed: row.get(3)?,
            at: at(row.get(4)?)?,
            actor: row.get(5)?,
        });
    }
    Ok(rows)
}

/// Writes a new version.
pub(super) fn change(
    tx: &Transaction<'_>,
    app: &str,
    change: &EnvironmentChange,
    now: i64,
) -> Result<(), StoreError> {
    tx.prepare_cached(
        "insert into environment_versions (app, version, made_at, actor) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![app, change.version, now, change.actor])?;
    for value in &change.values {
        tx.prepare_cached(
            "insert into environment_values (app, name, version, secret, sealed) \
             values (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![app, value.name, change.version, value.secret, value.sealed])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::record::{EnvironmentValue, Record};
    use super::*;

    fn value(name: &str, sealed: Option<&[u8]>, secret: bool) -> EnvironmentValue {
        EnvironmentValue { name: name.into(), secret, sealed: sealed.map(<[u8]>::to_vec) }
    }

    async fn commit(store: &Store, version: u64, values: Vec<EnvironmentValue>) {
        let change = EnvironmentChange { version, actor: "ana".into(), values };
        let records = vec![Record::EnvironmentChanged(change)];
        store.commit("shop", records, None, Timestamp::UNIX_EPOCH).await.unwrap();
    }

    #[tokio::test]
    async fn each_change_is_a_version_and_an_app_has_its_own() {
        let store = Store::open(Path::new(":memory:")).unwrap();
        store.load("shop", 1).await.unwrap();
        assert_eq!(store.environment("shop").await.unwrap(), (0, Vec::new()));
        assert!(!store.has_sealed_values().await.unwrap());
        commit(&store, 1, vec![value("A", Some(b"1"), true), value("B", Some(b"2"), false)]).await;
        commit(&store, 2, vec![value("B", None, false)]).await;
        let (newest, rows) = store.environment("shop").await.unwrap();
        let seen: Vec<_> =
            rows.iter().map(|it| (it.name.as_str(), it.version, it.sealed.is_some())).collect();
        assert_eq!((newest, seen), (2, vec![("A", 1, true), ("B", 1, true), ("B", 2, false)]));
        assert_eq!(store.environment("other").await.unwrap().0, 0);
        let loaded = store.load("shop", 1).await.unwrap();
        assert_eq!((loaded.environment.today, loaded.environment.secrets), (2, 1));
        assert!(store.has_sealed_values().await.unwrap());
        commit(&store, 3, vec![value("A", None, true)]).await;
        assert!(!store.has_sealed_values().await.unwrap(), "what was unset needs no key");
        store.environment_spent("shop", vec![("B".into(), 1)]).await.unwrap();
        assert_eq!(store.environment("shop").await.unwrap().1.len(), 3);
    }
}
