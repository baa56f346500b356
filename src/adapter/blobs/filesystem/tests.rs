use super::*;
use crate::adapter::blobs::hash::hexadecimal;
use sha2::{Digest, Sha256};
use std::os::unix::fs::{PermissionsExt, symlink};

fn blobs() -> (tempfile::TempDir, FilesystemBlobs) {
    let directory = tempfile::tempdir().unwrap();
    let blobs = FilesystemBlobs::open(&directory.path().join("blobs")).unwrap();
    (directory, blobs)
}

#[tokio::test]
async fn leftovers_of_interrupted_puts_are_removed_unless_another_process_writes_here() {
    let (directory, blobs) = blobs();
    let root = directory.path().join("blobs");
    let leftover = root.join("temporary/left");
    std::fs::write(&leftover, "half").unwrap();
    let second = FilesystemBlobs::open(&root).unwrap();
    assert!(leftover.exists());
    drop((blobs, second));
    let _third = FilesystemBlobs::open(&root).unwrap();
    assert!(!leftover.exists());
}

#[tokio::test]
async fn links_are_neither_read_nor_written_through_nor_listed() {
    let (directory, blobs) = blobs();
    let outside = directory.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("secret"), "secret").unwrap();
    let objects = directory.path().join("blobs/objects");
    symlink(&outside, objects.join("folder")).unwrap();
    symlink(outside.join("secret"), objects.join("file")).unwrap();

    for key in ["folder/secret", "file"] {
        assert!(
            matches!(blobs.get(key, None).await, Err(BlobError::Missing(_))),
            "{key}"
        );
        assert!(!blobs.exists(key).await.unwrap());
        assert!(matches!(
            blobs.local_file(key, directory.path()).await,
            Err(BlobError::Missing(_))
        ));
    }
    assert!(
        blobs
            .put("folder/new", Bytes::from_static(b"x"), None)
            .await
            .is_err()
    );
    assert!(blobs.list("").await.unwrap().is_empty());
    assert!(blobs.list("folder/").await.unwrap().is_empty());
    blobs.delete("folder/secret").await.unwrap();
    blobs
        .put("file", Bytes::from_static(b"mine"), None)
        .await
        .unwrap();
    assert_eq!(std::fs::read(outside.join("secret")).unwrap(), b"secret");
    assert_eq!(blobs.get("file", None).await.unwrap(), "mine");
}

#[tokio::test]
async fn a_taken_file_that_is_a_link_or_a_folder_is_refused() {
    let (directory, blobs) = blobs();
    let link = directory.path().join("link");
    symlink("/etc/hostname", &link).unwrap();
    assert!(matches!(
        blobs.put_file("a", &link, None).await,
        Err(BlobError::Failed(_))
    ));
    assert!(matches!(
        blobs.put_file("a", directory.path(), None).await,
        Err(BlobError::Failed(_))
    ));
    assert!(!blobs.exists("a").await.unwrap());
    assert!(link.is_symlink());
}

#[tokio::test]
async fn a_second_name_of_a_taken_file_does_not_reach_the_object() {
    let (directory, blobs) = blobs();
    let (file, other) = (
        directory.path().join("file"),
        directory.path().join("other"),
    );
    std::fs::write(&file, "first").unwrap();
    std::fs::hard_link(&file, &other).unwrap();
    blobs.put_file("a", &file, None).await.unwrap();
    std::fs::write(&other, "changed").unwrap();
    assert_eq!(blobs.get("a", None).await.unwrap(), "first");
}

#[tokio::test]
async fn a_file_of_another_file_system_is_copied() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        return;
    };
    let (directory, blobs) = blobs();
    let file = elsewhere.path().join("artifact");
    std::fs::write(&file, "content").unwrap();
    let hash = hexadecimal(&Sha256::digest(b"content"));
    assert!(matches!(
        blobs.put_file("a", &file, Some(&"0".repeat(64))).await,
        Err(BlobError::Damaged(_))
    ));
    assert!(file.exists());
    blobs.put_file("a", &file, Some(&hash)).await.unwrap();
    assert!(!file.exists());
    assert_eq!(blobs.get("a", Some(&hash)).await.unwrap(), "content");
    assert_eq!(
        std::fs::read_dir(directory.path().join("blobs/temporary"))
            .unwrap()
            .count(),
        1,
        "the lock alone"
    );
}

#[tokio::test]
async fn objects_are_for_the_owner_alone() {
    let (directory, blobs) = blobs();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    blobs.put_file("folder/taken", &file, None).await.unwrap();
    blobs
        .put("folder/put", Bytes::from_static(b"x"), None)
        .await
        .unwrap();
    let mode = |key: &str| {
        std::fs::metadata(directory.path().join("blobs/objects").join(key))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!(
        [mode("folder"), mode("folder/taken"), mode("folder/put")],
        [0o700, 0o600, 0o600]
    );
}

#[tokio::test]
async fn usage_follows_every_change_and_agrees_with_a_fresh_count() {
    let (directory, blobs) = blobs();
    blobs
        .put("a/b", Bytes::from(vec![1; 1000]), None)
        .await
        .unwrap();
    assert_eq!(blobs.disk_usage().await, Some(1000));
    blobs
        .put("a/b", Bytes::from(vec![1; 300]), None)
        .await
        .unwrap();
    blobs
        .put("a/c", Bytes::from(vec![1; 50]), None)
        .await
        .unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, [1; 7]).unwrap();
    blobs.put_file("d", &file, None).await.unwrap();
    blobs.delete("a/c").await.unwrap();
    blobs.delete("a/c").await.unwrap();
    assert_eq!(blobs.disk_usage().await, Some(307));
    drop(blobs);
    let again = FilesystemBlobs::open(&directory.path().join("blobs")).unwrap();
    assert_eq!(again.disk_usage().await, Some(307));
}

#[tokio::test]
async fn folders_go_with_their_last_object() {
    let (directory, blobs) = blobs();
    let objects = directory.path().join("blobs/objects");
    blobs.put("a/b/c", Bytes::new(), None).await.unwrap();
    blobs.put("a/d", Bytes::new(), None).await.unwrap();
    blobs.delete("a/b/c").await.unwrap();
    assert!(!objects.join("a/b").exists() && objects.join("a").exists());
    blobs.delete("a/d").await.unwrap();
    assert!(objects.exists() && !objects.join("a").exists());
}

#[tokio::test]
async fn a_key_below_another_objects_key_says_what_is_wrong() {
    let (_directory, blobs) = blobs();
    blobs
        .put("a", Bytes::from_static(b"x"), None)
        .await
        .unwrap();
    let error = blobs
        .put("a/b", Bytes::new(), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("choose another key"), "{error}");
    assert!(matches!(
        blobs.get("a/b", None).await,
        Err(BlobError::Missing(_))
    ));
    assert_eq!(blobs.get("a", None).await.unwrap(), "x");
}

#[tokio::test]
async fn damage_on_the_disk_is_noticed() {
    let (directory, blobs) = blobs();
    let hash = hexadecimal(&Sha256::digest(b"content"));
    blobs
        .put("a", Bytes::from_static(b"content"), Some(&hash))
        .await
        .unwrap();
    std::fs::write(directory.path().join("blobs/objects/a"), "contenT").unwrap();
    assert!(matches!(
        blobs.get("a", Some(&hash)).await,
        Err(BlobError::Damaged(_))
    ));
}
