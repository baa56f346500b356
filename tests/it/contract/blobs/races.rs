//! Callers at the same time do not see halves.

use blue_faas::port::blobs::Blobs;
use bytes::Bytes;
use std::sync::Arc;

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
