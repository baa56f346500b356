//! The single table, in DynamoDB's terms.

use async_trait::async_trait;
use serde_json::{Map, Value};

/// Attributes of an item, without `PK` and `SK`. Numbers are JSON integers within ±2^53 or floats; no attribute value is `null` at the top level.
pub type Item = Map<String, Value>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

impl Key {
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The item exists.
    Exists,
    /// No item has this key.
    Absent,
    /// The attribute has this value.
    Equals(String, Value),
    /// The attribute has one of these values.
    OneOf(String, Vec<Value>),
    /// The attribute is missing.
    Missing(String),
    /// The attribute is missing, or is a number or text below this value.
    MissingOrBelow(String, Value),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// A change of one item. All of it happens, or none.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub key: Key,
    /// Attributes to set.
    pub set: Item,
    /// Attributes to drop; a missing one is fine.
    pub remove: Vec<String>,
    /// Numbers to add to an attribute; a missing one counts as 0.
    pub add: Vec<(String, f64)>,
    pub condition: Option<Condition>,
}

impl Update {
    pub fn new(key: Key) -> Self {
        Self {
            key,
            set: Item::new(),
            remove: Vec::new(),
            add: Vec::new(),
            condition: None,
        }
    }

    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.set.insert(name.to_owned(), value.into());
        self
    }

    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(name.to_owned());
        self
    }

    #[must_use]
    pub fn add(mut self, name: &str, amount: f64) -> Self {
        self.add.push((name.to_owned(), amount));
        self
    }

    #[must_use]
    pub fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// Replaces the whole item.
    Put {
        key: Key,
        item: Item,
        condition: Option<Condition>,
    },
    /// Creates the item when it is missing, unless the condition says otherwise.
    Update(Update),
    /// A missing item is fine, unless the condition says otherwise.
    Delete {
        key: Key,
        condition: Option<Condition>,
    },
    /// Changes nothing; the transaction fails unless the condition holds.
    Check { key: Key, condition: Condition },
}

impl Write {
    pub fn put(key: Key, item: Item) -> Self {
        Self::Put {
            key,
            item,
            condition: None,
        }
    }

    /// Puts only when no item has the key.
    pub fn create(key: Key, item: Item) -> Self {
        Self::Put {
            key,
            item,
            condition: Some(Condition::Absent),
        }
    }

    pub fn delete(key: Key) -> Self {
        Self::Delete {
            key,
            condition: None,
        }
    }

    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
            Self::Update(update) => &update.key,
        }
    }
}

/// Sort keys within a partition, both ends included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortRange {
    All,
    Prefix(String),
    Between(String, String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub pk: String,
    pub range: SortRange,
    pub forward: bool,
    /// Items at most; a store may answer fewer with `next` set.
    pub limit: usize,
    /// Goes on after this sort key, in the query's direction.
    pub after: Option<String>,
}

impl Query {
    pub fn prefix(pk: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            range: SortRange::Prefix(prefix.into()),
            forward: true,
            limit: 1_000,
            after: None,
        }
    }

    #[must_use]
    pub fn newest_first(mut self) -> Self {
        self.forward = false;
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    #[must_use]
    pub fn after(mut self, sk: Option<String>) -> Self {
        self.after = sk;
        self
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub items: Vec<(Key, Item)>,
    /// The sort key to go on after; `None` at the end.
    pub next: Option<String>,
}

/// Some items of the whole table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TablePage {
    pub items: Vec<(Key, Item)>,
    /// The key to go on after; `None` at the end.
    pub next: Option<Key>,
}

/// Most writes of one transaction (DynamoDB's limit).
pub const MAX_TRANSACTION: usize = 100;

/// Most lists and maps within each other in an attribute (DynamoDB has 32 levels; one is the item's). What comes from outside, such as a logged
/// body, can be deeper: it is kept as a text then.
pub const MAX_DEPTH: usize = 31;

/// The attribute that says from when on an item may be removed: a number, seconds since the epoch.
pub const EXPIRES_AT: &str = "expires_at";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A condition did not hold: nothing was written. `index` is that of the write in its transaction, 0 for a single one.
    #[error("condition of write {index} does not hold")]
    ConditionFailed { index: usize },
    /// Too many writes at once or a conflict that outlived the retries; the same call may succeed later.
    #[error("the store is busy")]
    Busy,
    #[error("the store failed: {0}")]
    Failed(String),
}

/// The single table. Implementations MUST
///
/// - make every acknowledged write durable: it is there after `kill -9` and after a power cut;
/// - apply each write, and each transaction, whole or not at all, isolated from the others;
/// - let a read that starts after an acknowledged write see it;
/// - order a partition by the bytes of its sort keys, and never answer an item twice or skip one that was there throughout a paged query;
/// - give back numbers, texts, booleans, lists and maps as they were written, `null` inside a list or map included;
/// - check conditions against the item as it is before the write;
/// - add numbers that are whole to a whole number, exactly within ±2^53;
/// - refuse with [`StoreError::Failed`], before anything is written, what DynamoDB refuses: an empty key, a partition key above 2,048 bytes or a
///   sort key above 1,024, an item above 400 KiB, a `null` attribute, one nested deeper than [`MAX_DEPTH`], attributes named `PK` or `SK`, an attribute that one update names twice,
///   an addition to what is no number, a query for no items;
/// - refuse a transaction that names a key twice, has more than [`MAX_TRANSACTION`] writes or items of more than 4 MiB together, with
///   [`StoreError::Failed`].
#[async_trait]
pub trait Store: Send + Sync + 'static {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError>;

    async fn query(&self, query: &Query) -> Result<Page, StoreError>;

    /// A page of the whole table, about a mebibyte of it: what follows `after`, or the beginning. The order is the store's own and MUST stay
    /// the same; an item that was there throughout is answered once. For moving a table: no request reads it all.
    async fn scan(&self, after: Option<&Key>) -> Result<TablePage, StoreError>;

    async fn write(&self, write: Write) -> Result<(), StoreError>;

    /// Answers the item as it is after the update.
    async fn update(&self, update: Update) -> Result<Item, StoreError>;

    /// All or nothing. `token` names the transaction: sent again with the same token within ten minutes, it MUST count once.
    async fn transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<(), StoreError>;

    /// Removes at most `limit` items whose attribute [`EXPIRES_AT`] is `now_seconds` or earlier, the longest expired first, and answers how many.
    /// A store that expires items by itself answers 0. Until then an expired item is read like any other: who cares about the time compares it.
    async fn purge_expired(&self, now_seconds: i64, limit: usize) -> Result<usize, StoreError>;

    /// Whether no other process can write here while this one runs, so that what was read may be kept in memory.
    fn is_exclusive(&self) -> bool;

    /// A number that is another one after each acknowledged write to the partition: what is made of its items may be kept until then.
    /// `None` unless the store is exclusive.
    fn version(&self, pk: &str) -> Option<u64>;

    /// Cheap proof that the store answers.
    async fn check(&self) -> Result<(), StoreError>;

    /// Bytes on this machine's disk that items take: deleting some MUST lower it, also where a file keeps its size. `None` when it is elsewhere.
    async fn disk_usage(&self) -> Option<u64>;
}
