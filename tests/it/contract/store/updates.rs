//! Updates change what they name and nothing else.

use blue_faas::port::store::{Item, Store, StoreError, Update, Write};
use serde_json::json;
use std::sync::Arc;

use super::{item, key, persist};

pub async fn an_update_sets_removes_and_adds_at_once(store: Arc<dyn Store>) {
    store
        .write(Write::put(
            key("p", "s"),
            item(json!({"kept": [1], "old": 1, "n": 2, "replaced": {"a": 1}})),
        ))
        .await
        .unwrap();
    let update = Update::new(key("p", "s"))
        .set("replaced", json!({"b": 2}))
        .set("new", "x")
        .remove("old")
        .remove("never")
        .add("n", 3.0)
        .add("m", 1.0);
    let expected = item(json!({"kept": [1], "n": 5, "m": 1, "replaced": {"b": 2}, "new": "x"}));
    assert_eq!(store.update(update).await.unwrap(), expected);
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), Some(expected));
}

pub async fn an_update_creates_a_missing_item(store: Arc<dyn Store>) {
    assert_eq!(
        store
            .update(Update::new(key("p", "a")).add("n", 1.0).set("x", "y"))
            .await
            .unwrap(),
        item(json!({"n": 1, "x": "y"}))
    );
    assert_eq!(
        store
            .update(Update::new(key("p", "b")).remove("x"))
            .await
            .unwrap(),
        Item::new()
    );
    assert_eq!(store.get(&key("p", "b")).await.unwrap(), Some(Item::new()));
}

pub async fn sums_are_exact_and_whole_where_they_can_be(store: Arc<dyn Store>) {
    let add = |amount: f64| store.update(Update::new(key("p", "s")).add("n", amount));
    assert_eq!(add(0.5).await.unwrap()["n"], json!(0.5));
    assert_eq!(add(0.5).await.unwrap()["n"], json!(1));
    assert_eq!(
        add(9_007_199_254_740_990.0).await.unwrap()["n"],
        json!(9_007_199_254_740_991_i64)
    );
    assert_eq!(add(-9_007_199_254_740_992.0).await.unwrap()["n"], json!(-1));
    assert_eq!(add(0.0).await.unwrap()["n"], json!(-1));
}

pub async fn an_impossible_update_changes_nothing(store: Arc<dyn Store>) {
    let before = item(json!({"text": "5", "n": 1}));
    store
        .write(Write::put(key("p", "s"), before.clone()))
        .await
        .unwrap();
    let update = || Update::new(key("p", "s")).set("new", 1);
    let impossible = [
        update().add("text", 1.0),
        update().add("n", f64::NAN),
        update().add("n", f64::INFINITY),
        update().set("n", 2).add("n", 1.0),
        update().set("n", 2).remove("n"),
        update().add("n", 1.0).add("n", 1.0),
        update().remove("n").remove("n"),
        update().set("PK", "q"),
        update().set("large", "x".repeat(401 * 1024)),
    ];
    for update in impossible {
        let shown = format!("{:.150}", format!("{update:?}"));
        assert!(
            matches!(store.update(update).await, Err(StoreError::Failed(_))),
            "{shown}"
        );
    }
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), Some(before));
}

pub async fn concurrent_additions_are_all_counted(store: Arc<dyn Store>) {
    let callers: Vec<_> = (0..16)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..25 {
                    let after = persist(|| {
                        store.update(Update::new(key("p", "s")).add("n", 1.0).add("ms", 0.25))
                    })
                    .await
                    .unwrap();
                    seen.push(after["n"].as_i64().unwrap());
                }
                seen
            })
        })
        .collect();
    let mut seen = Vec::new();
    for caller in callers {
        seen.extend(caller.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(
        seen,
        (1..=400).collect::<Vec<i64>>(),
        "every caller saw a sum of its own"
    );
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(item(json!({"n": 400, "ms": 100})))
    );
}

pub async fn concurrent_updates_of_different_attributes_keep_each_other(store: Arc<dyn Store>) {
    let callers: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                persist(|| {
                    store.write(Write::Update(
                        Update::new(key("p", "s")).set(&format!("a{n}"), n),
                    ))
                })
                .await
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap().unwrap();
    }
    let expected: Item = (0..20).map(|n| (format!("a{n}"), json!(n))).collect();
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), Some(expected));
}
