//! What a write does to the table.
//!
//! A change is planned before anything of it is applied: its conditions and sums are worked out from the item as it is, and keys of a
//! transaction are distinct, so a plan that succeeds cannot be refused half-way. That makes a savepoint for each transaction of a group
//! needless: what is refused has written nothing, and what SQLite itself fails at takes the whole group back.

use rusqlite::{Connection, OptionalExtension};
use std::borrow::Cow;

use super::condition::holds;
use super::connection::failed;
use super::row::{Row, decode, number};
use crate::adapter::store::limits::{check_key, check_update};
use crate::port::store::{Condition, Item, Key, StoreError, Update, Write};

/// A token is remembered for longer than the ten minutes that are promised, so that a caller's clock does not matter.
const TOKEN_SECONDS: i64 = 900;

/// A write that was checked as far as it can be without the table, its item encoded: work kept off the writer's thread.
#[derive(Debug)]
pub(super) enum Change {
    Put {
        key: Key,
        row: Row,
        condition: Option<Condition>,
    },
    Update(Update),
    Delete {
        key: Key,
        condition: Option<Condition>,
    },
    Check {
        key: Key,
        condition: Condition,
    },
}

impl Change {
    pub fn partition(&self) -> &str {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => &key.pk,
            Self::Update(update) => &update.key.pk,
        }
    }

    pub fn new(write: Write) -> Result<Self, StoreError> {
        check_key(write.key())?;
        Ok(match write {
            Write::Put {
                key,
                item,
                condition,
            } => Self::Put {
                key,
                row: Row::encode(&item)?,
                condition,
            },
            Write::Update(update) => {
                check_update(&update)?;
                Self::Update(update)
            }
            Write::Delete { key, condition } => Self::Delete { key, condition },
            Write::Check { key, condition } => Self::Check { key, condition },
        })
    }
}

/// Why a change did not happen.
#[derive(Debug)]
pub(super) enum Fault {
    /// This one is refused; nothing of it was written and the others of its group go on.
    Refused(StoreError),
    /// SQLite failed: the group cannot be committed.
    Broken(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(failed(error))
    }
}

/// What is left to do once a change was planned.
enum Effect<'a> {
    Put(&'a Key, Cow<'a, Row>),
    Delete(&'a Key),
    Nothing,
}

/// Applies one change; answers the item after an update.
pub(super) fn write(connection: &Connection, change: &Change) -> Result<Option<Item>, Fault> {
    let (effect, item) = plan(connection, change, 0)?;
    apply(connection, &effect)?;
    Ok(item)
}

/// Applies all changes or, when one is refused, none. `now` is in seconds since the epoch.
pub(super) fn transact(
    connection: &Connection,
    changes: &[Change],
    token: Option<&str>,
    now: i64,
) -> Result<(), Fault> {
    if let Some(token) = token
        && has_token(connection, token, now)?
    {
        return Ok(());
    }
    let effects = changes
        .iter()
        .enumerate()
        .map(|(index, change)| plan(connection, change, index).map(|(effect, _)| effect))
        .collect::<Result<Vec<_>, _>>()?;
    for effect in &effects {
        apply(connection, effect)?;
    }
    if let Some(token) = token {
        remember_token(connection, token, now)?;
    }
    Ok(())
}

/// Removes expired items, the longest expired first.
pub(super) fn purge(connection: &Connection, now: i64, limit: usize) -> Result<usize, Fault> {
    let sql = "DELETE FROM items WHERE (pk, sk) IN (SELECT pk, sk FROM items WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
    Ok(connection
        .prepare_cached(sql)?
        .execute((now, i64::try_from(limit).unwrap_or(i64::MAX)))?)
}

