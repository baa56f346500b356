//! The contract of [`blue_faas::port::blobs::Blobs`].

use blue_faas::port::blobs::{BlobError, Blobs};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// Every case against the blobs that `open` gives (a future of an `Opened<dyn Blobs>`); each case gets fresh ones.
macro_rules! blobs_contract {
    (open: $open:expr, gaps: $gaps:expr) => {
        use $crate::contract::blobs as cases;

        $crate::contract::contract_tests!(
            $open,
            $gaps,
            [
                cases::what_was_put_comes_back,
                cases::a_put_replaces_the_object,
                cases::a_missing_object_is_missing_and_deleting_it_is_fine,
                cases::keys_out_of_the_alphabet_are_refused,
                cases::content_without_its_hash_is_refused_before_it_is_visible,
                cases::content_that_does_not_have_the_asked_hash_is_damaged,
                cases::a_file_is_taken_over,
                cases::a_file_without_its_hash_is_left_where_it_is,
                cases::an_object_can_be_read_as_a_local_file,
                cases::a_list_has_every_object_below_a_prefix,
                cases::a_list_goes_on_beyond_a_thousand,
                cases::concurrent_puts_of_one_key_leave_one_of_them_whole,
                cases::puts_and_deletes_of_neighbours_do_not_disturb_each_other,
                cases::usage_counts_what_is_kept_here,
                cases::a_url_names_the_key,
            ]
        );
    };
}
pub(crate) use blobs_contract;

