//! The files adapter: the contract, and what it leaves behind when it is killed.

use blue_faas::adapter::blobs::filesystem::FilesystemBlobs;
use blue_faas::port::blobs::Blobs;
use bytes::Bytes;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::Opened;
use super::blobs::{blobs_contract, sha256};

fn open() -> Opened<dyn Blobs> {
    let directory = tempfile::tempdir().unwrap();
    Opened {
        port: Arc::new(FilesystemBlobs::open(directory.path()).unwrap()),
        keep: Box::new(directory),
    }
}

blobs_contract!(open: std::future::ready(open()), gaps: []);

const DIRECTORY_OF_CHILD: &str = "BLUE_FAAS_TEST_BLOBS";

#[tokio::test]
async fn killed_in_the_middle_of_putting_every_object_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "contract::filesystem::child_that_puts",
            "--ignored",
            "--nocapture",
        ])
        .env(DIRECTORY_OF_CHILD, directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let hash = |line: String| line.strip_prefix("acknowledged ").map(str::to_owned);
    let mut acknowledged: Vec<String> = output.by_ref().filter_map(hash).take(40).collect();
    child.kill().unwrap();
    acknowledged.extend(output.filter_map(hash));
    child.wait().unwrap();
    assert!(acknowledged.len() >= 40);

    let blobs = FilesystemBlobs::open(directory.path()).unwrap();
    for hash in &acknowledged {
        blobs
            .get(&format!("objects/{hash}"), Some(hash))
            .await
            .unwrap();
    }
    for object in blobs.list("objects/").await.unwrap() {
        let hash = object.key.strip_prefix("objects/").unwrap();
        blobs.get(&object.key, Some(hash)).await.unwrap();
    }
    let left: Vec<_> = std::fs::read_dir(directory.path().join("temporary"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(
        left,
        ["lock"],
        "what was half written is gone after the next start"
    );
}

/// Four callers put objects named by their hash until the process is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of killed_in_the_middle_of_putting_every_object_is_whole"]
async fn child_that_puts() {
    let Some(directory) = std::env::var_os(DIRECTORY_OF_CHILD) else {
        return;
    };
    let blobs = Arc::new(FilesystemBlobs::open(Path::new(&directory)).unwrap());
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let blobs = Arc::clone(&blobs);
            tokio::spawn(async move {
                for n in 0..100_000 {
                    let content = Bytes::from(format!("{caller} {n} ").repeat(20_000));
                    let hash = sha256(&content);
                    blobs
                        .put(&format!("objects/{hash}"), content, Some(&hash))
                        .await
                        .unwrap();
                    let mut output = std::io::stdout().lock();
                    writeln!(output, "acknowledged {hash}").unwrap();
                    output.flush().unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}
