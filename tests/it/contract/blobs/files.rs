//! Local files become objects and the other way round.

use blue_faas::port::blobs::{BlobError, Blobs};
use std::sync::Arc;

use super::{binary, sha256};

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
