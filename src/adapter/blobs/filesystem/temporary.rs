//! Files on their way to a key.

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, renameat};
use nix::sys::stat::{FileStat, fstat, fstatat};
use nix::unistd::{AccessFlags, UnlinkatFlags, access, unlinkat};
use sha2::{Digest, Sha256};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use uuid::Uuid;

use super::directory::make_private;
use super::is_file;
use crate::adapter::blobs::hash::{hexadecimal, is_hash};

const LOCK: &str = "lock";
const CHUNK: usize = 256 * 1024;

/// A directory in the objects' file system, so that a rename can publish what is in it.
pub(super) struct TemporaryDirectory {
    path: PathBuf,
    open: OwnedFd,
    /// Held in common by every process that writes here.
    _lock: File,
}

/// A synced file that nobody else knows; removed unless it is renamed.
pub(super) struct Temporary<'a> {
    directory: &'a TemporaryDirectory,
    name: String,
    size: u64,
    renamed: bool,
}

impl TemporaryDirectory {
    /// Removes what is left of interrupted puts, unless another process is using the directory: the files could be its own.
    pub fn open(path: &Path) -> io::Result<Self> {
        make_private(path)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join(LOCK))?;
        if lock.try_lock().is_ok() {
            for entry in std::fs::read_dir(path)? {
                let entry = entry?;
                if entry.file_name() != LOCK {
                    std::fs::remove_file(entry.path())?;
                }
            }
        }
        lock.lock_shared()?;
        Ok(Self {
            path: path.to_owned(),
            open: File::open(path)?.into(),
            _lock: lock,
        })
    }

    pub fn check(&self) -> io::Result<()> {
        Ok(access(
            &self.path,
            AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK,
        )?)
    }

    pub fn write(&self, content: &[u8]) -> io::Result<Temporary<'_>> {
        let (mut temporary, mut file) = self.create()?;
        file.write_all(content)?;
        file.sync_all()?;
        temporary.size = content.len() as u64;
        Ok(temporary)
    }

    /// Takes a file over if its hash is the one expected, else answers `None` and leaves it where it is.
    ///
    /// The file may come out of a build that ran someone's code: a link is refused, and one that has a second name is copied, because that
    /// name would still reach the object.
    pub fn take_over(
        &self,
        path: &Path,
        sha256: Option<&str>,
    ) -> io::Result<Option<Temporary<'_>>> {
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let mut source = OpenOptions::new()
            .read(true)
            .custom_flags(flags.bits())
            .open(path)?;
        let stat = fstat(&source)?;
        if !is_file(&stat) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} is no plain file", path.display()),
            ));
        }
        if sha256.is_some() && !is_hash(sha256, &copy_hashed(&mut source, &mut io::sink())?.0) {
            return Ok(None);
        }
        if stat.st_nlink == 1
            && let Some(moved) = self.move_in(path, &source, &stat)?
        {
            return Ok(Some(moved));
        }
        source.rewind()?;
        self.copy_in(path, &mut source, sha256)
    }

    /// `None` when the file is in another file system.
    fn move_in(
        &self,
        path: &Path,
        source: &File,
        stat: &FileStat,
    ) -> io::Result<Option<Temporary<'_>>> {
        let mut temporary = self.name();
        match renameat(AT_FDCWD, path, &self.open, temporary.name.as_str()) {
            Ok(()) => {}
            Err(Errno::EXDEV) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
        let moved = fstatat(
            &self.open,
            temporary.name.as_str(),
            AtFlags::AT_SYMLINK_NOFOLLOW,
        )?;
        if (moved.st_dev, moved.st_ino) != (stat.st_dev, stat.st_ino) {
            return Err(io::Error::other(format!(
                "{} was replaced while it was taken over",
                path.display()
            )));
        }
        source.set_permissions(Permissions::from_mode(0o600))?;
        source.sync_all()?;
        temporary.size = source.metadata()?.len();
        Ok(Some(temporary))
    }

    /// Checks the hash of what was copied: the source may have changed since it was read.
    fn copy_in(
        &self,
        path: &Path,
        source: &mut File,
        sha256: Option<&str>,
    ) -> io::Result<Option<Temporary<'_>>> {
        let (mut temporary, mut file) = self.create()?;
        let (hash, size) = copy_hashed(source, &mut file)?;
        if !is_hash(sha256, &hash) {
            return Ok(None);
        }
        file.sync_all()?;
        temporary.size = size;
        std::fs::remove_file(path)?;
        Ok(Some(temporary))
    }

    fn name(&self) -> Temporary<'_> {
        Temporary {
            directory: self,
            name: Uuid::new_v4().to_string(),
            size: 0,
            renamed: false,
        }
    }

    fn create(&self) -> io::Result<(Temporary<'_>, File)> {
        let temporary = self.name();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.path.join(&temporary.name))?;
        Ok((temporary, file))
    }
}

impl Temporary<'_> {
    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub fn rename(&mut self, folder: &OwnedFd, name: &str) -> nix::Result<()> {
        renameat(&self.directory.open, self.name.as_str(), folder, name)?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            // What stays is removed at the next start.
            let _ = unlinkat(
                &self.directory.open,
                self.name.as_str(),
                UnlinkatFlags::NoRemoveDir,
            );
        }
    }
}

/// The hash in hexadecimal, and the bytes that went through.
fn copy_hashed(source: &mut File, target: &mut impl Write) -> io::Result<(String, u64)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let length = source.read(&mut chunk)?;
        if length == 0 {
            return Ok((hexadecimal(&hash.finalize()), size));
        }
        hash.update(&chunk[..length]);
        target.write_all(&chunk[..length])?;
        size += length as u64;
    }
}
