//! Items come back as they were written.

use blue_faas::port::store::{EXPIRES_AT, Item, MAX_DEPTH, Store, StoreError, Update, Write};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{item, key};

pub async fn what_was_put_comes_back_with_its_types(store: Arc<dyn Store>) {
    let written = item(json!({
        "text": "대한민국 \u{1F980} \"quoted\" \\ \n\t\u{1}",
        "empty": "",
        "digits": "007",
        "true": true,
        "false": false,
        "zero": 0,
        "largest": 9_007_199_254_740_992_i64,
        "smallest": -9_007_199_254_740_992_i64,
        "fraction": -12.375,
        "list": [1, "1", null, true, [], {}, [null]],
        "map": {"null": null, "deep": {"er": [{"est": 1.5}]}, "": "no name", "a.b#c": 1},
        "deepest": nested(MAX_DEPTH),
        "name": "a reserved word", "status": "another", "size": 3, "Type": "BuildTask",
    }));
    store
        .write(Write::put(key("p", "s"), written.clone()))
        .await
        .unwrap();
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(written.clone())
    );

    store
        .write(Write::Update(Update {
            set: written.clone(),
            ..Update::new(key("p", "updated"))
        }))
        .await
        .unwrap();
    assert_eq!(
        store.get(&key("p", "updated")).await.unwrap(),
        Some(written)
    );
}

pub async fn fractions_keep_every_bit(store: Arc<dyn Store>) {
    // Mantissas from a multiplicative generator, at the magnitudes of durations and rates.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let numbers: Vec<f64> = (0..800)
        .map(|n| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0 * 10_f64.powi(n % 12 - 6)
        })
        .collect();
    store
        .write(Write::put(
            key("p", "s"),
            item(json!({ "numbers": numbers })),
        ))
        .await
        .unwrap();
    let found = store.get(&key("p", "s")).await.unwrap().unwrap();
    let found: Vec<f64> = found["numbers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|number| number.as_f64().unwrap())
        .collect();
    let lost: Vec<_> = numbers
        .iter()
        .zip(&found)
        .filter(|(written, read)| written.to_bits() != read.to_bits())
        .take(3)
        .collect();
    assert!(
        lost.is_empty() && found.len() == numbers.len(),
        "written and read: {lost:?}"
    );
}

pub async fn a_missing_item_is_none_and_deleting_it_is_fine(store: Arc<dyn Store>) {
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), None);
    store.write(Write::delete(key("p", "s"))).await.unwrap();
    store
        .write(Write::put(key("p", "s"), item(json!({"a": 1}))))
        .await
        .unwrap();
    store.write(Write::delete(key("p", "s"))).await.unwrap();
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), None);
}

pub async fn a_put_replaces_the_whole_item(store: Arc<dyn Store>) {
    store
        .write(Write::put(key("p", "s"), item(json!({"a": 1, "b": 2}))))
        .await
        .unwrap();
    store
        .write(Write::put(key("p", "s"), item(json!({"b": 3}))))
        .await
        .unwrap();
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap(),
        Some(item(json!({"b": 3})))
    );
    store
        .write(Write::put(key("p", "s"), Item::new()))
        .await
        .unwrap();
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), Some(Item::new()));
}

pub async fn keys_with_special_characters_are_told_apart(store: Arc<dyn Store>) {
    let names = [
        "a",
        "A",
        "a ",
        " a",
        "a%",
        "a_",
        "a*",
        "a'",
        "a\"",
        "a\\",
        "a#",
        "a/b",
        "é",
        "e\u{301}",
        "가",
        "\u{1F980}",
        "1",
        "01",
        "1.0",
    ];
    for (n, name) in names.iter().enumerate() {
        store
            .write(Write::put(key(name, "s"), item(json!({ "pk": n }))))
            .await
            .unwrap();
        store
            .write(Write::put(key("p", name), item(json!({ "sk": n }))))
            .await
            .unwrap();
    }
    for (n, name) in names.iter().enumerate() {
        assert_eq!(
            store.get(&key(name, "s")).await.unwrap(),
            Some(item(json!({ "pk": n }))),
            "{name}"
        );
        assert_eq!(
            store.get(&key("p", name)).await.unwrap(),
            Some(item(json!({ "sk": n }))),
            "{name}"
        );
    }
    let longest = key(&"p".repeat(2048), &"s".repeat(1024));
    store
        .write(Write::put(longest.clone(), Item::new()))
        .await
        .unwrap();
    assert!(store.get(&longest).await.unwrap().is_some());
}

