//! The compiler's memory of functions it compiled before, in one file. Nearly all of a component is CPython, the same in each.
//!
//! The file is a header and entries `key length, value length (u32 LE), checksum (16 bytes), key, value`. Entries are only appended, under a lock;
//! what a crash cut off fails its checksum and is overwritten. When the file is full it is replaced by what the last compilation used.

use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use wasmtime::CacheStore;

const HEADER: &[u8; 16] = b"blue-faas-inc-1\n";
const CHECKSUM: usize = 16;
const PREFIX: usize = 8 + CHECKSUM;
/// Bytes of the file at most. CPython and the SDK take about a fifth of it.
const MAX_FILE: usize = 256 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct IncrementalCache {
    path: PathBuf,
    max_file: usize,
    content: Vec<u8>,
    stored: HashMap<Vec<u8>, Range<usize>>,
    session: Mutex<Session>,
}

/// What this compilation looked up and added.
#[derive(Debug, Default)]
struct Session {
    used: HashSet<Vec<u8>>,
    added: HashMap<Vec<u8>, Vec<u8>>,
}

impl IncrementalCache {
    /// Reads the file; one that is missing or of another kind counts as empty.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, MAX_FILE)
    }

    fn with_limit(path: &Path, max_file: usize) -> io::Result<Self> {
        let content = match std::fs::read(path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let stored = Entries::new(&content).collect();
        Ok(Self {
            path: path.to_owned(),
            max_file,
            content,
            stored,
            session: Mutex::default(),
        })
    }

    /// Writes what was added. Nothing is lost when this is never called but the time of the next compilation.
    pub fn save(&self) -> io::Result<()> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if session.added.is_empty() {
            return Ok(());
        }
        // A file of its own: the lock on a file that is replaced would be on the old one.
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(self.path.with_extension("lock"))?;
        let _lock = Flock::lock(lock, FlockArg::LockExclusive)
            .map_err(|(_, errno)| io::Error::from(errno))?;
        let mut added = Vec::new();
        for (key, value) in &session.added {
            append_entry(&mut added, key, value);
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&self.path)?;
        let valid = valid_length(&mut file)?;
        if valid + added.len() > self.max_file {
            return self.replace(&session, added);
        }
        file.set_len(valid as u64)?;
        file.seek(SeekFrom::Start(valid as u64))?;
        if valid == 0 {
            file.write_all(HEADER)?;
        }
        file.write_all(&added)?;
        file.sync_data()
    }

    fn replace(&self, session: &Session, added: Vec<u8>) -> io::Result<()> {
        let mut content = HEADER.to_vec();
        content.extend(added);
        for key in &session.used {
            let Some(value) = self.stored.get(key) else {
                continue;
            };
            if content.len() + PREFIX + key.len() + value.len() <= self.max_file {
                append_entry(&mut content, key, &self.content[value.clone()]);
            }
        }
        if content.len() > self.max_file {
            content.truncate(HEADER.len());
        }
        let temporary = self.path.with_extension("tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(&content)?;
        file.sync_data()?;
        std::fs::rename(temporary, &self.path)
    }
}

impl CacheStore for IncrementalCache {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = self.stored.get(key) {
            session.used.insert(key.to_vec());
            return Some(Cow::Borrowed(&self.content[value.clone()]));
        }
        session.added.get(key).cloned().map(Cow::Owned)
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        self.session
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .added
            .insert(key.to_vec(), value);
        true
    }
}

fn checksum(key: &[u8], value: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Sha256::new();
    hash.update((key.len() as u64).to_le_bytes());
    hash.update(key);
    hash.update(value);
    let mut short = [0; CHECKSUM];
    short.copy_from_slice(&hash.finalize()[..CHECKSUM]);
    short
}

fn append_entry(content: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let (Ok(key_length), Ok(value_length)) = (u32::try_from(key.len()), u32::try_from(value.len()))
    else {
        return;
    };
    content.extend(key_length.to_le_bytes());
    content.extend(value_length.to_le_bytes());
    content.extend(checksum(key, value));
    content.extend(key);
    content.extend(value);
}

