//! Which functions of a workspace were called when: what happened in it last is found without asking each of its functions.
//!
//! Invariant: an execution and the entry of its function and second are one transaction, and the entry does not expire before it. A workspace
//! that is older than the entries says since when there are any.

use futures::future::try_join_all;
use serde_json::Value;
use std::collections::{BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use crate::model::error::Result;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::store::{EXPIRES_AT, Item, Key, Query, SortRange, Write};
use crate::service::statistics::SHARDS;
use crate::service::table::Table;

/// Attribute of an execution: in which shard its entry is.
const SHARD: &str = "activity_shard";
/// Entries read at once.
const READ: usize = 64;
/// Executions deleted in one transaction, each with its entry.
const DELETED: usize = 50;
/// A second in the year 9999: the texts of later ones are longer, and out of order.
pub(super) const END: i64 = 253_402_000_000;

/// The entries of executions of a function that began in these seconds.
pub(super) fn entries(
    workspace: &WorkspaceId,
    function: &FunctionId,
    shard: u16,
    seconds: BTreeSet<i64>,
    kept_seconds: i64,
) -> impl Iterator<Item = Write> {
    let put = move |second: i64| {
        let key = keys::activity(workspace, shard, second, function);
        // The second's executions expire within it.
        let expires_at = Value::from(second + 1 + kept_seconds);
        Write::put(key, Item::from_iter([(EXPIRES_AT.to_owned(), expires_at)]))
    };
    seconds.into_iter().map(put)
}

/// Says in an execution's item in which shard its entry is.
pub(super) fn note_shard(item: &mut Item, shard: u16) {
    item.insert(SHARD.to_owned(), shard.into());
}

/// When an execution began, by its sort key. Its text alone gives the order, so that an offset in those of the first system counts for nothing.
pub(in crate::service) fn second_of(sort_key: &str) -> Option<i64> {
    let text = sort_key.strip_prefix(keys::EXECUTION_PREFIX)?;
    let local = text.get(.."2025-12-07T12:00:00".len())?;
    let at: Timestamp = format!("{local}+09:00").parse().ok()?;
    Some(at.seconds())
}

/// An execution's key, and that of its entry if it has one.
pub(in crate::service) struct Recorded {
    pub execution: Key,
    pub entry: Option<Key>,
}

impl Recorded {
    pub fn of(workspace: &WorkspaceId, function: &FunctionId, (key, item): (Key, Item)) -> Self {
        let entry = || {
            let shard = u16::try_from(item.get(SHARD)?.as_u64()?).ok()?;
            let second = second_of(&key.sk)?;
            Some(keys::activity(workspace, shard, second, function))
        };
        Self {
            entry: entry(),
            execution: key,
        }
    }
}

/// What deletes these executions and entries.
pub(in crate::service) fn deletions(executions: impl Iterator<Item = Recorded>) -> Vec<Write> {
    let keys: BTreeSet<Key> = executions
        .flat_map(|one| [Some(one.execution), one.entry])
        .flatten()
        .collect();
    keys.into_iter().map(Write::delete).collect()
}

/// Deletes a function's executions with their entries; safe to run again.
pub(in crate::service) async fn delete_executions(
    table: &Table,
    workspace: &WorkspaceId,
    function: &FunctionId,
) -> Result<()> {
    let partition = keys::function_partition(function);
    loop {
        let query = Query::prefix(&partition, keys::EXECUTION_PREFIX).limit(DELETED);
        let page = table.page(&query).await?;
        if page.items.is_empty() {
            return Ok(());
        }
        let items = page.items.into_iter();
        let executions = items.map(|item| Recorded::of(workspace, function, item));
        table.transact(deletions(executions)).await?;
    }
}

/// Deletes what is left of a workspace's entries; safe to run again.
pub(in crate::service) async fn delete_all(table: &Table, workspace: &WorkspaceId) -> Result<()> {
    for shard in 0..SHARDS {
        let partition = keys::activity_partition(workspace, shard);
        table.delete_partition(&partition, "").await?;
    }
    Ok(())
}

/// Another one after each call of a function of the workspace. `None` unless the table is exclusive.
pub(super) fn version(table: &Table, workspace: &WorkspaceId) -> Option<u64> {
    (0..SHARDS).try_fold(0_u64, |all, shard| {
        let version = table.version(&keys::activity_partition(workspace, shard))?;
        Some(all.wrapping_mul(31).wrapping_add(version))
    })
}

/// Time without a gap, and who was called in it.
pub(super) struct Stretch {
    /// `None` when any function may have been.
    pub functions: Option<BTreeSet<FunctionId>>,
    pub first_second: i64,
    /// It ends before this second.
    pub end: i64,
    /// How many entries say so: each stands for one execution at least, unless it was deleted.
    pub entries: usize,
}

/// When functions of a workspace were called, newest first.
pub(super) struct Activity<'a> {
    table: &'a Table,
    shards: Vec<Shard>,
    first_second: i64,
    /// There are no entries before this second, and calls there may have been.
    unknown_before: Option<i64>,
}

struct Shard {
    /// `None` at the end.
    query: Option<Query>,
    read: VecDeque<(i64, FunctionId)>,
}

