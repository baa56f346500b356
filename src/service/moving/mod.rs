//! Moving everything from one store and its blobs to others, through an archive.
//!
//! The archive is a zip of `items.ndjson` (see [`line`]), `objects/{key}`, `objects.ndjson` (a line for each: key, size, SHA-256) and, written last,
//! `manifest.json`, without which nothing of it is used. It holds what the store holds: values of environments, so secrets, too.
//!
//! Items are read before objects: what an item names was there when it was read, and is in the archive unless it was deleted meanwhile. They
//! are written after objects, as everywhere.

mod export;
mod import;
mod line;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Write};
use std::path::Path;

use crate::port::blobs::BlobError;
use crate::port::store::StoreError;
use crate::service::functions::record::hexadecimal;

pub use export::{Exported, export};
pub use import::{Imported, import};

/// Of what this version writes, and the only one it reads.
const FORMAT: u32 = 1;
const ITEMS: &str = "items.ndjson";
const OBJECTS: &str = "objects.ndjson";
const MANIFEST: &str = "manifest.json";
/// Objects, or a multiple of it for items, that are on their way at a time: bounds memory and what an interruption repeats.
const PARALLEL: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
    #[error("the archive cannot be read or written: {0}")]
    File(#[from] io::Error),
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    #[error(
        "the archive has format {0}, and this version reads {FORMAT}: use the version that wrote it, or a newer one"
    )]
    Format(u32),
    #[error(
        "the target is not empty: it has {0}, for one. Import into an empty one, or use --merge, which leaves what is there as it is and adds the rest; so it also goes on after an interruption"
    )]
    NotEmpty(String),
}

impl From<zip::result::ZipError> for MoveError {
    fn from(error: zip::result::ZipError) -> Self {
        match error {
            zip::result::ZipError::Io(cause) => Self::File(cause),
            other => Self::Damaged(other.to_string()),
        }
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Manifest {
    format: u32,
    /// Of the product that wrote it.
    version: String,
    items: Listing,
    objects: Listing,
}

/// How many lines a file of the archive has, and its hash.
#[derive(Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Listing {
    count: u64,
    sha256: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct ObjectLine {
    key: String,
    /// Bytes.
    size: u64,
    sha256: String,
}

/// Passes bytes on, and hashes and counts them.
struct Hashing<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            hash: Sha256::new(),
            bytes: 0,
        }
    }

    fn sha256(self) -> String {
        hexadecimal(&self.hash.finalize())
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The folder of an archive, where there is room for copies of its objects as well.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