/// Bytes of the file up to the end of its last whole entry; 0 without a header.
fn valid_length(file: &mut File) -> io::Result<usize> {
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    let mut entries = Entries::new(&content);
    entries.by_ref().for_each(drop);
    Ok(entries.at)
}

/// Whole entries in their order, up to the first that is not.
struct Entries<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Entries<'a> {
    fn new(content: &'a [u8]) -> Self {
        Self {
            content,
            at: if content.starts_with(HEADER) {
                HEADER.len()
            } else {
                0
            },
        }
    }

    fn length(&self, at: usize) -> Option<usize> {
        let bytes = self.content.get(at..at + 4)?.try_into().ok()?;
        Some(u32::from_le_bytes(bytes) as usize)
    }
}

impl Iterator for Entries<'_> {
    type Item = (Vec<u8>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == 0 {
            return None;
        }
        let (key_length, value_length) = (self.length(self.at)?, self.length(self.at + 4)?);
        let key_at = self.at + PREFIX;
        let value_at = key_at.checked_add(key_length)?;
        let end = value_at.checked_add(value_length)?;
        let (key, value) = (
            self.content.get(key_at..value_at)?,
            self.content.get(value_at..end)?,
        );
        if self.content[self.at + 8..key_at] != checksum(key, value) {
            return None;
        }
        self.at = end;
        Some((key.to_vec(), value_at..end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(path: &Path, limit: usize, entries: &[(&[u8], &[u8])]) {
        let cache = IncrementalCache::with_limit(path, limit).expect("opens");
        for (key, value) in entries {
            cache.insert(key, value.to_vec());
        }
        cache.save().expect("saves");
    }

    fn get(path: &Path, key: &[u8]) -> Option<Vec<u8>> {
        IncrementalCache::open(path)
            .expect("opens")
            .get(key)
            .map(Cow::into_owned)
    }

    #[test]
    fn what_was_saved_is_found_again() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cache");
        add(&path, MAX_FILE, &[(b"a", b"1"), (b"b", b"")]);
        add(&path, MAX_FILE, &[(b"c", b"3")]);
        assert_eq!(get(&path, b"a"), Some(b"1".to_vec()));
        assert_eq!(get(&path, b"b"), Some(Vec::new()));
        assert_eq!(get(&path, b"c"), Some(b"3".to_vec()));
        assert_eq!(get(&path, b"d"), None);
    }

    #[test]
    fn a_cut_or_damaged_tail_is_ignored_and_overwritten() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cache");
        add(&path, MAX_FILE, &[(b"a", b"1")]);
        add(&path, MAX_FILE, &[(b"b", b"22222")]);
        let whole = std::fs::read(&path).expect("reads");
        std::fs::write(&path, &whole[..whole.len() - 2]).expect("writes");
        assert_eq!(get(&path, b"a"), Some(b"1".to_vec()));
        assert_eq!(get(&path, b"b"), None);
        add(&path, MAX_FILE, &[(b"c", b"3")]);
        assert_eq!(get(&path, b"a"), Some(b"1".to_vec()));
        assert_eq!(get(&path, b"c"), Some(b"3".to_vec()));

        let mut damaged = whole;
        let last = damaged.len() - 1;
        damaged[last] ^= 1;
        std::fs::write(&path, &damaged).expect("writes");
        assert_eq!(get(&path, b"b"), None);
        std::fs::write(&path, b"something else").expect("writes");
        add(&path, MAX_FILE, &[(b"d", b"4")]);
        assert_eq!(get(&path, b"d"), Some(b"4".to_vec()));
    }

    #[test]
    fn a_full_file_keeps_what_the_last_compilation_used() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cache");
        let limit = HEADER.len() + 2 * (PREFIX + 2);
        add(&path, limit, &[(b"a", b"1"), (b"b", b"2")]);
        let cache = IncrementalCache::with_limit(&path, limit).expect("opens");
        assert!(cache.get(b"b").is_some());
        cache.insert(b"c", b"3".to_vec());
        cache.save().expect("saves");
        assert_eq!(get(&path, b"a"), None);
        assert_eq!(get(&path, b"b"), Some(b"2".to_vec()));
        assert_eq!(get(&path, b"c"), Some(b"3".to_vec()));
        assert!(std::fs::metadata(&path).expect("is there").len() <= limit as u64);
    }
}
