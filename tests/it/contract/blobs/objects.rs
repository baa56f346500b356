//! Objects come back whole, under valid keys alone.

use blue_faas::port::blobs::{BlobError, Blobs};
use bytes::Bytes;
use std::sync::Arc;

use super::{binary, is_missing, sha256};

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
            );
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
    for prefix in ["", "/", "a", "code/ws-1", "../", "a b/", "a//"] {
        assert!(
            matches!(
                blobs.delete_folder(prefix).await,
                Err(BlobError::InvalidKey(_))
            ),
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
