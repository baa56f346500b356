//! The S3 adapter: the contract on two servers, and what it makes of answers that no server gives when asked nicely.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use blue_faas::adapter::blobs::s3::S3Blobs;
use blue_faas::port::blobs::{BlobError, Blobs};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Opened;
use super::blobs::{binary, is_missing, sha256};
use crate::support::moto::Moto;
use crate::support::s3::{BUCKET, Fault, S3Server, sdk};

/// More than two parts.
const LARGE: usize = 20 * 1024 * 1024;

mod on_s3s_fs {
    use super::super::blobs::blobs_contract;

    blobs_contract!(open: super::open_s3s_fs(), gaps: [
        ("a_missing_object_is_missing_and_deleting_it_is_fine", "s3s-fs takes the folder of an object for an object"),
        ("keys_out_of_the_alphabet_are_refused", "s3s-fs names files after keys, which long ones are too long for"),
        ("concurrent_puts_of_one_key_leave_one_of_them_whole", "s3s-fs keeps an object and its checksum in two files, one after the other"),
    ]);
}

mod on_moto {
    use super::super::blobs::blobs_contract;

    blobs_contract!(open: super::open_moto(), gaps: []);
}

async fn open_s3s_fs() -> Opened<dyn Blobs> {
    let server = S3Server::start();
    Opened {
        port: Arc::new(server.blobs().await),
        keep: Box::new(server),
    }
}

async fn open_moto() -> Opened<dyn Blobs> {
    let moto = Moto::start();
    let sdk = sdk().await;
    let config = Builder::from(&sdk)
        .endpoint_url(moto.endpoint())
        .force_path_style(true);
    Client::from_conf(config.build())
        .create_bucket()
        .bucket(BUCKET)
        .create_bucket_configuration(
            aws_sdk_s3::types::CreateBucketConfiguration::builder()
                .location_constraint("ap-northeast-2".into())
                .build(),
        )
        .send()
        .await
        .unwrap();
    Opened {
        port: Arc::new(S3Blobs::new(&sdk, BUCKET, Some(&moto.endpoint()))),
        keep: Box::new(moto),
    }
}

/// A large file with its hash.
fn large_file(directory: &tempfile::TempDir) -> (std::path::PathBuf, Bytes, String) {
    let (file, content) = (directory.path().join("large"), binary(LARGE));
    std::fs::write(&file, &content).unwrap();
    let hash = sha256(&content);
    (file, content, hash)
}

