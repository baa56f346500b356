//! Lists are complete and the sum of sizes is right.

use blue_faas::port::blobs::Blobs;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::binary;

pub async fn a_list_has_every_object_below_a_prefix(blobs: Arc<dyn Blobs>) {
    let sizes: BTreeMap<String, u64> = [
        "code/ws-1/fn-1/a.py",
        "code/ws-1/fn-10/b.py",
        "code/ws-1/fn-1.py",
        "code/ws-2/c.py",
        "code.py",
        "codes/d.py",
        ".e",
    ]
    .iter()
    .zip(1..)
    .map(|(key, size)| ((*key).to_owned(), size))
    .collect();
    let before = i64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs(),
    )
    .unwrap();
    for (key, size) in &sizes {
        blobs.put(key, binary(*size as usize), None).await.unwrap();
    }
    let prefixes = [
        "",
        "c",
        "code",
        "code/",
        "code/ws-1",
        "code/ws-1/",
        "code/ws-1/fn-1",
        "code/ws-1/fn-1/",
        "code/ws-1/fn-1/a.py",
        "code/ws-3/",
        "code.py",
        "code.py/",
        ".",
        "..",
        "x",
    ];
    for prefix in prefixes {
        let found = blobs.list(prefix).await.unwrap();
        assert!(
            found
                .iter()
                .all(|object| (object.modified - before).abs() < 600)
        );
        let mut found: Vec<(String, u64)> = found
            .into_iter()
            .map(|object| (object.key, object.size))
            .collect();
        found.sort();
        let expected: Vec<(String, u64)> = sizes
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(key, size)| (key.clone(), *size))
            .collect();
        assert_eq!(found, expected, "{prefix:?}");
    }
}

pub async fn a_list_goes_on_beyond_a_thousand(blobs: Arc<dyn Blobs>) {
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let blobs = Arc::clone(&blobs);
            tokio::spawn(async move {
                for n in 0..150 {
                    blobs
                        .put(
                            &format!("many/{caller}/{n}"),
                            Bytes::from_static(b"x"),
                            None,
                        )
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let mut keys: Vec<String> = blobs
        .list("many/")
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.key)
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 1200);
    assert_eq!(blobs.list("many/3/").await.unwrap().len(), 150);
    blobs.delete_folder("many/").await.unwrap();
    assert!(blobs.list("").await.unwrap().is_empty());
}

pub async fn a_folder_goes_with_all_in_it_and_nothing_else(blobs: Arc<dyn Blobs>) {
    let keys = [
        "code/ws-1/fn-1/a.py",
        "code/ws-1/fn-1/deep/b.py",
        "code/ws-1/fn-10/c.py",
        "code/ws-1/fn-1.py",
    ];
    for key in keys {
        blobs.put(key, binary(1), None).await.unwrap();
    }
    blobs.delete_folder("code/ws-1/fn-1/").await.unwrap();
    let mut left: Vec<String> = blobs
        .list("")
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.key)
        .collect();
    left.sort();
    assert_eq!(left, ["code/ws-1/fn-1.py", "code/ws-1/fn-10/c.py"]);
    blobs.delete_folder("code/ws-1/fn-1/").await.unwrap();
    blobs.delete_folder("nothing/here/").await.unwrap();
}

pub async fn usage_counts_what_is_kept_here(blobs: Arc<dyn Blobs>) {
    blobs.check().await.unwrap();
    let Some(before) = blobs.disk_usage().await else {
        return;
    };
    blobs.put("a/b", binary(1_000), None).await.unwrap();
    blobs.put("a/c", binary(500), None).await.unwrap();
    blobs.put("a/b", binary(10), None).await.unwrap();
    assert_eq!(blobs.disk_usage().await, Some(before + 510));
    blobs.delete("a/c").await.unwrap();
    assert_eq!(blobs.disk_usage().await, Some(before + 10));
}