impl Shard {
    async fn fill(&mut self, table: &Table) -> Result<()> {
        while self.read.is_empty()
            && let Some(query) = &mut self.query
        {
            let page = table.page(query).await?;
            let entries = page.items.iter().filter_map(|(key, _)| parse(&key.sk));
            self.read.extend(entries);
            query.after = page.next;
            if query.after.is_none() {
                self.query = None;
            }
        }
        Ok(())
    }
}

fn parse(sort_key: &str) -> Option<(i64, FunctionId)> {
    let (second, function) = sort_key.split_once('#')?;
    Some((second.parse().ok()?, FunctionId::parse(function).ok()?))
}

impl<'a> Activity<'a> {
    /// In these seconds. Entries count from the second `since`.
    pub async fn read(
        table: &'a Table,
        workspace: &WorkspaceId,
        seconds: RangeInclusive<i64>,
        since: i64,
    ) -> Result<Self> {
        let first_second = *seconds.start();
        let from = first_second.max(since);
        let range = SortRange::Between(place(from), format!("{}~", place(*seconds.end())));
        let of_shard = |shard| Shard {
            query: Some(Query {
                range: range.clone(),
                ..Query::prefix(keys::activity_partition(workspace, shard), "")
                    .newest_first()
                    .limit(READ)
            }),
            read: VecDeque::new(),
        };
        let mut shards: Vec<Shard> = Vec::new();
        if from <= *seconds.end() {
            shards = (0..SHARDS).map(of_shard).collect();
        }
        let fills: Vec<_> = shards.iter_mut().map(|shard| shard.fill(table)).collect();
        try_join_all(fills).await?;
        Ok(Self {
            table,
            shards,
            first_second,
            unknown_before: Some(since).filter(|since| first_second < *since),
        })
    }

    /// The newest second that is left.
    async fn newest(&mut self) -> Result<Option<i64>> {
        for shard in &mut self.shards {
            shard.fill(self.table).await?;
        }
        let heads = self.shards.iter().filter_map(|shard| shard.read.front());
        Ok(heads.map(|(second, _)| *second).max())
    }

    pub async fn is_over(&mut self) -> Result<bool> {
        Ok(self.unknown_before.is_none() && self.newest().await?.is_none())
    }

    /// What follows, as far back as it takes to have so many entries; `None` at the end.
    pub async fn stretch(&mut self, entries: usize) -> Result<Option<Stretch>> {
        let mut functions = BTreeSet::new();
        let (mut seconds, mut count) = (None, 0);
        while count < entries
            && let Some(second) = self.newest().await?
        {
            let (_, last) = seconds.unwrap_or((second, second));
            seconds = Some((second, last));
            for shard in &mut self.shards {
                while let Some((_, function)) = shard.read.pop_front_if(|(of, _)| *of == second) {
                    functions.insert(function);
                    count += 1;
                    shard.fill(self.table).await?;
                }
            }
        }
        if let Some((first_second, last)) = seconds {
            return Ok(Some(Stretch {
                functions: Some(functions),
                first_second,
                end: last + 1,
                entries: count,
            }));
        }
        let unknown = self.unknown_before.take().map(|end| Stretch {
            functions: None,
            first_second: self.first_second,
            end,
            entries: 0,
        });
        Ok(unknown)
    }
}

/// The beginning of an entry's sort key.
fn place(second: i64) -> String {
    format!("{:012}", second.clamp(0, END))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::ExecutionId;

    fn execution(function: &FunctionId, micros: i64, id: &str) -> (Key, Item) {
        let at = Timestamp::from_micros(1_765_000_000_000_000 + micros);
        let id = ExecutionId::parse(id).expect("an id");
        let key = keys::execution(&keys::function_partition(function), at, &id);
        let mut item = Item::new();
        note_shard(&mut item, 3);
        (key, item)
    }

    #[test]
    fn an_entry_goes_once_with_its_executions() {
        let workspace = WorkspaceId::parse("w").expect("an id");
        let function = FunctionId::parse("f").expect("an id");
        let executions = [
            execution(&function, 1, "a"),
            execution(&function, 999_999, "b"),
        ];
        let keys = executions.clone().map(|(key, _)| key);
        let recorded = executions.map(|one| Recorded::of(&workspace, &function, one));
        let entry = keys::activity(&workspace, 3, 1_765_000_000, &function);
        let expected = std::iter::once(entry).chain(keys).map(Write::delete);
        assert_eq!(
            deletions(recorded.into_iter()),
            expected.collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_sort_key_tells_its_second_with_and_without_what_follows() {
        let second = |text: &str| second_of(&format!("LOG#{text}"));
        let expected = Some(1_765_076_400);
        assert_eq!(second("2025-12-07T12:00:00.123456+09:00#id"), expected);
        assert_eq!(second("2025-12-07T12:00:00+09:00"), expected);
        assert_eq!(second("2025-12-07T12:00:00"), expected);
        for wrong in [
            "",
            "2025",
            "\u{e9}025-12-07T12:00:00",
            "2025-13-07T12:00:00",
        ] {
            assert_eq!(second(wrong), None, "{wrong}");
        }
    }
}
