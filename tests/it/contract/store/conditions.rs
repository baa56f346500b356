//! Conditions, each against an item and against none.

use blue_faas::port::store::{Condition, Item, Store, StoreError, Update, Write};
use serde_json::{Value, json};
use std::sync::Arc;

use super::{item, key};

/// Condition, whether it holds for the item of [`subject`], whether it holds where there is no item.
fn table() -> Vec<(Condition, bool, bool)> {
    let equals = |name: &str, value: Value| Condition::Equals(name.to_owned(), value);
    let one_of = |name: &str, values: &[Value]| Condition::OneOf(name.to_owned(), values.to_vec());
    let missing = |name: &str| Condition::Missing(name.to_owned());
    let below = |name: &str, value: Value| Condition::MissingOrBelow(name.to_owned(), value);
    vec![
        (Condition::Exists, true, false),
        (Condition::Absent, false, true),
        (equals("status", json!("building")), true, false),
        (equals("status", json!("Building")), false, false),
        (equals("n", json!(5)), true, false),
        (equals("n", json!(5.0)), true, false),
        (equals("n", json!("5")), false, false),
        (equals("flag", json!(true)), true, false),
        (equals("flag", json!(false)), false, false),
        (equals("list", json!([1, "a", null])), true, false),
        (equals("list", json!([1, "a"])), false, false),
        (equals("map", json!({"x": {"y": 1}})), true, false),
        (equals("map", json!({"x": {"y": 2}})), false, false),
        (equals("nothing", json!("x")), false, false),
        (
            one_of("status", &[json!("pending"), json!("building")]),
            true,
            false,
        ),
        (
            one_of("status", &[json!("pending"), json!("done")]),
            false,
            false,
        ),
        (one_of("n", &[json!("5"), json!(5)]), true, false),
        (one_of("nothing", &[json!("x")]), false, false),
        (missing("nothing"), true, true),
        (missing("n"), false, true),
        (below("n", json!(6)), true, true),
        (below("n", json!(5)), false, true),
        (below("n", json!(5.5)), true, true),
        (below("n", json!(-6)), false, true),
        (below("n", json!("6")), false, true),
        (below("status", json!("c")), true, true),
        (below("status", json!("building")), false, true),
        (below("status", json!("b")), false, true),
        (below("flag", json!(9)), false, true),
        (below("nothing", json!(0)), true, true),
        (
            Condition::All(vec![Condition::Exists, equals("n", json!(5))]),
            true,
            false,
        ),
        (
            Condition::All(vec![Condition::Exists, equals("n", json!(6))]),
            false,
            false,
        ),
        (
            Condition::Any(vec![Condition::Absent, equals("n", json!(5))]),
            true,
            true,
        ),
        (
            Condition::Any(vec![equals("n", json!(6)), equals("flag", json!(false))]),
            false,
            false,
        ),
        (
            Condition::All(vec![
                Condition::Any(vec![missing("lease"), below("lease", json!(100))]),
                Condition::Any(vec![
                    equals("status", json!("pending")),
                    equals("status", json!("building")),
                ]),
            ]),
            true,
            false,
        ),
    ]
}

fn subject() -> Item {
    item(
        json!({"status": "building", "n": 5, "flag": true, "list": [1, "a", null], "map": {"x": {"y": 1}}}),
    )
}

pub async fn conditions_hold_or_fail_as_documented(store: Arc<dyn Store>) {
    store
        .write(Write::put(key("p", "there"), subject()))
        .await
        .unwrap();
    for (condition, there, absent) in table() {
        for (sk, expected) in [("there", there), ("absent", absent)] {
            let result = store
                .write(Write::Check {
                    key: key("p", sk),
                    condition: condition.clone(),
                })
                .await;
            match result {
                Ok(()) => assert!(expected, "{condition:?} holds for {sk}"),
                Err(StoreError::ConditionFailed { index: 0 }) => {
                    assert!(!expected, "{condition:?} fails for {sk}");
                }
                other => panic!("{condition:?} for {sk}: {other:?}"),
            }
        }
    }
    assert_eq!(
        store.get(&key("p", "there")).await.unwrap(),
        Some(subject())
    );
    assert_eq!(store.get(&key("p", "absent")).await.unwrap(), None);
}

pub async fn every_kind_of_write_obeys_its_condition(store: Arc<dyn Store>) {
    let there = key("p", "there");
    let writes = |condition: Condition| {
        [
            Write::Put {
                key: there.clone(),
                item: item(json!({"new": true})),
                condition: Some(condition.clone()),
            },
            Write::Update(
                Update::new(there.clone())
                    .set("new", true)
                    .when(condition.clone()),
            ),
            Write::Delete {
                key: there.clone(),
                condition: Some(condition),
            },
        ]
    };
    let expected = [
        Some(item(json!({"new": true}))),
        Some({
            let mut item = subject();
            item.insert("new".into(), json!(true));
            item
        }),
        None,
    ];
    for (n, expected) in expected.into_iter().enumerate() {
        store
            .write(Write::put(there.clone(), subject()))
            .await
            .unwrap();
        let failing = writes(Condition::Equals("n".into(), json!(6)))
            .into_iter()
            .nth(n)
            .unwrap();
        assert!(matches!(
            store.write(failing).await,
            Err(StoreError::ConditionFailed { index: 0 })
        ));
        assert_eq!(
            store.get(&there).await.unwrap(),
            Some(subject()),
            "write {n} changed the item though its condition failed"
        );
        let holding = writes(Condition::Equals("n".into(), json!(5)))
            .into_iter()
            .nth(n)
            .unwrap();
        store.write(holding).await.unwrap();
        assert_eq!(store.get(&there).await.unwrap(), expected, "write {n}");
    }
    let absent = key("p", "absent");
    let update = Update::new(absent.clone())
        .set("a", 1)
        .when(Condition::Exists);
    assert!(matches!(
        store.update(update).await,
        Err(StoreError::ConditionFailed { index: 0 })
    ));
    assert_eq!(
        store.get(&absent).await.unwrap(),
        None,
        "an update whose condition fails makes no item"
    );
    store
        .write(Write::create(absent.clone(), Item::new()))
        .await
        .unwrap();
    assert!(matches!(
        store.write(Write::create(absent, subject())).await,
        Err(StoreError::ConditionFailed { index: 0 })
    ));
}

pub async fn a_condition_looks_at_the_item_before_the_write(store: Arc<dyn Store>) {
    let counter = key("p", "s");
    let next = |seen: i64| {
        let unchanged = if seen == 0 {
            Condition::Missing("n".into())
        } else {
            Condition::Equals("n".into(), json!(seen))
        };
        Update::new(counter.clone())
            .set("n", seen + 1)
            .when(unchanged)
    };
    for seen in 0..3 {
        assert_eq!(
            store.update(next(seen)).await.unwrap(),
            item(json!({"n": seen + 1}))
        );
    }
    assert!(matches!(
        store.update(next(1)).await,
        Err(StoreError::ConditionFailed { .. })
    ));
}
