//! The SQLite store against a map: whatever is asked in whatever order, both answer the same.

use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::port::store::{
    Condition, Item, Key, Query, SortRange, Store, StoreError, Update, Write,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::store::all;

type Table = BTreeMap<Key, Item>;

#[derive(Clone, Debug)]
enum Step {
    Get(Key),
    Query(Query),
    Write(Write),
    Update(Update),
    Transact(Vec<Write>),
}

fn sort_key() -> impl Strategy<Value = String> {
    // A short alphabet with the neighbours that matter, so that prefixes, ends and cursors meet.
    prop::collection::vec(
        prop::sample::select(vec![
            '#',
            '$',
            'a',
            'b',
            '\u{7F}',
            '\u{80}',
            '가',
            '\u{D7FF}',
            '\u{E000}',
            '\u{10FFFF}',
        ]),
        1..4,
    )
    .prop_map(|characters| characters.into_iter().collect())
}

fn key() -> impl Strategy<Value = Key> {
    (prop::sample::select(vec!["p", "q", "p#"]), sort_key()).prop_map(|(pk, sk)| Key::new(pk, sk))
}

/// The attributes `n` and `m` are numbers where they are there, so that every addition is possible.
fn item() -> impl Strategy<Value = Item> {
    (
        prop::option::of(-3..3_i64),
        prop::option::of("[a-c]{0,2}"),
        any::<bool>(),
    )
        .prop_map(|(n, text, flag)| {
            let mut item = Item::new();
            item.extend(n.map(|n| ("n".to_owned(), json!(n))));
            item.extend(text.map(|text| ("text".to_owned(), json!(text))));
            item.insert("map".to_owned(), json!({"flag": flag, "null": null}));
            item
        })
}

fn condition() -> impl Strategy<Value = Condition> {
    let name = || prop::sample::select(vec!["n", "text", "never"]).prop_map(str::to_owned);
    let value = || {
        prop_oneof![
            (-3..3_i64).prop_map(|n| json!(n)),
            "[a-c]{0,2}".prop_map(|text| json!(text))
        ]
    };
    let leaf = prop_oneof![
        Just(Condition::Exists),
        Just(Condition::Absent),
        (name(), value()).prop_map(|(name, value)| Condition::Equals(name, value)),
        (name(), prop::collection::vec(value(), 1..3))
            .prop_map(|(name, values)| Condition::OneOf(name, values)),
        name().prop_map(Condition::Missing),
        (name(), value()).prop_map(|(name, value)| Condition::MissingOrBelow(name, value)),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..3).prop_map(Condition::All),
            prop::collection::vec(inner, 1..3).prop_map(Condition::Any),
        ]
    })
}

fn update() -> impl Strategy<Value = Update> {
    (
        key(),
        prop::option::of("[a-c]{0,2}"),
        any::<bool>(),
        prop::collection::btree_map(prop::sample::select(vec!["n", "m"]), -2..3_i32, 0..3),
        prop::option::of(condition()),
    )
        .prop_map(|(key, text, remove, add, condition)| {
            let mut update = Update {
                condition,
                ..Update::new(key)
            };
            update
                .set
                .extend(text.map(|text| ("text".to_owned(), json!(text))));
            if remove {
                update.remove.push("map".to_owned());
            }
            update.add.extend(
                add.into_iter()
                    .map(|(name, amount)| (name.to_owned(), f64::from(amount) / 2.0)),
            );
            update
        })
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (key(), item(), prop::option::of(condition())).prop_map(|(key, item, condition)| {
            Write::Put {
                key,
                item,
                condition,
            }
        }),
        update().prop_map(Write::Update),
        (key(), prop::option::of(condition()))
            .prop_map(|(key, condition)| Write::Delete { key, condition }),
        (key(), condition()).prop_map(|(key, condition)| Write::Check { key, condition }),
    ]
}

