//! The directory, its lock, the file and its schema.

use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::port::store::StoreError;

const SCHEMA_VERSION: i64 = 1;

/// Text columns compare by their bytes (BINARY), which is DynamoDB's order. `expires_at` repeats the attribute of that name for its index.
const SCHEMA: &str = "
    BEGIN IMMEDIATE;
    CREATE TABLE items (pk TEXT NOT NULL, sk TEXT NOT NULL, body BLOB NOT NULL, expires_at INTEGER, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
    CREATE INDEX items_expiring ON items (expires_at) WHERE expires_at IS NOT NULL;
    CREATE TABLE transactions (token TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX transactions_by_time ON transactions (at);
    PRAGMA user_version = 1;
    COMMIT;
";

/// How long a statement waits for another process, such as a backup, that holds the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the directory, for its owner alone, and takes it for as long as the file lives.
///
/// The lock is the kernel's: it ends with the process, however that ends. SQLite's own locks would let a second server in.
pub(super) fn lock_directory(directory: &Path) -> Result<File, StoreError> {
    let failed = |what: &str, error: std::io::Error| {
        StoreError::Failed(format!("cannot {what} in {}: {error}", directory.display()))
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|error| failed("make the data directory", error))?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join("lock"))
        .map_err(|error| failed("make the lock file", error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Failed(format!(
            "another server uses the data directory {}: stop it, or give this one a directory of its own",
            directory.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed("take the lock file", error)),
    }
}

/// The connection that makes the schema and writes.
pub(super) fn open_for_writing(database: &Path) -> Result<Connection, StoreError> {
    // SQLite would make the file readable for everyone; its log takes over the mode it finds.
    OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(database)
        .and_then(|file| file.sync_all())
        .and_then(|()| {
            database
                .parent()
                .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
        })
        .map_err(|error| {
            StoreError::Failed(format!("cannot write {}: {error}", database.display()))
        })?;
    let connection = open(database)?;
    // 8 KiB: a row of up to 2 KB stays in its leaf instead of spilling to an overflow page. Only heard before the first table exists.
    connection
        .execute_batch("PRAGMA page_size = 8192")
        .map_err(failed)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(StoreError::Failed(format!(
            "{} cannot keep a write-ahead log (its journal mode stays {mode}): put the data directory on a local disk",
            database.display()
        )));
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864")
        .map_err(failed)?;
    migrate(&connection, database)?;
    Ok(connection)
}

/// A connection that only reads.
pub(super) fn open_for_reading(database: &Path) -> Result<Connection, StoreError> {
    let connection = open(database)?;
    connection
        .execute_batch("PRAGMA query_only = 1")
        .map_err(failed)?;
    Ok(connection)
}

fn open(database: &Path) -> Result<Connection, StoreError> {
    // One thread at a time uses a connection (the writer's own, or behind a mutex): SQLite's own mutexes would only cost.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection
        .execute_batch("PRAGMA cache_size = -4096")
        .map_err(failed)?;
    Ok(connection)
}

fn migrate(connection: &Connection, database: &Path) -> Result<(), StoreError> {
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(failed)?;
    match version {
        0 => connection.execute_batch(SCHEMA).map_err(failed),
        SCHEMA_VERSION => Ok(()),
        _ => Err(StoreError::Failed(format!(
            "{} has schema {version}, this program knows up to {SCHEMA_VERSION}: start the newer program that wrote it",
            database.display()
        ))),
    }
}

/// SQLite's error in the port's terms.
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
        Some(ErrorCode::DiskFull) => {
            StoreError::Failed("the disk of the data directory is full: make room on it".to_owned())
        }
        _ => StoreError::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> (tempfile::TempDir, std::path::PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("blue-faas.db");
        (directory, database)
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let (_directory, database) = database();
        open_for_writing(&database)
            .unwrap()
            .execute_batch("PRAGMA user_version = 2")
            .unwrap();
        let error = open_for_writing(&database).unwrap_err().to_string();
        assert!(
            error.contains("has schema 2, this program knows up to 1"),
            "{error}"
        );
        let version: i64 = open(&database)
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(version, 2);
    }

    #[test]
    fn writes_are_synced_to_the_log_before_they_are_acknowledged() {
        let (_directory, database) = database();
        let connection = open_for_writing(&database).unwrap();
        let pragma = |name: &str| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))
                .unwrap()
        };
        assert_eq!(pragma("synchronous"), rusqlite::types::Value::Integer(2));
        assert_eq!(
            pragma("journal_mode"),
            rusqlite::types::Value::Text("wal".to_owned())
        );
    }

    #[test]
    fn the_readers_connection_cannot_write() {
        let (_directory, database) = database();
        let _writer = open_for_writing(&database).unwrap();
        let reader = open_for_reading(&database).unwrap();
        assert!(reader.execute("DELETE FROM items", []).is_err());
    }

    #[test]
    fn only_the_owner_can_read_the_data() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("data");
        let _lock = lock_directory(&directory).unwrap();
        let _writer = open_for_writing(&directory.join("blue-faas.db")).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory), 0o700);
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}
