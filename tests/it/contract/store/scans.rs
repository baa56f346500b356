//! The whole table, page by page.

use blue_faas::port::store::{Item, Key, Store, TablePage, Write};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{item, key};

/// Keys whose parts cannot be told apart by joining them, and items that take several pages.
pub async fn a_scan_answers_every_item_of_every_partition_once(store: Arc<dyn Store>) {
    let mut expected: BTreeMap<Key, Item> = [
        ("p", "s"),
        ("p", "s#"),
        ("p#", "s"),
        ("p#s", "x"),
        ("가", "\u{10FFFF}"),
        ("~", "!"),
    ]
    .into_iter()
    .map(|(pk, sk)| {
        (
            key(pk, sk),
            item(json!({"pk": pk, "deep": [null, {"n": 0.5}]})),
        )
    })
    .collect();
    for partition in ["large", "larger"] {
        for n in 0..6 {
            let item = item(json!({"n": n, "code": "x".repeat(300_000)}));
            expected.insert(key(partition, &format!("{n}")), item);
        }
    }
    for (key, item) in &expected {
        let put = Write::put(key.clone(), item.clone());
        store.write(put).await.unwrap();
    }
    let mut found = BTreeMap::new();
    let (mut after, mut pages) = (None, 0);
    loop {
        let TablePage { items, next } = store.scan(after.as_ref()).await.unwrap();
        pages += 1;
        for (key, item) in items {
            assert_eq!(found.insert(key.clone(), item), None, "{key:?} came twice");
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert!(found == expected, "{:?}", found.keys());
    assert!(pages >= 3, "3.6 MB came in {pages} pages");
}

pub async fn an_empty_table_is_an_empty_page(store: Arc<dyn Store>) {
    assert_eq!(store.scan(None).await.unwrap(), TablePage::default());
    let gone = key("p", "s");
    store
        .write(Write::put(gone.clone(), Item::new()))
        .await
        .unwrap();
    store.write(Write::delete(gone.clone())).await.unwrap();
    assert_eq!(store.scan(Some(&gone)).await.unwrap(), TablePage::default());
}

pub async fn a_scan_goes_on_while_items_come_and_go(store: Arc<dyn Store>) {
    let large = || item(json!({"code": "x".repeat(200_000)}));
    let stays: BTreeSet<Key> = (0..20).map(|n| key(&format!("p{n:02}"), "stays")).collect();
    for key in &stays {
        store.write(Write::put(key.clone(), large())).await.unwrap();
        let goes = Key::new(key.pk.as_str(), "goes");
        store.write(Write::put(goes, large())).await.unwrap();
    }
    let (mut found, mut after, mut step) = (Vec::new(), None, 0);
    loop {
        let page = store.scan(after.as_ref()).await.unwrap();
        found.extend(page.items.into_iter().map(|(key, _)| key));
        let Some(next) = page.next else { break };
        // The item that the scan goes on after, among others.
        if next.sk == "goes" {
            store.write(Write::delete(next.clone())).await.unwrap();
        }
        let other = key(&format!("p{:02}", 19 - step % 20), "goes");
        store.write(Write::delete(other)).await.unwrap();
        let comes = key(&format!("p{step:02}"), "comes");
        store.write(Write::put(comes, Item::new())).await.unwrap();
        (after, step) = (Some(next), step + 1);
    }
    let once: BTreeSet<Key> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "an item came twice");
    assert!(stays.is_subset(&once), "an item was skipped");
}