fn reason(result: Result<(), BlobError>) -> String {
    match result {
        Err(BlobError::Failed(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// Parts are given up in the background, for so many uploads by now.
async fn gives_up(server: &S3Server, uploads: usize) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while server.seen("DELETE", "uploadId=") < uploads {
        assert!(Instant::now() < deadline, "parts are left");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_large_object_goes_in_parts_and_comes_back_whole() {
    let (server, directory) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    let (file, content, hash) = large_file(&directory);
    blobs.put_file("file", &file, Some(&hash)).await.unwrap();
    blobs.put("bytes", content.clone(), None).await.unwrap();
    assert_eq!(server.seen("PUT", "partNumber="), 6);
    for key in ["file", "bytes"] {
        assert!(
            blobs.get(key, Some(&hash)).await.unwrap() == content,
            "{key}"
        );
    }
    let copy = blobs.local_file("file", directory.path()).await.unwrap();
    assert!(std::fs::read(copy).unwrap() == content);
}

#[tokio::test]
async fn a_large_object_with_another_hash_never_appears() {
    let (server, directory) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    let (file, ..) = large_file(&directory);
    let result = blobs.put_file("a", &file, Some(&sha256(b"other"))).await;
    assert!(matches!(result, Err(BlobError::Damaged(_))), "{result:?}");
    assert!(!blobs.exists("a").await.unwrap());
    assert_eq!(server.seen("POST", "uploadId="), 0, "it was not completed");
    gives_up(&server, 1).await;
}

#[tokio::test]
async fn parts_are_given_up_when_one_fails_and_when_the_caller_goes() {
    let (server, directory) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    let (file, content, hash) = large_file(&directory);
    server.fail("PUT", "partNumber=2", Fault::Answer(403, "AccessDenied"));
    let reason = reason(blobs.put_file("a", &file, Some(&hash)).await);
    assert!(
        reason.contains("s3:PutObject on arn:aws:s3:::functions/*"),
        "{reason}"
    );
    gives_up(&server, 1).await;

    let put = blobs.put("a", content, None);
    tokio::select! {
        result = put => panic!("{result:?}"),
        () = async {
            while server.seen("PUT", "partNumber=2") < 2 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        } => {}
    }
    gives_up(&server, 2).await;
    assert!(!blobs.exists("a").await.unwrap());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_taken_up_where_it_broke() {
    let (server, scratch) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    let content = binary(300_000);
    blobs.put("a", content.clone(), None).await.unwrap();
    for after in [0, 1, 100_000] {
        server.fail("GET", "/a", Fault::BreakOff(after));
    }
    assert!(blobs.get("a", None).await.unwrap() == content);
    assert_eq!(server.seen("GET", "/a"), 4);
    server.fail("GET", "/a", Fault::BreakOff(200_000));
    let copy = blobs.local_file("a", scratch.path()).await.unwrap();
    assert!(std::fs::read(copy).unwrap() == content);
}

#[tokio::test]
async fn an_object_that_breaks_off_again_and_again_is_given_up_and_leaves_no_file() {
    let (server, scratch) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    blobs.put("a", binary(1_000), None).await.unwrap();
    for _ in 0..5 {
        server.fail("GET", "/a", Fault::BreakOff(10));
    }
    let reason = reason(blobs.local_file("a", scratch.path()).await.map(drop));
    assert!(
        reason.contains("a broke off at byte 50 of 1000"),
        "{reason}"
    );
    assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_is_not_mixed() {
    let server = S3Server::start();
    let blobs = server.blobs().await;
    blobs.put("a", binary(1_000), None).await.unwrap();
    server.fail("GET", "/a", Fault::BreakOff(10));
    // S3 compares the entity tag; this server does not.
    server.fail("GET", "/a", Fault::Answer(412, "PreconditionFailed"));
    let reason = reason(blobs.get("a", None).await.map(drop));
    assert!(reason.contains("replaced while it was read"), "{reason}");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_stays_is_told() {
    let server = S3Server::start();
    let blobs = server.blobs().await;
    server.fail("PUT", "/a", Fault::Answer(503, "SlowDown"));
    server.fail("PUT", "/a", Fault::Answer(500, "InternalError"));
    server.fail("PUT", "/a", Fault::LoseAnswer);
    blobs.put("a", binary(1_000), None).await.unwrap();
    assert_eq!(server.seen("PUT", "/a"), 4);
    assert!(blobs.get("a", None).await.unwrap() == binary(1_000));

    for _ in 0..4 {
        server.fail("PUT", "/b", Fault::Answer(503, "SlowDown"));
    }
    match blobs.put("b", binary(1), None).await {
        Err(BlobError::Busy(reason)) => assert!(
            reason.contains("s3://functions/b") && reason.contains("SlowDown"),
            "{reason}"
        ),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_counts_if_the_object_is_there() {
    let (server, directory) = (S3Server::start(), tempfile::tempdir().unwrap());
    let blobs = server.blobs().await;
    let (file, content, hash) = large_file(&directory);
    server.fail("POST", "uploadId=", Fault::LoseAnswer);
    server.fail("POST", "uploadId=", Fault::Answer(404, "NoSuchUpload"));
    blobs.put_file("a", &file, Some(&hash)).await.unwrap();
    assert!(blobs.get("a", Some(&hash)).await.unwrap() == content);

    // The same words when what is there is another's.
    server.fail("POST", "uploadId=", Fault::Answer(404, "NoSuchUpload"));
    assert!(blobs.put_file("a", &file, Some(&hash)).await.is_err());
}

#[tokio::test]
async fn what_is_denied_or_not_there_says_what_to_change() {
    let server = S3Server::start();
    let blobs = server.blobs().await;
    server.fail("GET", "/a", Fault::Answer(403, "AccessDenied"));
    let denied = reason(blobs.get("a", None).await.map(drop));
    assert!(
        denied.contains("s3:GetObject on arn:aws:s3:::functions/*"),
        "{denied}"
    );
    server.fail("GET", "list-type", Fault::Answer(403, "AccessDenied"));
    let denied = reason(blobs.list("").await.map(drop));
    assert!(
        denied.ends_with("s3:ListBucket on arn:aws:s3:::functions"),
        "{denied}"
    );

    let other = S3Blobs::new(&sdk().await, "nowhere", Some(server.endpoint()));
    let missing = reason(other.check().await);
    assert!(missing.contains("there is no bucket nowhere"), "{missing}");
    // S3 knows its buckets; this server makes one.
    server.fail("PUT", "/nowhere", Fault::Answer(404, "NoSuchBucket"));
    let missing = reason(other.put("a", binary(1), None).await);
    assert!(missing.contains("there is no bucket nowhere"), "{missing}");
}

#[tokio::test]
async fn code_under_the_first_systems_keys_is_read_and_foreign_keys_are_left_alone() {
    let server = S3Server::start();
    let blobs = server.blobs().await;
    for key in ["ws-1/fn-1.py", "notes (old)/a b.txt"] {
        let file = server.file(key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "print()").unwrap();
    }
    assert_eq!(blobs.get("ws-1/fn-1.py", None).await.unwrap(), "print()");
    let keys: Vec<_> = blobs
        .list("")
        .await
        .unwrap()
        .into_iter()
        .map(|object| object.key)
        .collect();
    assert_eq!(keys, ["ws-1/fn-1.py"]);
    assert!(is_missing(&blobs.get("ws-1/fn-2.py", None).await));
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_is_told_of() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let blobs = S3Blobs::new(&sdk().await, BUCKET, Some(&silent));
    let asked = Instant::now();
    match blobs.check().await {
        Err(BlobError::Busy(reason)) => {
            assert!(reason.contains("did not answer in time"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
    assert!(asked.elapsed() < Duration::from_mins(1));
}
