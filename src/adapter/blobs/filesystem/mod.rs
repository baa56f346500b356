//! Objects as files: `objects/` below the root holds them under their keys, `temporary/` what is being written.
//!
//! An object is written to a temporary file, synced, and renamed to its key: it is there whole or not at all. Folders are walked from one open
//! directory to the next and no symbolic link is followed, so no key leads out of the root, whatever lies in it.

mod directory;
mod temporary;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use bytes::Bytes;
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};
use nix::unistd::{UnlinkatFlags, unlinkat};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{hash, key};
use crate::port::blobs::{BlobError, BlobInfo, Blobs};
use directory::ObjectsDirectory;
use temporary::{Temporary, TemporaryDirectory};

/// Up to this size an object is read where it is asked for: it takes less time than handing the work to a blocking thread.
const SMALL: u64 = 64 * 1024;

/// How often a put looks for its folders when another process that shares the directory takes them away as empty.
const ATTEMPTS: usize = 16;

pub struct FilesystemBlobs {
    root: Arc<Root>,
}

struct Root {
    objects: ObjectsDirectory,
    temporary: TemporaryDirectory,
    /// Bytes of all objects, once someone asked. Held while an object appears or goes, so that the sum stays exact and a delete does not take
    /// the folder away that a put is about to use.
    usage: Mutex<Option<u64>>,
}

impl FilesystemBlobs {
    /// Opens this directory, making it when it is missing, and removes what interrupted puts left.
    pub fn open(root: &Path) -> Result<Self, BlobError> {
        let failed = |error: std::io::Error| {
            BlobError::Failed(format!(
                "cannot keep objects in {}: {error}",
                root.display()
            ))
        };
        let objects = ObjectsDirectory::open(&root.join("objects")).map_err(failed)?;
        let temporary = TemporaryDirectory::open(&root.join("temporary")).map_err(failed)?;
        Ok(Self {
            root: Arc::new(Root {
                objects,
                temporary,
                usage: Mutex::new(None),
            }),
        })
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, BlobError> + Send + 'static,
    ) -> Result<T, BlobError> {
        let root = Arc::clone(&self.root);
        tokio::task::spawn_blocking(move || work(&root))
            .await
            .map_err(|error| BlobError::Failed(error.to_string()))?
    }
}

#[async_trait]
impl Blobs for FilesystemBlobs {
    async fn put(&self, key: &str, content: Bytes, sha256: Option<&str>) -> Result<(), BlobError> {
        key::split(key)?;
        let (key, sha256) = (key.to_owned(), sha256.map(str::to_owned));
        self.blocking(move |root| {
            hash::check(&key, &content, sha256.as_deref())?;
            root.publish(
                root.temporary
                    .write(&content)
                    .map_err(|error| failed(&key, &error))?,
                &key,
            )
        })
        .await
    }

    async fn put_file(
        &self,
        key: &str,
        file: &Path,
        sha256: Option<&str>,
    ) -> Result<(), BlobError> {
        key::split(key)?;
        let (key, file, sha256) = (key.to_owned(), file.to_owned(), sha256.map(str::to_owned));
        self.blocking(move |root| {
            let taken = root
                .temporary
                .take_over(&file, sha256.as_deref())
                .map_err(|error| failed(&key, &error))?;
            root.publish(taken.ok_or_else(|| BlobError::Damaged(key.clone()))?, &key)
        })
        .await
    }

    async fn get(&self, key: &str, sha256: Option<&str>) -> Result<Bytes, BlobError> {
        let (file, size) = self.root.open_object(key)?;
        if size <= SMALL {
            return read_object(key, file, size, sha256);
        }
        let (key, sha256) = (key.to_owned(), sha256.map(str::to_owned));
        self.blocking(move |_| read_object(&key, file, size, sha256.as_deref()))
            .await
    }

    async fn local_file(&self, key: &str, _scratch: &Path) -> Result<PathBuf, BlobError> {
        self.root.open_object(key)?;
        Ok(self.root.objects.path().join(key))
    }

