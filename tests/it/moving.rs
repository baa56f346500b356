//! Everything moved from one store and its blobs to others.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

use blue_faas::adapter::blobs::filesystem::FilesystemBlobs;
use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::port::blobs::Blobs;
use blue_faas::port::store::{Item, Key, Store, Write};
use blue_faas::service::actor::Actor;
use blue_faas::service::moving::{Exported, Imported, MoveError, export, import};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::support::app::{TestApp, run};
use crate::support::builders::{a_function, a_workspace, base64};
use crate::support::emulator::Emulator;
use crate::support::s3::{Fault, S3Server};

/// A store and blobs, and what keeps them.
struct Place {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    folder: tempfile::TempDir,
    s3: Option<S3Server>,
    _emulator: Option<Emulator>,
}

impl Place {
    fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Arc::new(SqliteStore::open(folder.path()).unwrap()),
            blobs: Arc::new(FilesystemBlobs::open(&folder.path().join("blobs")).unwrap()),
            folder,
            s3: None,
            _emulator: None,
        }
    }

    async fn with_a_bucket() -> Self {
        let s3 = S3Server::start();
        Self {
            blobs: Arc::new(s3.blobs().await),
            s3: Some(s3),
            ..Self::embedded()
        }
    }

    async fn in_the_cloud() -> Self {
        let emulator = Emulator::dynoxide();
        let (store, bucket) = (emulator.new_store().await, Self::with_a_bucket().await);
        Self {
            store: Arc::new(store),
            _emulator: Some(emulator),
            ..bucket
        }
    }

    /// Items of every type and size, and objects that take several pages, requests and parts.
    async fn filled() -> Self {
        let place = Self::embedded();
        for n in 0..1_500 {
            place
                .put(
                    &format!("WS#{}", n % 7),
                    &format!("FN#{n}"),
                    json!({"n": n, "half": f64::from(n) / 3.0 + 0.1}),
                )
                .await;
        }
        for n in 0..8 {
            let item = json!({"code": "가\n".repeat(70_000), "list": [null, {"deep": [true]}]});
            place.put("FN#large", &format!("LOG#{n}"), item).await;
        }
        for n in 0..40_usize {
            let content = Bytes::from(vec![n as u8; n * 5_000]);
            let key = format!("code/ws-1/fn-{n}/{n}.py");
            place.blobs.put(&key, content, None).await.unwrap();
        }
        let large = (0..20_000_000_u32)
            .map(|n| (n >> 7) as u8)
            .collect::<Vec<_>>();
        place
            .blobs
            .put("build-artifacts/t/app.wasm", large.into(), None)
            .await
            .unwrap();
        place
    }

    async fn put(&self, pk: &str, sk: &str, item: Value) {
        let Value::Object(item) = item else {
            panic!("an item is a map")
        };
        self.store
            .write(Write::put(Key::new(pk, sk), item))
            .await
            .unwrap();
    }

    async fn items(&self) -> BTreeMap<Key, Item> {
        let (mut items, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.store.scan(after.as_ref()).await.unwrap();
            items.extend(page.items);
            after = page.next;
            if after.is_none() {
                return items;
            }
        }
    }

    async fn objects(&self) -> BTreeMap<String, Bytes> {
        let mut objects = BTreeMap::new();
        for object in self.blobs.list("").await.unwrap() {
            let content = self.blobs.get(&object.key, None).await.unwrap();
            objects.insert(object.key, content);
        }
        objects
    }

    async fn export(&self, file: &Path) -> Result<Exported, MoveError> {
        export(&Actor::system(), &*self.store, &*self.blobs, file).await
    }

    async fn import(&self, file: &Path) -> Result<Imported, MoveError> {
        import(&Actor::system(), &*self.store, &*self.blobs, file, false).await
    }

    async fn merge(&self, file: &Path) -> Result<Imported, MoveError> {
        import(&Actor::system(), &*self.store, &*self.blobs, file, true).await
    }

    fn archive(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The files of an archive by their names.
fn unpacked(archive: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(archive).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            file.read_to_end(&mut content).unwrap();
            (file.name().unwrap().into_owned(), content)
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moved_to_a_bucket_and_back_is_identical() {
    let here = Place::filled().await;
    let archive = here.archive("first.zip");
    let exported = here.export(&archive).await.unwrap();
    assert_eq!((exported.items, exported.objects), (1_508, 41));
    assert_eq!(
        std::fs::metadata(&archive).unwrap().permissions(),
        Permissions::from_mode(0o100_600)
    );
    assert_eq!(
        std::fs::read_dir(here.folder.path())
            .unwrap()
            .filter(|entry| {
                entry
                    .as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .starts_with(".tmp")
            })
            .count(),
        0,
        "copies are left"
    );

    let there = Place::with_a_bucket().await;
    let imported = there.import(&archive).await.unwrap();
    assert_eq!((imported.items, imported.objects), (1_508, 41));
    assert!(there.items().await == here.items().await);
    assert!(there.objects().await == here.objects().await);

    let again = here.archive("second.zip");
    assert_eq!(there.export(&again).await.unwrap(), exported);
    assert!(unpacked(&archive) == unpacked(&again));

    assert_eq!(
        there.merge(&archive).await.unwrap(),
        Imported {
            same: 1_508,
            objects_there: 41,
            ..Imported::default()
        }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_moved_to_the_cloud_and_back_is_identical() {
    let (here, cloud, back) = (
        Place::filled().await,
        Place::in_the_cloud().await,
        Place::embedded(),
    );
    let (there, again) = (here.archive("there.zip"), here.archive("again.zip"));
    let exported = here.export(&there).await.unwrap();
    let imported = cloud.import(&there).await.unwrap();
    assert_eq!((imported.items, imported.objects), (1_508, 41));
    assert_eq!(cloud.export(&again).await.unwrap(), exported);
    back.import(&again).await.unwrap();
    assert!(back.items().await == here.items().await);
    assert!(back.objects().await == here.objects().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_with_items_is_refused_and_merging_leaves_them_as_they_are() {
    let here = Place::embedded();
    here.put("p", "both", json!({"from": "here"})).await;
    here.put("p", "one", json!({"from": "here"})).await;
    here.blobs.put("a/both", "here".into(), None).await.unwrap();
    here.blobs.put("a/one", "here".into(), None).await.unwrap();
    let archive = here.archive("archive.zip");
    here.export(&archive).await.unwrap();
    let refused = here.export(&archive).await.unwrap_err().to_string();
    assert!(refused.contains("is there already"), "{refused}");

    let there = Place::embedded();
    there.put("p", "both", json!({"from": "there"})).await;
    there
        .blobs
        .put("a/both", "there".into(), None)
        .await
        .unwrap();
    let refused = there.import(&archive).await.unwrap_err().to_string();
    assert!(refused.contains("not empty: it has p both"), "{refused}");
    assert_eq!(there.items().await.len(), 1);

    let expected = Imported {
        items: 1,
        kept: 1,
        objects: 1,
        objects_there: 1,
        ..Imported::default()
    };
    assert_eq!(there.merge(&archive).await.unwrap(), expected);
    let items = there.items().await;
    assert_eq!(items[&Key::new("p", "both")]["from"], "there");
    assert_eq!(items[&Key::new("p", "one")]["from"], "here");
    let objects = there.objects().await;
    assert_eq!(
        (&*objects["a/both"], &*objects["a/one"]),
        (&b"there"[..], &b"here"[..])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_interrupted_is_finished_by_merging() {
    let here = Place::filled().await;
    let archive = here.archive("archive.zip");
    here.export(&archive).await.unwrap();
    let there = Place::with_a_bucket().await;
    let s3 = there.s3.as_ref().unwrap();
    s3.fail("PUT", "/fn-30/", Fault::Answer(403, "AccessDenied"));
    assert!(there.import(&archive).await.is_err());
    assert_eq!(there.items().await.len(), 0, "an item without its objects");
    let put = there.objects().await.len() as u64;
    assert!((1..41).contains(&put), "{put} objects");

    let finished = there.merge(&archive).await.unwrap();
    assert_eq!(finished.objects_there, put);
    assert_eq!(finished.objects, 41 - put);
    assert!(there.items().await == here.items().await);
    assert!(there.objects().await == here.objects().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_damaged_archive_no_item_is_written() {
    let here = Place::embedded();
    for n in 0..50 {
        here.put("p", &format!("{n}"), json!({"n": n})).await;
    }
    here.blobs
        .put("a/b", Bytes::from(vec![7; 10_000]), None)
        .await
        .unwrap();
    let archive = here.archive("archive.zip");
    here.export(&archive).await.unwrap();
    let files = unpacked(&archive);
    let there = Place::embedded();
    let rewritten = |name: &str, change: fn(Vec<u8>) -> Vec<u8>| {
        let file = here.archive("damaged.zip");
        let mut writer = zip::ZipWriter::new(std::fs::File::create(&file).unwrap());
        for (path, content) in &files {
            let content = content.clone();
            let content = if path == name {
                change(content)
            } else {
                content
            };
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(path.as_str(), options).unwrap();
            std::io::Write::write_all(&mut writer, &content).unwrap();
        }
        writer.finish().unwrap();
        file
    };
    let cut = |mut content: Vec<u8>| {
        content.truncate(content.len() / 2);
        content
    };
    for (name, change, reason) in [
        (
            "items.ndjson",
            cut as fn(Vec<u8>) -> Vec<u8>,
            "items.ndjson does not have its hash",
        ),
        (
            "objects.ndjson",
            cut,
            "objects.ndjson does not have its hash",
        ),
        ("objects/a/b", cut, "the content of a/b is damaged"),
        ("manifest.json", cut, "the archive is damaged"),
        (
            "manifest.json",
            |content| {
                let text = String::from_utf8(content).unwrap();
                text.replace("\"format\": 1", "\"format\": 2").into_bytes()
            },
            "the archive has format 2",
        ),
    ] {
        let error = there.import(&rewritten(name, change)).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{name}: {error}");
    }
    let whole = std::fs::read(&archive).unwrap();
    std::fs::write(here.archive("short.zip"), &whole[..whole.len() - 10]).unwrap();
    assert!(there.import(&here.archive("short.zip")).await.is_err());
    assert_eq!(there.items().await.len(), 0);
    assert_eq!(there.objects().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_elsewhere_with_what_it_had() {
    let mut app = TestApp::start();
    let workspace = a_workspace().named("Payments").create(&app).await;
    let large = format!("# {}\n", "x".repeat(40_000));
    let function = a_function()
        .named("Approve")
        .with_code(&large)
        .with("environmentVariables", json!({"TOKEN": "secret"}))
        .create(&app, &workspace)
        .await;
    let (listed, read) = (workspace.read(&app).await, function.read(&app).await);
    assert_eq!(read["code"], base64(&large));

    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("archive.zip");
    let name = archive.to_str().unwrap();
    let held = run(&["export", name], &app.data(), &[]);
    assert!(
        !held.success
            && held
                .stderr
                .contains("another server uses the data directory"),
        "{held:?}"
    );
    app.stop();
    let exported = run(&["export", name], &app.data(), &[]);
    assert!(
        exported.success && exported.stdout.contains("secrets included"),
        "{exported:?}"
    );

    let s3 = S3Server::start();
    let mut elsewhere = TestApp::start_with(s3.settings());
    elsewhere.stop();
    let imported = run(&["import", name], &elsewhere.data(), s3.settings());
    assert!(
        imported.success && imported.stdout.contains("; 0 items and"),
        "{imported:?}"
    );
    let refused = run(&["import", name], &elsewhere.data(), s3.settings());
    assert!(
        !refused.success && refused.stderr.contains("--merge"),
        "{refused:?}"
    );
    elsewhere.start_again();
    assert_eq!(workspace.read(&elsewhere).await, listed);
    assert_eq!(function.read(&elsewhere).await, read);
}
