//! Queries answer a range, in order, to its end.

use blue_faas::port::store::{Item, Query, SortRange, Store, StoreError, Write};
use futures::stream::{self, StreamExt as _};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{all, item, key, range, sort_keys};

/// Sort keys whose order by bytes differs from that by letters, by numbers and by UTF-16 units.
const TRICKY: [&str; 18] = [
    " ",
    "!",
    "10",
    "2",
    "A",
    "B",
    "LOG",
    "LOG#",
    "LOG#1",
    "LOG$",
    "Z",
    "_",
    "a",
    "a%",
    "é",
    "가",
    "\u{FFFD}",
    "\u{1F980}",
];

async fn put_all(store: &Arc<dyn Store>, pk: &str, sort_keys: impl IntoIterator<Item = String>) {
    let writes = sort_keys
        .into_iter()
        .map(|sk| store.write(Write::put(key(pk, &sk), item(json!({ "sk": sk })))));
    stream::iter(writes)
        .buffer_unordered(16)
        .for_each(async |written| written.unwrap())
        .await;
}

pub async fn sort_keys_are_ordered_by_their_bytes(store: Arc<dyn Store>) {
    put_all(&store, "p", TRICKY.iter().rev().map(|sk| (*sk).to_owned())).await;
    put_all(&store, "q", ["0".to_owned(), "zzz".to_owned()]).await;
    assert_eq!(sort_keys(&store, range("p", SortRange::All)).await, TRICKY);
    let backward: Vec<&str> = TRICKY.iter().rev().copied().collect();
    assert_eq!(
        sort_keys(&store, range("p", SortRange::All).newest_first()).await,
        backward
    );
    let found = all(&store, range("p", SortRange::All)).await;
    assert!(
        found
            .iter()
            .all(|(key, item)| key.pk == "p" && item["sk"] == json!(key.sk))
    );
}

pub async fn paging_answers_every_item_once(store: Arc<dyn Store>) {
    let names: Vec<String> = (0..2_500).map(|n| format!("LOG#{n:05}")).collect();
    put_all(
        &store,
        "p",
        names
            .iter()
            .cloned()
            .chain(["KEY".to_owned(), "LOG$".to_owned()]),
    )
    .await;
    let backward: Vec<String> = names.iter().rev().cloned().collect();
    for limit in [7, 100, 833, 2_500, 10_000] {
        let query = || Query::prefix("p", "LOG#").limit(limit);
        assert!(
            sort_keys(&store, query()).await == names,
            "forward by {limit}"
        );
        assert!(
            sort_keys(&store, query().newest_first()).await == backward,
            "backward by {limit}"
        );
    }
    let first = store
        .query(&Query::prefix("p", "LOG#").newest_first().limit(3))
        .await
        .unwrap();
    assert_eq!(
        first
            .items
            .iter()
            .map(|(key, _)| key.sk.as_str())
            .collect::<Vec<_>>(),
        ["LOG#02499", "LOG#02498", "LOG#02497"]
    );
}

pub async fn a_prefix_takes_what_starts_with_it_and_nothing_else(store: Arc<dyn Store>) {
    let names = [
        "a",
        "a%",
        "a%b",
        "a_",
        "a_b",
        "ab",
        "a\u{7F}",
        "a\u{10FFFF}",
        "a\u{10FFFF}z",
        "b",
        "A",
        "가",
        "가나",
        "각",
        "\u{10FFFF}",
        "\u{D7FF}x",
        "\u{E000}",
    ];
    put_all(&store, "p", names.iter().map(|name| (*name).to_owned())).await;
    for prefix in [
        "",
        "a",
        "a%",
        "a_",
        "a*",
        "ab",
        "a\u{7F}",
        "a\u{10FFFF}",
        "가",
        "\u{10FFFF}",
        "\u{D7FF}",
        "b",
        "c",
    ] {
        let mut expected: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| name.starts_with(prefix))
            .collect();
        expected.sort_unstable();
        assert_eq!(
            sort_keys(&store, Query::prefix("p", prefix)).await,
            expected,
            "{prefix:?}"
        );
        expected.reverse();
        assert_eq!(
            sort_keys(&store, Query::prefix("p", prefix).newest_first().limit(1)).await,
            expected,
            "{prefix:?} backward"
        );
    }
}

