//! What the history was before a migration, kept beside it: `vial.db.schema-2.bak`.
//!
//! Migrations go forward only, so a backup is the way back to the Vial before.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

/// How many are kept: each is as large as the history, and who goes back goes one version back.
const KEPT: usize = 3;

/// What is larger is not read through when the daemon starts. It took 3 to 7 ms a MiB, and a
/// deployment takes about 700 bytes: these are 24,000 of them, and a tenth of a second.
const QUICKLY_READ: i64 = 16 << 20;

/// Why a backup was not made.
#[derive(Debug, thiserror::Error)]
pub(super) enum BackupError {
    /// The file system refused.
    #[error("{0}")]
    File(#[from] io::Error),
    /// SQLite refused.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Where the backup of a schema belongs.
pub(super) fn path(database: &Path, schema: usize) -> PathBuf {
    beside(database, &format!(".schema-{schema}.bak"))
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Makes the backup: aside, on the disk, then in its place. It is a whole history that can be copied
/// over the other one. One of the same schema is replaced: what was restored from it has gone on.
pub(super) fn make(
    database: &Path,
    connection: &Connection,
    schema: usize,
) -> Result<PathBuf, BackupError> {
    let place = path(database, schema);
    let aside = beside(database, ".bak.new");
    match fs::remove_file(&aside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    // Made empty first: SQLite would give it the mode that the umask leaves.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
    let written = write(connection, &aside).and_then(|()| Ok(file.sync_all()?));
    if let Err(error) = written {
        let _ = fs::remove_file(&aside);
        return Err(error);
    }
    fs::rename(&aside, &place)?;
    if let Some(folder) = database.parent() {
        File::open(folder)?.sync_all()?;
    }
    for old in all(database).iter().rev().skip(KEPT) {
        let old = path(database, *old);
        if let Err(error) = fs::remove_file(&old) {
            tracing::warn!(backup = %old.display(), %error, "an old backup stays");
        }
    }
    Ok(place)
}

fn write(connection: &Connection, to: &Path) -> Result<(), BackupError> {
    // In one read transaction, and without what the WAL holds apart.
    let to = to.to_str().ok_or_else(|| io::Error::other("its path is not UTF-8"))?;
    connection.execute("vacuum into ?1", [to])?;
    Ok(())
}

/// The newest backup that a Vial which knows that many schemas could read.
pub(super) fn newest(database: &Path, known: usize) -> Option<PathBuf> {
    let schema = all(database).into_iter().rev().find(|schema| *schema <= known)?;
    Some(path(database, schema))
}

/// The schemas of all backups, oldest first.
fn all(database: &Path) -> Vec<usize> {
    let (Some(folder), Some(name)) = (database.parent(), database.file_name()) else {
        return Vec::new();
    };
    let schema = |entry: fs::DirEntry| {
        let file = entry.file_name();
        let rest = file.to_str()?.strip_prefix(name.to_str()?)?;
        rest.strip_prefix(".schema-")?.strip_suffix(".bak")?.parse().ok()
    };
    let mut schemas: Vec<usize> =
        fs::read_dir(folder).into_iter().flatten().flatten().filter_map(schema).collect();
    schemas.sort_unstable();
    schemas
}

/// What SQLite finds wrong with the file's structure, where it is small enough to be read through.
pub(super) fn damage(connection: &Connection) -> Result<Option<String>, rusqlite::Error> {
    let size: i64 = connection.query_row(
        "select page_count * page_size from pragma_page_count, pragma_page_size",
        [],
        |row| row.get(0),
    )?;
    if size > QUICKLY_READ {
        return Ok(None);
    }
    let found: String = connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::super::schema::{KNOWN, MIGRATIONS};
    use super::super::{OpenError, Store};
    use super::*;

    /// A history as the first Vial left it, with an app in it.
    fn old() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        let mut connection = Connection::open(&path).unwrap();
        MIGRATIONS.to_version(&mut connection, 1).unwrap();
        connection.execute("insert into apps (name, active) values ('shop', 'green')", []).unwrap();
        (folder, path)
    }

    fn schema(path: &Path) -> usize {
        let connection = Connection::open(path).unwrap();
        connection.query_row("pragma user_version", [], |row| row.get(0)).unwrap()
    }

    #[tokio::test]
    async fn a_history_is_kept_before_it_is_migrated_and_can_be_restored() {
        let (_folder, path) = old();
        let store = Store::open(&path).unwrap();
        store.keep_setting("id", "later".into()).await.unwrap();
        drop(store);
        // The thread closes it in its own time, and the WAL goes with that.
        while beside(&path, "-wal").exists() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert_eq!(schema(&path), KNOWN);
        let kept = self::path(&path, 1);
        assert_eq!(schema(&kept), 1);
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
        fs::copy(&kept, &path).unwrap();
        let restored = Store::open(&path).unwrap();
        let loaded = restored.load("shop", 1).await.unwrap();
        assert_eq!(loaded.active, Some(vial_protocol::Slot::Green));
        assert_eq!(restored.setting("id").await.unwrap(), None);
    }

    #[test]
    fn what_only_the_wal_knows_is_kept_too() {
        let (_folder, path) = old();
        let writer = Connection::open(&path).unwrap();
        writer.execute_batch("pragma journal_mode = wal; pragma wal_autocheckpoint = 0;").unwrap();
        writer.execute("insert into apps (name) values ('api')", []).unwrap();
        drop(Store::open(&path).unwrap());
        let kept = Connection::open(self::path(&path, 1)).unwrap();
        let apps: u32 = kept.query_row("select count(*) from apps", [], |row| row.get(0)).unwrap();
        assert_eq!(apps, 2);
    }

    #[test]
    fn a_backup_that_cannot_be_made_refuses_the_migration() {
        let (_folder, path) = old();
        // Something stands where it is written, which nobody can remove as a file, root neither.
        fs::create_dir_all(beside(&path, ".bak.new").join("in the way")).unwrap();
        let refused = Store::open(&path).unwrap_err();
        assert!(matches!(&refused, OpenError::Backup { from: 1, .. }), "{refused}");
        let said = refused.to_string();
        assert!(said.contains("Nothing was changed") && said.contains("schema-1.bak"), "{said}");
        assert_eq!(schema(&path), 1);
    }

    #[test]
    fn an_empty_and_an_up_to_date_history_are_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vial.db");
        drop(Store::open(&path).unwrap());
        drop(Store::open(&path).unwrap());
        assert_eq!(all(&path), Vec::<usize>::new());
    }

    #[test]
    fn the_newest_three_are_kept() {
        let (_folder, path) = old();
        let connection = Connection::open(&path).unwrap();
        for schema in [2, 10, 9, 11] {
            make(&path, &connection, schema).unwrap();
        }
        assert_eq!(all(&path), [9, 10, 11]);
        assert_eq!(newest(&path, 10), Some(self::path(&path, 10)));
        assert_eq!(newest(&path, 8), None);
    }

    #[test]
    fn a_newer_history_stays_as_it_is_and_the_refusal_names_the_backup() {
        let (_folder, path) = old();
        drop(Store::open(&path).unwrap());
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = Store::open(&path).unwrap_err().to_string();
        assert!(refused.contains("schema 99") && refused.contains("schema-1.bak"), "{refused}");
        fs::remove_file(self::path(&path, 1)).unwrap();
        let refused = Store::open(&path).unwrap_err().to_string();
        assert!(refused.ends_with("Install that version again."), "{refused}");
        assert_eq!(schema(&path), 99);
    }

    #[test]
    fn damage_is_found() {
        let (_folder, path) = old();
        let connection = Connection::open(&path).unwrap();
        assert_eq!(damage(&connection).unwrap(), None);
        drop(connection);
        let mut bytes = fs::read(&path).unwrap();
        let pages = bytes.len() / 4096;
        assert!(pages > 3, "{pages}");
        bytes[4096 * 2..4096 * 3].fill(7);
        fs::write(&path, bytes).unwrap();
        let found = damage(&Connection::open(&path).unwrap());
        assert!(!matches!(found, Ok(None)), "{found:?}");
    }
}