pub fn sha256(content: &[u8]) -> String {
    Sha256::digest(content)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

/// Bytes that no compression or line ending survives by luck.
fn binary(length: usize) -> Bytes {
    (0..length)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect::<Vec<u8>>()
        .into()
}

fn is_missing<T>(result: &Result<T, BlobError>) -> bool {
    matches!(result, Err(BlobError::Missing(_)))
}

pub async fn what_was_put_comes_back(blobs: Arc<dyn Blobs>) {
    for (n, length) in [0, 1, 65_535, 65_536, 65_537, 3_000_000]
        .into_iter()
        .enumerate()
    {
        let (key, content) = (format!("sizes/{n}.bin"), binary(length));
        blobs.put(&key, content.clone(), None).await.unwrap();
        assert!(
            blobs.get(&key, None).await.unwrap() == content,
            "{length} bytes"
        );
        assert!(
            blobs.get(&key, Some(&sha256(&content))).await.unwrap() == content,
            "{length} bytes"
        );
        assert!(blobs.exists(&key).await.unwrap());
    }
}

pub async fn a_put_replaces_the_object(blobs: Arc<dyn Blobs>) {
    blobs.put("a/b", binary(1000), None).await.unwrap();
    blobs
        .put("a/b", Bytes::from_static(b"short"), Some(&sha256(b"short")))
        .await
        .unwrap();
    assert_eq!(blobs.get("a/b", None).await.unwrap(), "short");
    assert_eq!(blobs.list("a/").await.unwrap().len(), 1);
}

pub async fn a_missing_object_is_missing_and_deleting_it_is_fine(blobs: Arc<dyn Blobs>) {
    blobs
        .put("folder/object", Bytes::from_static(b"x"), None)
        .await
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    for key in [
        "nothing",
        "folder",
        "folder/nothing",
        "folder/object/below",
        "no/such/folder/object",
    ] {
        assert!(is_missing(&blobs.get(key, None).await), "{key}");
        assert!(
            is_missing(&blobs.local_file(key, scratch.path()).await),
            "{key}"
        );
        assert!(!blobs.exists(key).await.unwrap(), "{key}");
        blobs.delete(key).await.unwrap();
    }
    assert!(blobs.exists("folder/object").await.unwrap());
    blobs.delete("folder/object").await.unwrap();
    assert!(is_missing(&blobs.get("folder/object", None).await));
    blobs.delete("folder/object").await.unwrap();
}

pub async fn keys_out_of_the_alphabet_are_refused(blobs: Arc<dyn Blobs>) {
    let long_segment = "a".repeat(256);
    let long_key = "abc/".repeat(300) + "d";
    let invalid = [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        ".",
        "..",
        "./a",
        "../a",
        "a/..",
        "a/../b",
        "a/./b",
        "a/..//b",
        "/etc/passwd",
        "a b",
        "a\0b",
        "a\nb",
        "a\\b",
        "a:b",
        "a*",
        "a%2e%2e",
        "~",
        "가",
        "é",
        "a?b",
        "a#b",
        "a+b",
        "..\\a",
        &long_segment,
        &long_key,
    ];
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for key in invalid {
        let refused = |result: Result<(), BlobError>| {
            assert!(
                matches!(result, Err(BlobError::InvalidKey(_))),
                "{key:?}: {result:?}"
            )
        };
        refused(blobs.put(key, Bytes::from_static(b"x"), None).await);
        refused(blobs.put_file(key, &file, None).await);
        refused(blobs.get(key, None).await.map(drop));
        refused(blobs.local_file(key, directory.path()).await.map(drop));
        refused(blobs.exists(key).await.map(drop));
        refused(blobs.delete(key).await);
    }
    for prefix in ["../", "a/../", "/a", "a//", "a b", "가", "./"] {
        assert!(
            matches!(blobs.list(prefix).await, Err(BlobError::InvalidKey(_))),
            "{prefix:?}"
        );
    }
    assert!(file.exists());
    assert!(blobs.list("").await.unwrap().is_empty());
    for key in [
        "...",
        ".a",
        "a..b",
        "-",
        "=@_.-",
        "A/a/0",
        &"a".repeat(255),
        &("abc/".repeat(255) + "d"),
    ] {
        blobs
            .put(key, Bytes::from_static(b"x"), None)
            .await
            .unwrap();
        assert_eq!(blobs.get(key, None).await.unwrap(), "x", "{key}");
    }
}

pub async fn content_without_its_hash_is_refused_before_it_is_visible(blobs: Arc<dyn Blobs>) {
    let wrong = sha256(b"other");
    for hash in [wrong.as_str(), "", "00", "no hash"] {
        assert!(
            matches!(
                blobs
                    .put("a/b", Bytes::from_static(b"content"), Some(hash))
                    .await,
                Err(BlobError::Damaged(_))
            ),
            "{hash:?}"
        );
    }
    assert!(!blobs.exists("a/b").await.unwrap());
    assert!(blobs.list("").await.unwrap().is_empty());

    blobs
        .put(
            "a/b",
            Bytes::from_static(b"before"),
            Some(&sha256(b"before").to_uppercase()),
        )
        .await
        .unwrap();
    assert!(
        blobs
            .put("a/b", Bytes::from_static(b"content"), Some(&wrong))
            .await
            .is_err()
    );
    assert_eq!(blobs.get("a/b", None).await.unwrap(), "before");
}

pub async fn content_that_does_not_have_the_asked_hash_is_damaged(blobs: Arc<dyn Blobs>) {
    for length in [10, 200_000] {
        blobs.put("a", binary(length), None).await.unwrap();
        assert!(matches!(
            blobs.get("a", Some(&sha256(b"other"))).await,
            Err(BlobError::Damaged(_))
        ));
    }
    assert!(is_missing(&blobs.get("b", Some(&sha256(b"other"))).await));
}

pub async fn a_file_is_taken_over(blobs: Arc<dyn Blobs>) {
    let directory = tempfile::tempdir().unwrap();
    for (n, length) in [0, 10, 1_000_000].into_iter().enumerate() {
        let (key, content, file) = (
            format!("taken/{n}"),
            binary(length),
            directory.path().join(format!("{n}")),
        );
        std::fs::write(&file, &content).unwrap();
        let hash = sha256(&content);
        blobs
            .put_file(&key, &file, (n > 0).then_some(&*hash))
            .await
            .unwrap();
        assert!(
            blobs.get(&key, Some(&hash)).await.unwrap() == content,
            "{length} bytes"
        );
    }
    std::fs::write(directory.path().join("new"), "new").unwrap();
    blobs
        .put_file("taken/2", &directory.path().join("new"), None)
        .await
        .unwrap();
    assert_eq!(blobs.get("taken/2", None).await.unwrap(), "new");
    assert!(
        blobs
            .put_file("taken/3", &directory.path().join("nothing"), None)
            .await
            .is_err()
    );
    assert!(!blobs.exists("taken/3").await.unwrap());
}

pub async fn a_file_without_its_hash_is_left_where_it_is(blobs: Arc<dyn Blobs>) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "content").unwrap();
    assert!(matches!(
        blobs.put_file("a", &file, Some(&sha256(b"other"))).await,
        Err(BlobError::Damaged(_))
    ));
    assert!(!blobs.exists("a").await.unwrap());
    assert_eq!(std::fs::read(&file).unwrap(), b"content");
}