fn query() -> impl Strategy<Value = Query> {
    let range = prop_oneof![
        Just(SortRange::All),
        sort_key().prop_map(SortRange::Prefix),
        (sort_key(), sort_key()).prop_map(|(one, other)| SortRange::Between(
            one.clone().min(other.clone()),
            one.max(other)
        )),
    ];
    (
        prop::sample::select(vec!["p", "q", "p#"]),
        range,
        any::<bool>(),
        1..6_usize,
        prop::option::of(sort_key()),
    )
        .prop_map(|(pk, range, forward, limit, after)| Query {
            pk: pk.to_owned(),
            range,
            forward,
            limit,
            after,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => key().prop_map(Step::Get),
        2 => query().prop_map(Step::Query),
        3 => write().prop_map(Step::Write),
        2 => update().prop_map(Step::Update),
        2 => prop::collection::vec(write(), 1..5).prop_map(Step::Transact),
    ]
}

fn holds(condition: &Condition, item: Option<&Item>) -> bool {
    let find = |name: &String| item.and_then(|item| item.get(name));
    match condition {
        Condition::Exists => item.is_some(),
        Condition::Absent => item.is_none(),
        Condition::Equals(name, value) => find(name) == Some(value),
        Condition::OneOf(name, values) => find(name).is_some_and(|found| values.contains(found)),
        Condition::Missing(name) => find(name).is_none(),
        Condition::MissingOrBelow(name, bound) => match (find(name), bound) {
            (None, _) => true,
            (Some(Value::String(found)), Value::String(bound)) => found < bound,
            (Some(Value::Number(found)), Value::Number(bound)) => found.as_f64() < bound.as_f64(),
            _ => false,
        },
        Condition::All(all) => all.iter().all(|one| holds(one, item)),
        Condition::Any(any) => any.iter().any(|one| holds(one, item)),
    }
}

fn apply(table: &mut Table, write: &Write) -> bool {
    let before = table.get(write.key());
    match write {
        Write::Put {
            condition: Some(condition),
            ..
        }
        | Write::Delete {
            condition: Some(condition),
            ..
        }
        | Write::Check { condition, .. }
            if !holds(condition, before) =>
        {
            return false;
        }
        Write::Update(Update {
            condition: Some(condition),
            ..
        }) if !holds(condition, before) => return false,
        Write::Put { key, item, .. } => {
            table.insert(key.clone(), item.clone());
        }
        Write::Delete { key, .. } => {
            table.remove(key);
        }
        Write::Check { .. } => {}
        Write::Update(update) => {
            let item = table.entry(update.key.clone()).or_default();
            item.extend(update.set.clone());
            item.retain(|name, _| !update.remove.contains(name));
            for (name, amount) in &update.add {
                let sum = item.get(name).map_or(0.0, |value| value.as_f64().unwrap()) + amount;
                item.insert(
                    name.clone(),
                    if sum.fract() == 0.0 {
                        json!(sum as i64)
                    } else {
                        json!(sum)
                    },
                );
            }
        }
    }
    true
}

fn expected_page(table: &Table, query: &Query) -> Vec<(Key, Item)> {
    let mut found: Vec<_> = table
        .iter()
        .filter(|(key, _)| key.pk == query.pk)
        .filter(|(key, _)| match &query.range {
            SortRange::All => true,
            SortRange::Prefix(prefix) => key.sk.starts_with(prefix),
            SortRange::Between(first, last) => (first..=last).contains(&&key.sk),
        })
        .filter(|(key, _)| {
            query.after.as_ref().is_none_or(|after| {
                if query.forward {
                    key.sk > *after
                } else {
                    key.sk < *after
                }
            })
        })
        .map(|(key, item)| (key.clone(), item.clone()))
        .collect();
    if !query.forward {
        found.reverse();
    }
    found
}

async fn run(steps: Vec<Step>) {
    let directory = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(directory.path()).unwrap());
    let mut table = Table::new();
    for step in steps {
        match step {
            Step::Get(key) => assert_eq!(store.get(&key).await.unwrap(), table.get(&key).cloned()),
            Step::Query(query) => assert_eq!(
                all(&store, query.clone()).await,
                expected_page(&table, &query),
                "{query:?}"
            ),
            Step::Write(write) => {
                let expected = apply(&mut table, &write);
                match store.write(write.clone()).await {
                    Ok(()) => assert!(expected, "{write:?}"),
                    Err(StoreError::ConditionFailed { index: 0 }) => {
                        assert!(!expected, "{write:?}");
                    }
                    Err(error) => panic!("{write:?}: {error}"),
                }
            }
            Step::Update(update) => {
                let expected = apply(&mut table, &Write::Update(update.clone()))
                    .then(|| table[&update.key].clone());
                assert_eq!(
                    store.update(update.clone()).await.ok(),
                    expected,
                    "{update:?}"
                );
            }
            Step::Transact(mut writes) => {
                let mut seen = std::collections::BTreeSet::new();
                writes.retain(|write| seen.insert(write.key().clone()));
                let before = table.clone();
                let failing = writes.iter().position(|write| !apply(&mut table, write));
                match store.transact(writes.clone(), None).await {
                    Ok(()) => assert_eq!(failing, None, "{writes:?}"),
                    Err(StoreError::ConditionFailed { index }) => {
                        assert_eq!(Some(index), failing, "{writes:?}");
                    }
                    Err(error) => panic!("{writes:?}: {error}"),
                }
                if failing.is_some() {
                    table = before;
                }
            }
        }
    }
    for pk in ["p", "q", "p#"] {
        let query = Query::prefix(pk, "").limit(7);
        assert_eq!(
            all(&store, query.clone()).await,
            expected_page(&table, &query)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_as_a_map_would(steps in prop::collection::vec(step(), 1..60)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(steps));
    }
}
