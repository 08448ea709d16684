//! A look at a history that may be another process' own, or nobody's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::StoreError;

/// How long a daemon that writes may keep it from being read.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a look told. Nothing of it was changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Peek {
    /// What names the state folder in the marks of its processes.
    pub id: Option<String>,
    /// The port of the daemon's epmd, where the daemon chose it.
    pub epmd_port: Option<u16>,
    /// The releases that should be on the disk, by app and number, with their bytes.
    pub releases: BTreeMap<String, BTreeMap<u64, u64>>,
    /// Whether there are values that only the key opens.
    pub sealed: bool,
}

/// Looks into a history without changing it, and without keeping a daemon from it.
///
/// # Errors
/// Where it cannot be opened or read, or is none.
pub fn peek(path: &Path) -> Result<Peek, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    let tables: u64 = connection.query_row(
        "select count(*) from sqlite_schema where name in ('settings', 'releases')",
        [],
        |row| row.get(0),
    )?;
    if tables < 2 {
        // A daemon made the file and has not come to fill it.
        return Ok(Peek::default());
    }
    Ok(Peek {
        id: setting(&connection, "id")?,
        epmd_port: setting(&connection, "epmd_port")?.and_then(|text| text.parse().ok()),
        releases: releases(&connection)?,
        sealed: sealed(&connection)?,
    })
}

fn setting(connection: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let sql = "select value from settings where key = ?1";
    Ok(connection.query_row(sql, [key], |row| row.get(0)).optional()?)
}

fn sealed(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "select count(*) from sqlite_schema where name = 'environment_values'";
    if connection.query_row(sql, [], |row| row.get::<_, u64>(0))? == 0 {
        // A Vial wrote it that did not keep any.
        return Ok(false);
    }
    let sql = "select exists (select 1 from environment_values where sealed is not null)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn releases(connection: &Connection) -> Result<BTreeMap<String, BTreeMap<u64, u64>>, StoreError> {
    let mut statement =
        connection.prepare("select app, number, size from releases where removed_at is null")?;
    let mut rows = statement.query([])?;
    let mut releases: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        releases.entry(row.get(0)?).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(releases)
}

#[cfg(test)]
mod tests {
    use super::super::Store;
    use super::*;

    #[tokio::test]
    async fn a_look_works_beside_the_daemon_and_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        let store = Store::open(&path).unwrap();
        assert_eq!(peek(&path).unwrap(), Peek::default());
        store.keep_setting("id", "abc".into()).await.unwrap();
        store.keep_setting("epmd_port", "4370".into()).await.unwrap();
        let expected = Peek { id: Some("abc".into()), epmd_port: Some(4370), ..Peek::default() };
        assert_eq!(peek(&path).unwrap(), expected);
        drop(store);
        assert_eq!(peek(&path).unwrap(), expected);
    }

    #[test]
    fn what_is_no_history_is_an_error_and_an_empty_file_is_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        assert!(peek(&path).is_err());
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        assert_eq!(peek(&path).unwrap(), Peek::default());
        std::fs::write(&path, [7; 8192]).unwrap();
        assert!(peek(&path).is_err());
    }
}
