//! An archive into a store and its blobs. What is there already stays as it is, so an import can be repeated.

use futures::stream::{FuturesUnordered, StreamExt as _};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zip::ZipArchive;

use super::{
    FORMAT, Hashing, ITEMS, Listing, MANIFEST, Manifest, MoveError, OBJECTS, ObjectLine, PARALLEL,
    folder, line,
};
use crate::port::blobs::{BlobError, Blobs};
use crate::port::store::{Item, Key, Store, StoreError, Write};
use crate::service::actor::Actor;

/// Bytes of a line at most: an item's 400 KiB, each of them escaped, with types.
const MAX_LINE: u64 = 8 * 1024 * 1024;
/// How long a store that is busy is waited for before an item is given up.
const PATIENCE: Duration = Duration::from_secs(20);

type Archive = ZipArchive<BufReader<File>>;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Imported {
    pub items: u64,
    /// Items that were there, with the same attributes.
    pub same: u64,
    /// Items that were there with other attributes, which they still have.
    pub kept: u64,
    pub objects: u64,
    /// Objects whose key was there.
    pub objects_there: u64,
}

enum Written {
    New,
    Same,
    Kept,
}

/// Reads an archive into a store that has no items, or with `merge` into any. Of an archive that is damaged no item is written.
pub async fn import(
    _actor: &Actor,
    store: &dyn Store,
    blobs: &dyn Blobs,
    file: &Path,
    merge: bool,
) -> Result<Imported, MoveError> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(file)?))?;
    let manifest: Manifest = serde_json::from_reader(archive.by_name(MANIFEST)?)
        .map_err(|cause| MoveError::Damaged(cause.to_string()))?;
    if manifest.format != FORMAT {
        return Err(MoveError::Format(manifest.format));
    }
    check(&mut archive, ITEMS, &manifest.items)?;
    check(&mut archive, OBJECTS, &manifest.objects)?;
    if !merge && let Some((key, _)) = store.scan(None).await?.items.first() {
        return Err(MoveError::NotEmpty(format!("{} {}", key.pk, key.sk)));
    }
    let mut imported = Imported::default();
    read_objects(&mut archive, blobs, folder(file), &mut imported).await?;
    read_items(&mut archive, store, &mut imported).await?;
    Ok(imported)
}

/// Whether a list is as it was written, before anything of it is used.
fn check(archive: &mut Archive, name: &str, expected: &Listing) -> Result<(), MoveError> {
    let mut entry = archive.by_name(name)?;
    let mut lines = Hashing::new(io::sink());
    io::copy(&mut entry, &mut lines)?;
    if lines.sha256() == expected.sha256 {
        Ok(())
    } else {
        Err(MoveError::Damaged(format!("{name} does not have its hash")))
    }
}

/// The next line, without its end.
fn next_line(lines: &mut impl BufRead) -> Result<Option<Vec<u8>>, MoveError> {
    let mut line = Vec::new();
    lines.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) => Err(MoveError::Damaged("a line does not end".to_owned())),
    }
}

async fn read_objects(
    archive: &mut Archive,
    blobs: &dyn Blobs,
    room: &Path,
    imported: &mut Imported,
) -> Result<(), MoveError> {
    let there = blobs.list("").await?;
    let there: HashSet<String> = there.into_iter().map(|object| object.key).collect();
    let scratch = tempfile::tempdir_in(room)?;
    let mut under_way = FuturesUnordered::new();
    for object in listed(archive)? {
        if there.contains(&object.key) {
            imported.objects_there += 1;
            continue;
        }
        let path = scratch.path().join(imported.objects.to_string());
        unpack(archive, &object, &path)?;
        imported.objects += 1;
        under_way.push(put(blobs, object, path));
        if under_way.len() == PARALLEL {
            under_way.next().await.transpose()?;
        }
    }
    while under_way.next().await.transpose()?.is_some() {}
    Ok(())
}

fn listed(archive: &mut Archive) -> Result<Vec<ObjectLine>, MoveError> {
    let mut lines = BufReader::new(archive.by_name(OBJECTS)?);
    let mut objects = Vec::new();
    while let Some(line) = next_line(&mut lines)? {
        let object = serde_json::from_slice(&line);
        objects.push(object.map_err(|cause| MoveError::Damaged(cause.to_string()))?);
    }
    Ok(objects)
}

/// The object as a file; no more than its size is written of it.
fn unpack(archive: &mut Archive, object: &ObjectLine, to: &Path) -> Result<(), MoveError> {
    let entry = archive.by_name(&format!("objects/{}", object.key))?;
    let mut file = Hashing::new(File::create_new(to)?);
    io::copy(&mut entry.take(object.size), &mut file)?;
    if file.sha256() == object.sha256 {
        Ok(())
    } else {
        Err(BlobError::Damaged(object.key.clone()).into())
    }
}

async fn put(blobs: &dyn Blobs, object: ObjectLine, path: PathBuf) -> Result<(), MoveError> {
    blobs
        .put_file(&object.key, &path, Some(&object.sha256))
        .await?;
    // Where it was taken over it is gone.
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

async fn read_items(
    archive: &mut Archive,
    store: &dyn Store,
    imported: &mut Imported,
) -> Result<(), MoveError> {
    let mut lines = BufReader::new(archive.by_name(ITEMS)?);
    let mut under_way = FuturesUnordered::new();
    loop {
        let line = next_line(&mut lines)?;
        let ended = line.is_none();
        if let Some(line) = line {
            let (key, item) = line::read(&line)
                .ok_or_else(|| MoveError::Damaged("a line is no item".to_owned()))?;
            under_way.push(create(store, key, item));
        }
        while under_way.len() >= 4 * PARALLEL || ended {
            let Some(written) = under_way.next().await else {
                return Ok(());
            };
            match written? {
                Written::New => imported.items += 1,
                Written::Same => imported.same += 1,
                Written::Kept => imported.kept += 1,
            }
        }
    }
}

async fn create(store: &dyn Store, key: Key, item: Item) -> Result<Written, MoveError> {
    let mut pause = Duration::from_millis(50);
    loop {
        let put = Write::create(key.clone(), item.clone());
        match store.write(put).await {
            Ok(()) => return Ok(Written::New),
            Err(StoreError::ConditionFailed { .. }) => {
                let there = store.get(&key).await?;
                return Ok(if there.as_ref() == Some(&item) {
                    Written::Same
                } else {
                    Written::Kept
                });
            }
            Err(StoreError::Busy) if pause < PATIENCE => {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            Err(error) => return Err(error.into()),
        }
    }
}
