//! What the DynamoDB store does when DynamoDB refuses, breaks or falls silent: a proxy before an emulator makes it so.

use blue_faas::adapter::store::dynamodb::{DynamoStore, Patience};
use blue_faas::port::store::{Condition, Key, Query, Store, StoreError, Update, Write};
use serde_json::json;
use std::time::{Duration, Instant};

use super::store::item;
use crate::support::emulator::{Emulator, new_table_name, store_with};
use crate::support::proxy::{Fault, Proxy};

/// What a call may take: three seconds, and a little for a busy machine.
const BOUND: Duration = Duration::from_secs(30);

struct Setting {
    store: DynamoStore,
    proxy: Proxy,
    _emulator: Emulator,
}

impl Setting {
    async fn new() -> Self {
        let emulator = Emulator::dynoxide();
        let proxy = Proxy::before(&emulator.url()).await;
        let store = store_with(&proxy.url, &new_table_name(), Patience::default()).await;
        store.create_table().await.unwrap();
        proxy.take_seen();
        Self {
            store,
            proxy,
            _emulator: emulator,
        }
    }

    async fn count(&self) -> i64 {
        let found = self.store.get(&counter()).await.unwrap();
        found.map_or(0, |item| item["n"].as_i64().unwrap())
    }
}

fn counter() -> Key {
    Key::new("p", "counter")
}

fn one_more() -> Update {
    Update::new(counter()).add("n", 1.0)
}

const REFUSALS: [Fault; 6] = [
    Fault::Refused("ProvisionedThroughputExceededException"),
    Fault::Refused("ThrottlingException"),
    Fault::Refused("RequestLimitExceeded"),
    Fault::Refused("TransactionInProgressException"),
    Fault::Conflict,
    Fault::Broken,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_sent_again_until_it_succeeds() {
    let setting = Setting::new().await;
    for fault in REFUSALS {
        setting.proxy.next(&[fault, fault]);
        let transacted = setting
            .store
            .transact(vec![Write::Update(one_more())], None)
            .await;
        transacted.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        // A 500 is no promise that nothing was done, so an addition alone is not sent again.
        if fault != Fault::Broken {
            setting.proxy.next(&[fault, fault]);
            let updated = setting.store.update(one_more()).await;
            updated.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        }
        setting.proxy.next(&[fault, fault]);
        setting.store.query(&Query::prefix("p", "")).await.unwrap();
        setting.proxy.next(&[fault, fault]);
        setting.store.get(&counter()).await.unwrap();
    }
    assert_eq!(setting.count().await, 11);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_answer_was_lost_counts_once() {
    let setting = Setting::new().await;
    let lost = [
        Fault::DoneThenBroken,
        Fault::DoneThenClosed,
        Fault::DoneThenSilent,
    ];
    for (n, fault) in lost.into_iter().enumerate() {
        let expected = i64::try_from(n).unwrap() + 1;
        setting.proxy.next(&[fault]);
        let writes = vec![
            Write::Update(one_more()),
            Write::create(Key::new("p", format!("made-{n}")), item(json!({"a": 1}))),
        ];
        let transacted = setting.store.transact(writes, None).await;
        transacted.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_eq!(setting.count().await, expected, "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conditional_write_whose_answer_was_lost_does_not_find_its_own_effect() {
    let setting = Setting::new().await;
    setting.proxy.next(&[Fault::DoneThenClosed]);
    let create = Write::create(Key::new("p", "s"), item(json!({"a": 1})));
    setting.store.write(create.clone()).await.unwrap();
    assert!(matches!(
        setting.store.write(create).await,
        Err(StoreError::ConditionFailed { index: 0 })
    ));
    setting.proxy.next(&[Fault::DoneThenClosed]);
    setting
        .store
        .write(Write::Update(one_more()))
        .await
        .unwrap();
    assert_eq!(setting.count().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_whose_answer_was_lost_is_not_added_twice() {
    let setting = Setting::new().await;
    for fault in [
        Fault::DoneThenBroken,
        Fault::DoneThenClosed,
        Fault::DoneThenSilent,
    ] {
        let before = setting.count().await;
        setting.proxy.next(&[fault]);
        let updated = setting.store.update(one_more()).await;
        assert!(
            matches!(updated, Err(StoreError::Busy)),
            "{fault:?}: {updated:?}"
        );
        assert_eq!(setting.count().await, before + 1, "{fault:?}");
    }
    // What says the same twice is sent again.
    setting.proxy.next(&[Fault::DoneThenClosed]);
    let set = Update::new(Key::new("p", "s")).set("a", 1);
    assert_eq!(
        setting.store.update(set).await.unwrap(),
        item(json!({"a": 1}))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_ends_in_busy_within_the_bound() {
    let setting = Setting::new().await;
    let faults = [
        Fault::Refused("ThrottlingException"),
        Fault::Conflict,
        Fault::Broken,
        Fault::DoneThenClosed,
        Fault::Lost,
    ];
    for fault in faults {
        setting.proxy.always(fault);
        let started = Instant::now();
        let (key, condition) = (counter(), Condition::Exists);
        let query = Query::prefix("p", "");
        let (got, queried, put, checked, updated) = tokio::join!(
            setting.store.get(&key),
            setting.store.query(&query),
            setting
                .store
                .write(Write::put(Key::new("p", "s"), item(json!({})))),
            setting.store.write(Write::Check {
                key: key.clone(),
                condition
            }),
            setting.store.update(one_more()),
        );
        assert!(
            started.elapsed() < BOUND,
            "{fault:?}: {:?}",
            started.elapsed()
        );
        let outcomes = [
            got.map(drop),
            queried.map(drop),
            put,
            checked,
            updated.map(drop),
        ];
        for outcome in outcomes {
            assert!(
                matches!(outcome, Err(StoreError::Busy)),
                "{fault:?}: {outcome:?}"
            );
        }
    }
    let tries = setting.proxy.take_seen().len();
    assert!((60..600).contains(&tries), "{tries} requests in 25 calls");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stays_wrong_is_not_tried_again() {
    let setting = Setting::new().await;
    for code in [
        "AccessDeniedException",
        "ResourceNotFoundException",
        "ValidationException",
    ] {
        setting.proxy.next(&[Fault::Refused(code)]);
        match setting.store.get(&counter()).await {
            Err(StoreError::Failed(text)) => assert!(text.contains(code), "{text}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    assert_eq!(setting.proxy.take_seen().len(), 3);
}