pub async fn a_range_includes_both_ends(store: Arc<dyn Store>) {
    put_all(
        &store,
        "p",
        ["a", "b", "b0", "c", "c0", "d"].map(str::to_owned),
    )
    .await;
    let between =
        |first: &str, last: &str| range("p", SortRange::Between(first.to_owned(), last.to_owned()));
    assert_eq!(sort_keys(&store, between("b", "c")).await, ["b", "b0", "c"]);
    assert_eq!(
        sort_keys(&store, between("b", "c").newest_first().limit(2)).await,
        ["c", "b0", "b"]
    );
    assert_eq!(sort_keys(&store, between("aa", "bb")).await, ["b", "b0"]);
    assert_eq!(sort_keys(&store, between("c", "c")).await, ["c"]);
    assert_eq!(sort_keys(&store, between("x", "z")).await, [""; 0]);
}

pub async fn going_on_after_any_key_stays_within_the_range(store: Arc<dyn Store>) {
    put_all(&store, "p", ["a", "b", "c", "d", "e"].map(str::to_owned)).await;
    let between = || range("p", SortRange::Between("b".to_owned(), "d".to_owned()));
    let after =
        |query: Query, sk: &'static str| sort_keys(&store, query.after(Some(sk.to_owned())));
    assert_eq!(after(between(), "b").await, ["c", "d"]);
    assert_eq!(
        after(between(), "bb").await,
        ["c", "d"],
        "a key that is not there"
    );
    assert_eq!(
        after(between(), "a").await,
        ["b", "c", "d"],
        "a key before the range"
    );
    assert_eq!(after(between(), "d").await, [""; 0]);
    assert_eq!(
        after(between(), "x").await,
        [""; 0],
        "a key behind the range"
    );
    assert_eq!(after(between().newest_first(), "d").await, ["c", "b"]);
    assert_eq!(after(between().newest_first(), "x").await, ["d", "c", "b"]);
    assert_eq!(after(between().newest_first(), "a").await, [""; 0]);
    assert_eq!(after(Query::prefix("p", ""), "c").await, ["d", "e"]);
}

pub async fn large_items_are_paged_to_the_end(store: Arc<dyn Store>) {
    let names: Vec<String> = (0..12).map(|n| format!("{n:02}")).collect();
    for name in &names {
        store
            .write(Write::put(
                key("p", name),
                item(json!({"code": "x".repeat(300_000)})),
            ))
            .await
            .unwrap();
    }
    let found = all(&store, range("p", SortRange::All)).await;
    assert_eq!(
        found
            .iter()
            .map(|(key, _)| key.sk.clone())
            .collect::<Vec<_>>(),
        names
    );
    assert!(
        found
            .iter()
            .all(|(_, item)| item["code"].as_str().unwrap().len() == 300_000)
    );
}

pub async fn items_that_stay_are_neither_skipped_nor_repeated_while_others_change(
    store: Arc<dyn Store>,
) {
    let stays: Vec<String> = (0..60).map(|n| format!("{n:03}-stays")).collect();
    put_all(
        &store,
        "p",
        stays
            .iter()
            .cloned()
            .chain((0..60).map(|n| format!("{n:03}-goes"))),
    )
    .await;
    for forward in [true, false] {
        let mut query = Query {
            forward,
            ..Query::prefix("p", "").limit(7)
        };
        let mut found = Vec::new();
        let mut step = 0;
        loop {
            let page = store.query(&query).await.unwrap();
            found.extend(page.items.into_iter().map(|(key, _)| key.sk));
            let Some(next) = page.next else { break };
            // What comes and goes is on both sides of where the query is, the item it goes on after included.
            store
                .write(Write::put(
                    key("p", &format!("{step:03}-comes-{forward}")),
                    Item::new(),
                ))
                .await
                .unwrap();
            if next.ends_with("goes") {
                store.write(Write::delete(key("p", &next))).await.unwrap();
            }
            store
                .write(Write::delete(key("p", &format!("{:03}-goes", 59 - step))))
                .await
                .unwrap();
            query.after = Some(next);
            step += 1;
        }
        let once: BTreeSet<&String> = found.iter().collect();
        assert_eq!(once.len(), found.len(), "an item came twice: {found:?}");
        assert!(
            stays.iter().all(|name| once.contains(name)),
            "an item was skipped: {found:?}"
        );
    }
}

pub async fn a_query_for_nothing_is_refused_and_an_empty_partition_is_an_empty_page(
    store: Arc<dyn Store>,
) {
    assert!(matches!(
        store.query(&range("p", SortRange::All).limit(0)).await,
        Err(StoreError::Failed(_))
    ));
    let page = store.query(&range("p", SortRange::All)).await.unwrap();
    assert!(page.items.is_empty() && page.next.is_none());
}