fn plan<'a>(
    connection: &Connection,
    change: &'a Change,
    index: usize,
) -> Result<(Effect<'a>, Option<Item>), Fault> {
    let refuse_unless = |condition: Option<&Condition>, item: Option<&Item>| match condition {
        Some(condition) if !holds(condition, item) => {
            Err(Fault::Refused(StoreError::ConditionFailed { index }))
        }
        _ => Ok(()),
    };
    match change {
        Change::Put {
            key,
            row,
            condition,
        } => {
            if condition.is_some() {
                refuse_unless(condition.as_ref(), read(connection, key)?.as_ref())?;
            }
            Ok((Effect::Put(key, Cow::Borrowed(row)), None))
        }
        Change::Update(update) => {
            let before = read(connection, &update.key)?;
            refuse_unless(update.condition.as_ref(), before.as_ref())?;
            let item = updated(before.unwrap_or_default(), update).map_err(Fault::Refused)?;
            let row = Row::encode(&item).map_err(Fault::Refused)?;
            Ok((Effect::Put(&update.key, Cow::Owned(row)), Some(item)))
        }
        Change::Delete { key, condition } => {
            if condition.is_some() {
                refuse_unless(condition.as_ref(), read(connection, key)?.as_ref())?;
            }
            Ok((Effect::Delete(key), None))
        }
        Change::Check { key, condition } => {
            refuse_unless(Some(condition), read(connection, key)?.as_ref())?;
            Ok((Effect::Nothing, None))
        }
    }
}

fn updated(mut item: Item, update: &Update) -> Result<Item, StoreError> {
    for name in &update.remove {
        item.remove(name);
    }
    for (name, amount) in &update.add {
        let before = match item.get(name) {
            None => 0.0,
            Some(value) => value.as_f64().ok_or_else(|| {
                StoreError::Failed(format!("the attribute {name} is no number to add to"))
            })?,
        };
        let sum = number(before + amount).ok_or_else(|| {
            StoreError::Failed(format!("the sum of the attribute {name} is no number"))
        })?;
        item.insert(name.clone(), sum);
    }
    item.extend(
        update
            .set
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    Ok(item)
}

fn apply(connection: &Connection, effect: &Effect<'_>) -> rusqlite::Result<()> {
    match effect {
        Effect::Put(key, row) => connection
            .prepare_cached(
                "INSERT INTO items (pk, sk, body, expires_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (pk, sk) DO UPDATE SET body = excluded.body, expires_at = excluded.expires_at",
            )?
            .execute((&key.pk, &key.sk, &row.body, row.expires_at))
            .map(drop),
        Effect::Delete(key) => connection
            .prepare_cached("DELETE FROM items WHERE pk = ?1 AND sk = ?2")?
            .execute((&key.pk, &key.sk))
            .map(drop),
        Effect::Nothing => Ok(()),
    }
}

fn read(connection: &Connection, key: &Key) -> Result<Option<Item>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT body FROM items WHERE pk = ?1 AND sk = ?2")?;
    let mut rows = statement.query((&key.pk, &key.sk))?;
    match rows.next()? {
        None => Ok(None),
        Some(row) => decode(row.get_ref(0)?.as_bytes().map_err(rusqlite::Error::from)?)
            .map(Some)
            .map_err(Fault::Refused),
    }
}

fn has_token(connection: &Connection, token: &str, now: i64) -> rusqlite::Result<bool> {
    let mut statement =
        connection.prepare_cached("SELECT 1 FROM transactions WHERE token = ?1 AND at > ?2")?;
    Ok(statement
        .query_row((token, now - TOKEN_SECONDS), |_| Ok(()))
        .optional()?
        .is_some())
}

