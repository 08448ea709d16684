//! Whether this Vial could open a history, tried on a copy in memory. Nothing of it is changed, and
//! no daemon is kept from it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::SchemaVersion;

use super::schema::{KNOWN, MIGRATIONS};
use super::{OpenError, StoreError, backup, load};

/// How long a daemon that writes may keep it from being read.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is larger is not copied into memory: at about 700 bytes each, these are 98,000 deployments.
const COPIED: i64 = 64 << 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// There is none yet, or an empty one.
    Nothing,
    /// It has the schema that this Vial writes.
    Current,
    /// It would be migrated, and the backup would be made there.
    Older {
        /// Its schema.
        from: usize,
        /// This Vial's.
        to: usize,
        /// Where the backup would be.
        backup: PathBuf,
        /// Whether the migration was tried on a copy; a very large one is not copied.
        tried: bool,
    },
}

/// Looks whether a history could be opened, brought up to date and read.
///
/// # Errors
/// Why it could not be.
pub fn try_out(path: &Path) -> Result<Found, OpenError> {
    if !path.exists() {
        return Ok(Found::Nothing);
    }
    let unreadable = |why: &dyn std::fmt::Display| OpenError::Unreadable {
        path: path.into(),
        why: why.to_string(),
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|why| unreadable(&why))?;
    connection.busy_timeout(PATIENCE).map_err(|why| unreadable(&why))?;
    let version = MIGRATIONS.current_version(&connection).map_err(|why| unreadable(&why))?;
    let from = match version {
        SchemaVersion::NoneSet => return Ok(Found::Nothing),
        SchemaVersion::Inside(found) => found.get(),
        SchemaVersion::Outside(found) => {
            let backup = backup::newest(path, KNOWN);
            return Err(OpenError::Newer {
                path: path.into(),
                found: found.get(),
                known: KNOWN,
                backup,
            });
        }
    };
    let tried = size(&connection).map_err(|why| unreadable(&why))? <= COPIED;
    if tried {
        read_copy(&connection).map_err(|why| unreadable(&why))?;
    }
    if from == KNOWN {
        return Ok(Found::Current);
    }
    Ok(Found::Older { from, to: KNOWN, backup: backup::path(path, from), tried })
}

fn size(connection: &Connection) -> Result<i64, rusqlite::Error> {
    let sql = "select page_count * page_size from pragma_page_count, pragma_page_size";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Why a copy could not be used.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error("it cannot be brought to this Vial's schema: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    #[error("{0}")]
    Rows(#[from] StoreError),
}

fn read_copy(connection: &Connection) -> Result<(), Unfit> {
    let mut copy = Connection::open_in_memory()?;
    Backup::new(connection, &mut copy)?.run_to_completion(1000, Duration::ZERO, None)?;
    if let Some(found) = backup::damage(&copy)? {
        return Err(Unfit::Damaged(found));
    }
    MIGRATIONS.to_latest(&mut copy)?;
    let names: Vec<String> = copy
        .prepare("select name from apps")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for name in names {
        load::load(&copy, &name, usize::MAX)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[tokio::test]
    async fn a_history_is_tried_beside_the_daemon_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        assert_eq!(try_out(&path).unwrap(), Found::Nothing);
        assert!(!path.exists());
        let store = Store::open(&path).unwrap();
        store.load("shop", 1).await.unwrap();
        assert_eq!(try_out(&path).unwrap(), Found::Current);
        drop(store);
        assert_eq!(try_out(&path).unwrap(), Found::Current);
    }

    #[test]
    fn an_older_history_is_migrated_on_the_copy_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        let mut connection = Connection::open(&path).unwrap();
        MIGRATIONS.to_version(&mut connection, 1).unwrap();
        let found = try_out(&path).unwrap();
        assert!(matches!(found, Found::Older { from: 1, to: KNOWN, tried: true, .. }), "{found:?}");
        let version: u32 =
            connection.query_row("pragma user_version", [], |row| row.get(0)).unwrap();
        assert_eq!(version, 1);
        // What the next schema adds is there already: the migration would fail.
        connection
            .execute("alter table deployments add column applied text not null default ''", [])
            .unwrap();
        let refused = try_out(&path).unwrap_err().to_string();
        assert!(refused.contains("cannot be brought to this Vial's schema"), "{refused}");
    }

    #[tokio::test]
    async fn rows_that_this_version_does_not_know_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        let store = Store::open(&path).unwrap();
        store.load("shop", 1).await.unwrap();
        let connection = Connection::open(&path).unwrap();
        connection.execute("update apps set desired = 'resting'", []).unwrap();
        let refused = try_out(&path).unwrap_err().to_string();
        assert!(refused.contains("resting"), "{refused}");
    }
}
