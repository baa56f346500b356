//! The tree of objects, walked from one open directory to the next.

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, mkdirat};
use nix::unistd::{AccessFlags, UnlinkatFlags, access, fsync, unlinkat};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::port::blobs::BlobInfo;

pub(super) struct ObjectsDirectory {
    path: PathBuf,
    open: OwnedFd,
}

/// The open folders of one key, the root first.
pub(super) struct Folders {
    root: OwnedFd,
    below: Vec<OwnedFd>,
}

impl ObjectsDirectory {
    pub fn open(path: &Path) -> io::Result<Self> {
        make_private(path)?;
        let path = path.canonicalize()?;
        Ok(Self {
            open: File::open(&path)?.into(),
            path,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn check(&self) -> io::Result<()> {
        Ok(access(
            &self.path,
            AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK,
        )?)
    }

    /// Opens the folders, which must be there.
    pub fn walk(&self, folders: &[&str]) -> nix::Result<Folders> {
        self.go(folders, enter)
    }

    /// Opens the folders, making those that are missing.
    pub fn make(&self, folders: &[&str]) -> nix::Result<Folders> {
        self.go(folders, |folder, name| match enter(folder, name) {
            Err(Errno::ENOENT) => make_folder(folder, name),
            result => result,
        })
    }

    fn go(
        &self,
        folders: &[&str],
        step: impl Fn(&OwnedFd, &str) -> nix::Result<OwnedFd>,
    ) -> nix::Result<Folders> {
        let root = self
            .open
            .try_clone()
            .map_err(|error| Errno::try_from(error).unwrap_or(Errno::EIO))?;
        let mut chain = Folders {
            root,
            below: Vec::with_capacity(folders.len()),
        };
        for name in folders {
            let next = step(chain.last(), name)?;
            chain.below.push(next);
        }
        Ok(chain)
    }

    /// Every object in this folder and below, of those in the folder itself only what starts with `start`. What is no plain file is left out.
    pub fn list(&self, folders: &[&str], start: &str) -> io::Result<Vec<BlobInfo>> {
        match self.walk(folders) {
            Ok(_) => {}
            Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(Vec::new()),
            Err(errno) => return Err(errno.into()),
        }
        let mut found = Vec::new();
        let top = if folders.is_empty() {
            String::new()
        } else {
            folders.join("/") + "/"
        };
        let mut left = vec![top.clone()];
        while let Some(folder) = left.pop() {
            let start = if folder == top { start } else { "" };
            self.list_folder(&folder, start, &mut left, &mut found)?;
        }
        Ok(found)
    }

    fn list_folder(
        &self,
        folder: &str,
        start: &str,
        left: &mut Vec<String>,
        found: &mut Vec<BlobInfo>,
    ) -> io::Result<()> {
        let Some(entries) = unless_gone(std::fs::read_dir(self.path.join(folder)))? else {
            return Ok(());
        };
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if !name.starts_with(start) {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                left.push(format!("{folder}{name}/"));
            } else if kind.is_file()
                && let Some(file) = unless_gone(entry.metadata())?
            {
                let modified = file
                    .modified()?
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
                found.push(BlobInfo {
                    key: format!("{folder}{name}"),
                    size: file.len(),
                    modified,
                });
            }
        }
        Ok(())
    }
}

impl Folders {
    pub fn last(&self) -> &OwnedFd {
        self.below.last().unwrap_or(&self.root)
    }

    pub fn into_last(mut self) -> OwnedFd {
        self.below.pop().unwrap_or(self.root)
    }

    /// Removes the folders that are empty now, from the innermost out. One that is not, or that is in use again, ends it.
    pub fn remove_empty(mut self, names: &[&str]) {
        for name in names.iter().rev() {
            self.below.pop();
            if unlinkat(self.last(), *name, UnlinkatFlags::RemoveDir).is_err() {
                return;
            }
        }
    }
}

/// Makes a directory, and those above it, for its owner alone.
pub(super) fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn enter(folder: &OwnedFd, name: &str) -> nix::Result<OwnedFd> {
    openat(
        folder,
        name,
        OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC,
        Mode::empty(),
    )
}

fn make_folder(folder: &OwnedFd, name: &str) -> nix::Result<OwnedFd> {
    match mkdirat(folder, name, Mode::S_IRWXU) {
        Ok(()) => fsync(folder)?,
        // Another put was first.
        Err(Errno::EEXIST) => {}
        Err(errno) => return Err(errno),
    }
    enter(folder, name)
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