fn remember_token(connection: &Connection, token: &str, now: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO transactions (token, at) VALUES (?1, ?2)")?
        .execute((token, now))?;
    // Two go for each that comes: the table shrinks to what is remembered without a sweep that would hold up the writer.
    connection
        .prepare_cached("DELETE FROM transactions WHERE token IN (SELECT token FROM transactions WHERE at <= ?1 ORDER BY at LIMIT 2)")?
        .execute([now - TOKEN_SECONDS])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::connection::open_for_writing;
    use super::*;

    fn table() -> (tempfile::TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let connection = open_for_writing(&directory.path().join("blue-faas.db")).unwrap();
        (directory, connection)
    }

    fn count_up() -> [Change; 1] {
        [Change::new(Write::Update(Update::new(Key::new("p", "s")).add("n", 1.0))).unwrap()]
    }

    fn n(connection: &Connection) -> i64 {
        read(connection, &Key::new("p", "s")).unwrap().unwrap()["n"]
            .as_i64()
            .unwrap()
    }

    #[test]
    fn a_token_counts_once_for_ten_minutes_and_is_forgotten_later() {
        let (_directory, connection) = table();
        transact(&connection, &count_up(), Some("t"), 1_000).unwrap();
        transact(&connection, &count_up(), Some("t"), 1_600).unwrap();
        assert_eq!(n(&connection), 1);
        transact(&connection, &count_up(), Some("t"), 1_000 + TOKEN_SECONDS).unwrap();
        assert_eq!(n(&connection), 2);
    }

    #[test]
    fn forgotten_tokens_leave_the_table() {
        let (_directory, connection) = table();
        for token in 0..10 {
            transact(&connection, &[], Some(&format!("old-{token}")), 1_000).unwrap();
        }
        for token in 0..5 {
            transact(&connection, &[], Some(&format!("new-{token}")), 5_000).unwrap();
        }
        let left: i64 = connection
            .query_row("SELECT count(*) FROM transactions", [], |row| row.get(0))
            .unwrap();
        assert_eq!(left, 5);
    }

    #[test]
    fn a_refused_transaction_does_not_use_up_its_token() {
        let (_directory, connection) = table();
        let check = || {
            Change::new(Write::Check {
                key: Key::new("p", "s"),
                condition: Condition::Exists,
            })
            .unwrap()
        };
        assert!(matches!(
            transact(&connection, &[check()], Some("t"), 1_000),
            Err(Fault::Refused(StoreError::ConditionFailed { index: 0 }))
        ));
        transact(&connection, &count_up(), Some("t"), 1_001).unwrap();
        assert_eq!(n(&connection), 1);
    }

    #[test]
    fn the_longest_expired_are_purged_first() {
        let (_directory, connection) = table();
        for (sk, at) in [("a", 30), ("b", 10), ("c", 20), ("d", 99)] {
            let item = serde_json::json!({"expires_at": at})
                .as_object()
                .unwrap()
                .clone();
            write(
                &connection,
                &Change::new(Write::put(Key::new("p", sk), item)).unwrap(),
            )
            .unwrap();
        }
        assert_eq!(purge(&connection, 30, 2).unwrap(), 2);
        assert!(read(&connection, &Key::new("p", "a")).unwrap().is_some());
        assert_eq!(purge(&connection, 30, 2).unwrap(), 1);
        assert!(read(&connection, &Key::new("p", "d")).unwrap().is_some());
    }

    #[test]
    fn purging_and_token_checks_use_their_indexes() {
        let (_directory, connection) = table();
        let plan = |sql: &str| -> String {
            let mut statement = connection
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
                .unwrap();
            let lines: Vec<String> = statement
                .query_map([], |row| row.get(3))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            lines.join("; ")
        };
        let expired =
            plan("SELECT pk, sk FROM items WHERE expires_at <= 5 ORDER BY expires_at LIMIT 2");
        assert!(
            expired.contains("items_expiring") && !expired.contains("TEMP B-TREE"),
            "{expired}"
        );
        let tokens = plan("SELECT token FROM transactions WHERE at <= 5 ORDER BY at LIMIT 2");
        assert!(
            tokens.contains("transactions_by_time") && !tokens.contains("TEMP B-TREE"),
            "{tokens}"
        );
    }
}
