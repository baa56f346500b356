//! Transactions happen whole, once, and one after the other.

use blue_faas::port::store::{
    Condition, Item, MAX_TRANSACTION, Query, Store, StoreError, Update, Write,
};
use serde_json::json;
use std::sync::Arc;

use super::{all, item, key, persist};

pub async fn a_transaction_happens_whole(store: Arc<dyn Store>) {
    store
        .write(Write::put(key("p", "gone"), Item::new()))
        .await
        .unwrap();
    store
        .write(Write::put(key("p", "checked"), item(json!({"open": true}))))
        .await
        .unwrap();
    let writes = vec![
        Write::create(key("p", "made"), item(json!({"a": 1}))),
        Write::Update(Update::new(key("q", "counted")).add("n", 2.0)),
        Write::delete(key("p", "gone")),
        Write::Check {
            key: key("p", "checked"),
            condition: Condition::Equals("open".into(), json!(true)),
        },
    ];
    store.transact(writes, None).await.unwrap();
    assert_eq!(
        store.get(&key("p", "made")).await.unwrap(),
        Some(item(json!({"a": 1})))
    );
    assert_eq!(
        store.get(&key("q", "counted")).await.unwrap(),
        Some(item(json!({"n": 2})))
    );
    assert_eq!(store.get(&key("p", "gone")).await.unwrap(), None);
    assert_eq!(
        store.get(&key("p", "checked")).await.unwrap(),
        Some(item(json!({"open": true})))
    );
}

pub async fn a_failing_write_is_named_and_nothing_happens(store: Arc<dyn Store>) {
    store
        .write(Write::put(key("p", "there"), item(json!({"n": 1}))))
        .await
        .unwrap();
    let failing = || {
        [
            Write::create(key("p", "there"), Item::new()),
            Write::Update(
                Update::new(key("p", "there"))
                    .set("n", 9)
                    .when(Condition::Equals("n".into(), json!(2))),
            ),
            Write::Delete {
                key: key("p", "there"),
                condition: Some(Condition::Missing("n".into())),
            },
            Write::Check {
                key: key("p", "absent"),
                condition: Condition::Exists,
            },
        ]
    };
    for position in 0..4 {
        for failing in failing() {
            let mut writes: Vec<Write> = (0..3)
                .map(|n| Write::put(key("p", &format!("new-{n}")), Item::new()))
                .collect();
            writes.insert(position, failing.clone());
            match store.transact(writes, None).await {
                Err(StoreError::ConditionFailed { index }) => {
                    assert_eq!(index, position, "{failing:?}");
                }
                other => panic!("{failing:?} at {position}: {other:?}"),
            }
        }
    }
    let left = all(&store, Query::prefix("p", "")).await;
    assert_eq!(left, [(key("p", "there"), item(json!({"n": 1})))]);
}

pub async fn a_hundred_writes_fit_and_one_more_is_refused(store: Arc<dyn Store>) {
    let writes = |count: usize| {
        (0..count)
            .map(|n| Write::put(key("p", &format!("{n:03}")), item(json!({ "n": n }))))
            .collect::<Vec<_>>()
    };
    assert!(matches!(
        store.transact(writes(MAX_TRANSACTION + 1), None).await,
        Err(StoreError::Failed(_))
    ));
    assert!(all(&store, Query::prefix("p", "")).await.is_empty());
    store.transact(writes(MAX_TRANSACTION), None).await.unwrap();
    assert_eq!(
        all(&store, Query::prefix("p", "")).await.len(),
        MAX_TRANSACTION
    );
}

pub async fn a_key_named_twice_is_refused(store: Arc<dyn Store>) {
    let pairs = [
        vec![
            Write::put(key("p", "s"), Item::new()),
            Write::delete(key("p", "s")),
        ],
        vec![
            Write::Check {
                key: key("p", "s"),
                condition: Condition::Absent,
            },
            Write::put(key("p", "t"), Item::new()),
            Write::put(key("p", "s"), Item::new()),
        ],
    ];
    for writes in pairs {
        assert!(matches!(
            store.transact(writes, None).await,
            Err(StoreError::Failed(_))
        ));
    }
    assert!(all(&store, Query::prefix("p", "")).await.is_empty());
    let alike = vec![
        Write::put(key("p", "st"), Item::new()),
        Write::put(key("ps", "t"), Item::new()),
    ];
    store.transact(alike, None).await.unwrap();
}

