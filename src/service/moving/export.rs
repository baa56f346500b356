//! Everything into an archive.

use futures::StreamExt as _;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{DateTime, ZipWriter};

use super::{
    FORMAT, Hashing, ITEMS, Listing, MANIFEST, Manifest, MoveError, OBJECTS, ObjectLine, PARALLEL,
    folder, line,
};
use crate::port::blobs::{BlobError, BlobInfo, Blobs};
use crate::port::store::Store;
use crate::service::actor::Actor;

type Archive = ZipWriter<BufWriter<File>>;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exported {
    pub items: u64,
    pub objects: u64,
    /// Bytes of the objects.
    pub bytes: u64,
}

/// Writes an archive, which only its owner can read. A file of this name is left as it is, and the call fails.
pub async fn export(
    _actor: &Actor,
    store: &dyn Store,
    blobs: &dyn Blobs,
    file: &Path,
) -> Result<Exported, MoveError> {
    if file.exists() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("{} is there already: name another file", file.display()),
        )
        .into());
    }
    // Temporary files are their owner's alone, and gone if this one is not finished.
    let temporary = NamedTempFile::new_in(folder(file))?;
    let mut archive = ZipWriter::new(BufWriter::new(temporary.reopen()?));
    let items = write_items(&mut archive, store).await?;
    let (objects, bytes) = write_objects(&mut archive, blobs, folder(file)).await?;
    let exported = Exported {
        items: items.count,
        objects: objects.count,
        bytes,
    };
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        items,
        objects,
    };
    archive.start_file(MANIFEST, options())?;
    serde_json::to_writer_pretty(&mut archive, &manifest).map_err(io::Error::from)?;
    let written = archive.finish()?.into_inner().map_err(io::Error::from)?;
    written.sync_all()?;
    temporary
        .persist_noclobber(file)
        .map_err(|error| error.error)?;
    Ok(exported)
}

fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .last_modified_time(DateTime::default())
        .unix_permissions(0o600)
        .large_file(true)
}

async fn write_items(archive: &mut Archive, store: &dyn Store) -> Result<Listing, MoveError> {
    archive.start_file(ITEMS, options())?;
    let mut lines = Hashing::new(archive);
    let (mut count, mut after) = (0, None);
    loop {
        let page = store.scan(after.as_ref()).await?;
        for (key, item) in &page.items {
            writeln!(lines, "{}", line::write(key, item))?;
        }
        count += page.items.len() as u64;
        after = page.next;
        if after.is_none() {
            let sha256 = lines.sha256();
            return Ok(Listing { count, sha256 });
        }
    }
}

/// Answers the list of objects, and their bytes.
async fn write_objects(
    archive: &mut Archive,
    blobs: &dyn Blobs,
    room: &Path,
) -> Result<(Listing, u64), MoveError> {
    let scratch = tempfile::tempdir_in(room)?;
    let mut objects = blobs.list("").await?;
    objects.sort_by(|one, other| one.key.cmp(&other.key));
    let mut copies = futures::stream::iter(objects)
        .map(|object: BlobInfo| async {
            let copy = blobs.local_file(&object.key, scratch.path()).await;
            (object.key, copy)
        })
        .buffered(PARALLEL);
    // Some 150 bytes an object.
    let mut lines = Hashing::new(Vec::new());
    let (mut count, mut bytes) = (0, 0);
    while let Some((key, copy)) = copies.next().await {
        let path = match copy {
            Ok(path) => path,
            // Deleted since it was listed, so no item needs it any more.
            Err(BlobError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        archive.start_file(format!("objects/{key}"), options())?;
        let mut content = Hashing::new(&mut *archive);
        io::copy(&mut File::open(&path)?, &mut content)?;
        if path.starts_with(scratch.path()) {
            std::fs::remove_file(&path)?;
        }
        let object = ObjectLine {
            key,
            size: content.bytes,
            sha256: content.sha256(),
        };
        count += 1;
        bytes += object.size;
        serde_json::to_writer(&mut lines, &object).map_err(io::Error::from)?;
        writeln!(lines)?;
    }
    archive.start_file(OBJECTS, options())?;
    archive.write_all(&lines.to)?;
    let sha256 = lines.sha256();
    Ok((Listing { count, sha256 }, bytes))
}