pub async fn an_object_can_be_read_as_a_local_file(blobs: Arc<dyn Blobs>) {
    let content = binary(200_000);
    blobs
        .put("build-artifacts/t/app.wasm", content.clone(), None)
        .await
        .unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let (first, second) = (
        blobs
            .local_file("build-artifacts/t/app.wasm", scratch.path())
            .await
            .unwrap(),
        blobs
            .local_file("build-artifacts/t/app.wasm", scratch.path())
            .await
            .unwrap(),
    );
    assert!(std::fs::read(first).unwrap() == content);
    assert!(std::fs::read(second).unwrap() == content);
}

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
}

pub async fn concurrent_puts_of_one_key_leave_one_of_them_whole(blobs: Arc<dyn Blobs>) {
    let contents: Vec<Bytes> = (0..12_u8)
        .map(|n| Bytes::from(vec![n; 50_000 + usize::from(n) * 5_000]))
        .collect();
    let puts: Vec<_> = contents
        .iter()
        .map(|content| {
            let (blobs, content) = (Arc::clone(&blobs), content.clone());
            tokio::spawn(async move {
                for _ in 0..4 {
                    blobs.put("same/key", content.clone(), None).await.unwrap();
                    let seen = blobs.get("same/key", None).await.unwrap();
                    assert!(
                        seen.iter().all(|byte| *byte == seen[0])
                            && seen.len() == 50_000 + usize::from(seen[0]) * 5_000,
                        "a torn object"
                    );
                }
            })
        })
        .collect();
    for put in puts {
        put.await.unwrap();
    }
    let last = blobs.get("same/key", None).await.unwrap();
    assert!(contents.contains(&last));
    assert_eq!(blobs.list("").await.unwrap().len(), 1);
    assert!(
        blobs
            .disk_usage()
            .await
            .is_none_or(|bytes| bytes == last.len() as u64)
    );
}

pub async fn puts_and_deletes_of_neighbours_do_not_disturb_each_other(blobs: Arc<dyn Blobs>) {
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let blobs = Arc::clone(&blobs);
            tokio::spawn(async move {
                let key = format!("deep/folder/{caller}");
                for _ in 0..40 {
                    blobs
                        .put(&key, Bytes::from_static(b"x"), None)
                        .await
                        .unwrap();
                    assert_eq!(blobs.get(&key, None).await.unwrap(), "x");
                    blobs.delete(&key).await.unwrap();
                    assert!(!blobs.exists(&key).await.unwrap());
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    assert!(blobs.list("").await.unwrap().is_empty());
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

pub async fn a_url_names_the_key(blobs: Arc<dyn Blobs>) {
    let key = "build-artifacts/t/app.wasm";
    blobs
        .put(key, Bytes::from_static(b"x"), None)
        .await
        .unwrap();
    let url = blobs.url(key);
    assert!(
        url.contains("://") && url.ends_with("/build-artifacts/t/app.wasm"),
        "{url}"
    );
}