    async fn exists(&self, key: &str) -> Result<bool, BlobError> {
        match self.root.open_object(key) {
            Ok(_) => Ok(true),
            Err(BlobError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        key::split(key)?;
        let key = key.to_owned();
        self.blocking(move |root| root.delete(&key)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<BlobInfo>, BlobError> {
        key::split_prefix(prefix)?;
        let prefix = prefix.to_owned();
        self.blocking(move |root| {
            let (folders, start) = key::split_prefix(&prefix)?;
            root.objects
                .list(&folders, start)
                .map_err(|error| failed(&prefix, &error))
        })
        .await
    }

    async fn delete_folder(&self, prefix: &str) -> Result<(), BlobError> {
        key::split_folder(prefix)?;
        let prefix = prefix.to_owned();
        self.blocking(move |root| {
            let objects = root
                .objects
                .list(&key::split_folder(&prefix)?, "")
                .map_err(|error| failed(&prefix, &error))?;
            objects
                .iter()
                .try_for_each(|object| root.delete(&object.key))
        })
        .await
    }

    fn url(&self, key: &str) -> String {
        format!("local://{key}")
    }

    async fn check(&self) -> Result<(), BlobError> {
        self.root
            .objects
            .check()
            .and_then(|()| self.root.temporary.check())
            .map_err(|error| failed("the directory of objects", &error))
    }

    async fn disk_usage(&self) -> Option<u64> {
        self.blocking(Root::measure).await.ok()
    }
}

impl Root {
    /// Renames to the key and makes that durable.
    fn publish(&self, mut temporary: Temporary<'_>, key: &str) -> Result<(), BlobError> {
        let (folders, name) = key::split(key)?;
        let mut attempts = ATTEMPTS;
        loop {
            match self.rename(&mut temporary, &folders, name) {
                Ok(folder) => {
                    return nix::unistd::fsync(folder).map_err(|errno| failed(key, &errno.into()));
                }
                Err(Errno::ENOENT) if attempts > 1 => attempts -= 1,
                Err(errno) => return Err(failed(key, &errno.into())),
            }
        }
    }

    /// Answers the folder that holds the object now.
    fn rename(
        &self,
        temporary: &mut Temporary<'_>,
        folders: &[&str],
        name: &str,
    ) -> nix::Result<OwnedFd> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.objects.make(folders)?.into_last();
        let replaced = size_of(&folder, name)?;
        temporary.rename(&folder, name)?;
        if let Some(usage) = usage.as_mut() {
            *usage = (*usage + temporary.size()).saturating_sub(replaced);
        }
        Ok(folder)
    }

    /// The object's file and its size.
    fn open_object(&self, key: &str) -> Result<(File, u64), BlobError> {
        let (folders, name) = key::split(key)?;
        // What stands in the way (a file where a folder should be, a link) means that no object has this key.
        let opened = self
            .objects
            .walk(&folders)
            .and_then(|chain| open_file(chain.last(), name));
        match opened {
            Ok((file, stat)) if is_file(&stat) => Ok((File::from(file), stat.st_size as u64)),
            Ok(_) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => {
                Err(BlobError::Missing(key.to_owned()))
            }
            Err(errno) => Err(failed(key, &errno.into())),
        }
    }

    /// Not synced: after a power cut the object may be back, and is collected again as any that no record names.
    fn delete(&self, key: &str) -> Result<(), BlobError> {
        let (folders, name) = key::split(key)?;
        let deleted = self.objects.walk(&folders).and_then(|chain| {
            let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
            let size = size_of(chain.last(), name)?;
            unlinkat(chain.last(), name, UnlinkatFlags::NoRemoveDir)?;
            if let Some(usage) = usage.as_mut() {
                *usage = usage.saturating_sub(size);
            }
            chain.remove_empty(&folders);
            Ok(())
        });
        match deleted {
            // EISDIR: a folder has this name, so no object does.
            Ok(()) | Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::EISDIR) => Ok(()),
            Err(errno) => Err(failed(key, &errno.into())),
        }
    }

    fn measure(&self) -> Result<u64, BlobError> {
        let mut usage = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = *usage {
            return Ok(bytes);
        }
        let objects = self
            .objects
            .list(&[], "")
            .map_err(|error| failed("the directory of objects", &error))?;
        Ok(*usage.insert(objects.iter().map(|object| object.size).sum()))
    }
}

fn open_file(folder: &OwnedFd, name: &str) -> nix::Result<(OwnedFd, FileStat)> {
    // NONBLOCK: a pipe that someone left there must not hold up the reader.
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    Ok((file, stat))
}

/// 0 when there is none.
fn size_of(folder: &OwnedFd, name: &str) -> nix::Result<u64> {
    match fstatat(folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) if is_file(&stat) => Ok(stat.st_size as u64),
        Ok(_) | Err(Errno::ENOENT) => Ok(0),
        Err(errno) => Err(errno),
    }
}

fn is_file(stat: &FileStat) -> bool {
    SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFREG
}

fn read_object(key: &str, file: File, size: u64, sha256: Option<&str>) -> Result<Bytes, BlobError> {
    let mut content = Vec::with_capacity(size as usize);
    file.take(size)
        .read_to_end(&mut content)
        .map_err(|error| failed(key, &error))?;
    hash::check(key, &content, sha256)?;
    Ok(content.into())
}

fn failed(key: &str, error: &std::io::Error) -> BlobError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => {
            BlobError::Failed(format!("{key}: the disk is full: make room on it"))
        }
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::IsADirectory => BlobError::Failed(
            format!("{key}: a folder and an object would have the same name: choose another key"),
        ),
        _ => BlobError::Failed(format!("{key}: {error}")),
    }
}