pub async fn a_token_counts_once(store: Arc<dyn Store>) {
    let count = || vec![Write::Update(Update::new(key("p", "s")).add("n", 1.0))];
    for _ in 0..3 {
        store.transact(count(), Some("first")).await.unwrap();
    }
    store.transact(count(), Some("second")).await.unwrap();
    store.transact(count(), None).await.unwrap();
    store.transact(count(), None).await.unwrap();
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(item(json!({"n": 4})))
    );

    // A retry must be answered as the first call was, though its condition no longer holds.
    let create = || vec![Write::create(key("p", "made"), Item::new())];
    store.transact(create(), Some("third")).await.unwrap();
    store.transact(create(), Some("third")).await.unwrap();

    let racing: Vec<_> = (0..12)
        .map(|_| {
            let (store, writes) = (Arc::clone(&store), count());
            tokio::spawn(
                async move { persist(|| store.transact(writes.clone(), Some("raced"))).await },
            )
        })
        .collect();
    for caller in racing {
        caller.await.unwrap().unwrap();
    }
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(item(json!({"n": 5})))
    );
}

pub async fn a_failed_transaction_can_be_sent_again_with_its_token(store: Arc<dyn Store>) {
    let writes = || {
        vec![
            Write::Update(Update::new(key("p", "s")).add("n", 1.0)),
            Write::Check {
                key: key("p", "gate"),
                condition: Condition::Exists,
            },
        ]
    };
    assert!(matches!(
        store.transact(writes(), Some("token")).await,
        Err(StoreError::ConditionFailed { index: 1 })
    ));
    store
        .write(Write::put(key("p", "gate"), Item::new()))
        .await
        .unwrap();
    store.transact(writes(), Some("token")).await.unwrap();
    store.transact(writes(), Some("token")).await.unwrap();
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(item(json!({"n": 1})))
    );
}

pub async fn of_racing_creations_one_wins(store: Arc<dyn Store>) {
    for round in 0..10 {
        let racing: Vec<_> = (0..16)
            .map(|caller| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let writes = vec![
                        Write::create(
                            key("name", &format!("{round}")),
                            item(json!({ "owner": caller })),
                        ),
                        Write::create(key("owner", &format!("{round}-{caller}")), Item::new()),
                    ];
                    (
                        caller,
                        persist(|| store.transact(writes.clone(), None)).await,
                    )
                })
            })
            .collect();
        let mut winners = Vec::new();
        for caller in racing {
            match caller.await.unwrap() {
                (caller, Ok(())) => winners.push(caller),
                (_, Err(StoreError::ConditionFailed { index: 0 })) => {}
                (_, Err(other)) => panic!("{other}"),
            }
        }
        assert_eq!(winners.len(), 1, "round {round}");
        let named = store
            .get(&key("name", &format!("{round}")))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(named["owner"], json!(winners[0]));
        let owners = all(&store, Query::prefix("owner", format!("{round}-"))).await;
        assert_eq!(owners.len(), 1, "the losers left nothing");
    }
}

pub async fn racing_transfers_lose_nothing(store: Arc<dyn Store>) {
    for account in 0..4 {
        store
            .write(Write::put(
                key("p", &format!("{account}")),
                item(json!({"n": 10})),
            ))
            .await
            .unwrap();
    }
    let callers: Vec<_> = (0..16_usize)
        .map(|caller| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let (from, to) = (
                    key("p", &format!("{}", caller % 4)),
                    key("p", &format!("{}", (caller + 1 + caller / 4 % 3) % 4)),
                );
                for _ in 0..10 {
                    let enough = Condition::Any(
                        (1..=40)
                            .map(|n| Condition::Equals("n".into(), json!(n)))
                            .collect(),
                    );
                    let writes = vec![
                        Write::Update(Update::new(from.clone()).add("n", -1.0).when(enough)),
                        Write::Update(Update::new(to.clone()).add("n", 1.0)),
                    ];
                    match persist(|| store.transact(writes.clone(), None)).await {
                        Ok(()) | Err(StoreError::ConditionFailed { index: 0 }) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let sums: Vec<i64> = all(&store, Query::prefix("p", ""))
        .await
        .iter()
        .map(|(_, item)| item["n"].as_i64().unwrap())
        .collect();
    assert_eq!(sums.iter().sum::<i64>(), 40, "{sums:?}");
    assert!(sums.iter().all(|sum| *sum >= 0), "{sums:?}");
}