pub async fn an_item_of_300_kilobytes_is_kept(store: Arc<dyn Store>) {
    // Line breaks and Korean: an item is as large as its text, however it is written down.
    let code = "print('함수')\n".repeat(300_000 / 16);
    store
        .write(Write::put(key("p", "s"), item(json!({ "code": code }))))
        .await
        .unwrap();
    assert_eq!(
        store.get(&key("p", "s")).await.unwrap().unwrap()["code"],
        json!(code)
    );
    let after = store
        .update(Update::new(key("p", "s")).set("more", "x".repeat(1000)))
        .await
        .unwrap();
    assert_eq!(after["code"], json!(code));
}

pub async fn what_no_store_can_keep_is_refused_and_nothing_is_written(store: Arc<dyn Store>) {
    let put = |pk: &str, sk: &str, value: Value| Write::put(key(pk, sk), item(value));
    let refused = [
        put("", "s", json!({})),
        put("p", "", json!({})),
        put(&"p".repeat(2049), "s", json!({})),
        put("p", &"s".repeat(1025), json!({})),
        put("p", "s", json!({"a": null})),
        put("p", "s", json!({"PK": "p"})),
        put("p", "s", json!({"SK": "s"})),
        put("p", "s", json!({ "deep": nested(MAX_DEPTH + 1) })),
        put("p", "s", json!({"text": "x".repeat(401 * 1024)})),
        put("p", "s", json!({"many": vec!["abcdefgh"; 60_000]})),
        Write::Update(Update {
            set: item(json!({"a": null})),
            ..Update::new(key("p", "s"))
        }),
        Write::Update(Update::new(key("p", "")).set("a", 1)),
        Write::delete(key("", "s")),
    ];
    for write in refused {
        let shown = format!("{:.120}", format!("{write:?}"));
        assert!(
            matches!(store.write(write.clone()).await, Err(StoreError::Failed(_))),
            "{shown}"
        );
        let pair = vec![Write::put(key("p", "other"), Item::new()), write];
        assert!(
            matches!(store.transact(pair, None).await, Err(StoreError::Failed(_))),
            "{shown}"
        );
    }
    assert_eq!(store.get(&key("p", "s")).await.unwrap(), None);
    assert_eq!(store.get(&key("p", "other")).await.unwrap(), None);
}

/// Lists and maps within each other.
fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("core"), |inner, level| {
        if level % 2 == 0 {
            json!([inner])
        } else {
            json!({ "a": inner })
        }
    })
}

pub async fn a_read_sees_the_write_acknowledged_before_it(store: Arc<dyn Store>) {
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let key = key("p", &format!("{writer}"));
            for n in 0..25 {
                store
                    .write(Write::put(key.clone(), item(json!({ "n": n }))))
                    .await
                    .unwrap();
                assert_eq!(
                    store.get(&key).await.unwrap(),
                    Some(item(json!({ "n": n })))
                );
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

pub async fn purging_removes_expired_items_alone(store: Arc<dyn Store>) {
    const NOW: i64 = 4_000_000_000;
    for n in 0..10 {
        store
            .write(Write::put(
                key("p", &format!("old-{n}")),
                item(json!({ EXPIRES_AT: NOW - n })),
            ))
            .await
            .unwrap();
    }
    store
        .write(Write::put(
            key("p", "later"),
            item(json!({ EXPIRES_AT: NOW + 1 })),
        ))
        .await
        .unwrap();
    store
        .write(Write::put(key("p", "never"), item(json!({"a": 1}))))
        .await
        .unwrap();
    store
        .write(Write::put(
            key("p", "kept"),
            item(json!({ EXPIRES_AT: NOW })),
        ))
        .await
        .unwrap();
    store
        .update(Update::new(key("p", "kept")).remove(EXPIRES_AT))
        .await
        .unwrap();

    let first = store.purge_expired(NOW, 4).await.unwrap();
    let second = store.purge_expired(NOW, 100).await.unwrap();
    assert!(
        [(4, 6), (0, 0)].contains(&(first, second)),
        "{first} and {second} of 10 items: all, or none where the store does it by itself"
    );
    for name in ["later", "never", "kept"] {
        assert!(
            store.get(&key("p", name)).await.unwrap().is_some(),
            "{name}"
        );
    }
    assert_eq!(
        store.get(&key("p", "old-0")).await.unwrap().is_none(),
        first > 0
    );
}

pub async fn a_store_answers_its_check(store: Arc<dyn Store>) {
    store.check().await.unwrap();
    let before = store.disk_usage().await;
    for n in 0..10 {
        store
            .write(Write::put(
                key("p", &format!("{n}")),
                item(json!({"text": "x".repeat(100_000)})),
            ))
            .await
            .unwrap();
    }
    assert!(
        store
            .disk_usage()
            .await
            .is_none_or(|after| after >= before.unwrap() + 1_000_000)
    );
}
