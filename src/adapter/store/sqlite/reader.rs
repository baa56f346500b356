//! Reads: a small pool of connections, and the statements that matter.

use rusqlite::Connection;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::connection::{failed, open_for_reading};
use super::row::decode;
use crate::port::store::{Item, Key, Page, Query, SortRange, StoreError, TablePage};

const CONNECTIONS: usize = 3;

/// Bytes of bodies in one page, about (DynamoDB's limit): bounds how long a read holds its connection and its thread.
const MAX_PAGE: usize = 1024 * 1024;

pub(super) struct Readers {
    connections: Vec<Mutex<Connection>>,
}

impl Readers {
    pub fn open(database: &Path) -> Result<Self, StoreError> {
        let connections = (0..CONNECTIONS)
            .map(|_| open_for_reading(database).map(Mutex::new))
            .collect::<Result<_, _>>()?;
        Ok(Self { connections })
    }

    pub fn with<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        read(&self.free_connection())
    }

    /// The first free one, so that a quiet server reads through one warm page cache.
    fn free_connection(&self) -> MutexGuard<'_, Connection> {
        for connection in &self.connections {
            match connection.try_lock() {
                Ok(guard) => return guard,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        let last = &self.connections[CONNECTIONS - 1];
        last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn get(connection: &Connection, key: &Key) -> Result<Option<Item>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT body FROM items WHERE pk = ?1 AND sk = ?2")
        .map_err(failed)?;
    let mut rows = statement.query((&key.pk, &key.sk)).map_err(failed)?;
    rows.next()
        .map_err(failed)?
        .map(|row| decode(bytes(row, 0)?))
        .transpose()
}

pub(super) fn query(connection: &Connection, query: &Query) -> Result<Page, StoreError> {
    let (low, high) = bounds(query);
    let mut statement = connection
        .prepare_cached(if query.forward {
            "SELECT sk, body FROM items WHERE pk = ?1 AND sk >= ?2 AND sk < ?3 ORDER BY sk"
        } else {
            "SELECT sk, body FROM items WHERE pk = ?1 AND sk >= ?2 AND sk < ?3 ORDER BY sk DESC"
        })
        .map_err(failed)?;
    let mut rows = match high {
        Some(high) => statement.query((&query.pk, low, high)),
        // SQLite orders every blob after every text.
        None => statement.query((&query.pk, low, &[] as &[u8])),
    }
    .map_err(failed)?;
    let mut page = Page::default();
    let mut size = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        if page.items.len() == query.limit || size >= MAX_PAGE {
            page.next = page.items.last().map(|(key, _)| key.sk.clone());
            break;
        }
        let body = bytes(row, 1)?;
        size += body.len();
        let sk: String = row.get(0).map_err(failed)?;
        page.items.push((
            Key {
                pk: query.pk.clone(),
                sk,
            },
            decode(body)?,
        ));
    }
    Ok(page)
}

pub(super) fn scan(connection: &Connection, after: Option<&Key>) -> Result<TablePage, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT pk, sk, body FROM items WHERE (pk, sk) > (?1, ?2) ORDER BY pk, sk")
        .map_err(failed)?;
    // No key is empty, so all are after this one.
    let (pk, sk) = after.map_or(("", ""), |key| (&key.pk, &key.sk));
    let mut rows = statement.query((pk, sk)).map_err(failed)?;
    let mut page = TablePage::default();
    let mut size = 0;
    while let Some(row) = rows.next().map_err(failed)? {
        if size >= MAX_PAGE {
            page.next = page.items.last().map(|(key, _)| key.clone());
            break;
        }
        let key = Key {
            pk: row.get(0).map_err(failed)?,
            sk: row.get(1).map_err(failed)?,
        };
        let body = bytes(row, 2)?;
        size += key.pk.len() + key.sk.len() + body.len();
        page.items.push((key, decode(body)?));
    }
    Ok(page)
}

/// Bytes of pages that hold something; the write-ahead log, a few MiB at most, is left out.
pub(super) fn bytes_in_use(connection: &Connection) -> Result<u64, StoreError> {
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map(i64::unsigned_abs).map_err(failed)
    };
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages * pragma("page_size")?)
}

pub(super) fn check(connection: &Connection) -> Result<(), StoreError> {
    connection
        .query_row(
            "SELECT count(*) FROM items WHERE pk = '' AND sk = ''",
            [],
            |_| Ok(()),
        )
        .map_err(failed)
}

fn bytes<'a>(row: &'a rusqlite::Row<'_>, column: usize) -> Result<&'a [u8], StoreError> {
    row.get_ref(column)
        .and_then(|value| Ok(value.as_bytes()?))
        .map_err(failed)
}

/// The sort keys asked for: from the first, included, to the second, excluded; `None` is no end.
fn bounds(query: &Query) -> (String, Option<String>) {
    let (mut low, mut high) = match &query.range {
        SortRange::All => (String::new(), None),
        SortRange::Prefix(prefix) => (prefix.clone(), after_all_with(prefix)),
        SortRange::Between(first, last) => (first.clone(), Some(next_key(last))),
    };
    if let Some(after) = &query.after {
        if query.forward {
            low = low.max(next_key(after));
        } else if high.as_ref().is_none_or(|high| after < high) {
            high = Some(after.clone());
        }
    }
    (low, high)
}

/// The first text after this one.
fn next_key(text: &str) -> String {
    format!("{text}\0")
}

/// The first text after all that start with this prefix. The order of characters is that of their UTF-8 bytes.
fn after_all_with(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => char::from_u32(last as u32 + 1),
        };
        if let Some(next) = next {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_character() {
        assert_eq!(after_all_with("LOG#"), Some("LOG$".to_owned()));
        assert_eq!(after_all_with("a\u{7F}"), Some("a\u{80}".to_owned()));
        assert_eq!(after_all_with("\u{D7FF}"), Some("\u{E000}".to_owned()));
        assert_eq!(after_all_with("a\u{10FFFF}"), Some("b".to_owned()));
        assert_eq!(after_all_with("\u{10FFFF}"), None);
        assert_eq!(after_all_with(""), None);
    }

    #[test]
    fn going_on_never_leaves_the_range() {
        let query = Query {
            pk: "p".into(),
            range: SortRange::Between("b".into(), "d".into()),
            forward: true,
            limit: 1,
            after: Some("a".into()),
        };
        assert_eq!(bounds(&query), ("b".to_owned(), Some("d\0".to_owned())));
        let backward = Query {
            forward: false,
            after: Some("z".into()),
            ..query
        };
        assert_eq!(bounds(&backward), ("b".to_owned(), Some("d\0".to_owned())));
    }
}
