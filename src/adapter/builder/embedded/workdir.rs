//! The folder that builds work in: one part for each running server, and one room in it for each build.

use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

use super::usage::processes_in;

/// This server's part. Its lock lasts as long as the process, so that another start can tell what was left behind.
pub(super) struct WorkDir {
    path: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

impl WorkDir {
    /// Removes what ended servers left, their still running builds included, and claims a part.
    pub(super) fn claim(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        sweep(root)?;
        loop {
            let name = format!("server-{}", uuid::Uuid::now_v7().simple());
            let lock_path = root.join(format!("{name}.lock"));
            let lock = File::create_new(&lock_path)?;
            if lock.try_lock().is_ok() {
                let path = root.join(name);
                fs::create_dir(&path)?;
                // Absolute: children run in folders of their own.
                return Ok(Self {
                    path: path.canonicalize()?,
                    lock_path,
                    _lock: lock,
                });
            }
        }
    }

    /// A new room; everything in it is removed when it goes out of scope.
    pub(super) fn room(&self) -> io::Result<Room> {
        let dir = tempfile::Builder::new()
            .prefix("build-")
            .tempdir_in(&self.path)?;
        for name in ["src", "check", "vendor", "tmp", "out"] {
            fs::create_dir(dir.path().join(name))?;
        }
        Ok(Room { dir })
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
        let _ = fs::remove_file(&self.lock_path);
    }
}

fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let is_dir = path.is_dir();
        let lock_path = path.with_extension("lock");
        let lock = File::open(&lock_path);
        let in_use = lock.as_ref().is_ok_and(|lock| lock.try_lock().is_err());
        let ours = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with("server-"));
        if in_use || !ours {
            continue;
        }
        if is_dir {
            for pid in processes_in(&path) {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(%error, path = %path.display(), "the folder of an ended server could not be removed");
            }
        }
        let _ = fs::remove_file(&lock_path);
    }
    Ok(())
}

/// One build's own folder. The guest may write to `src`, `vendor` and `packages`, so none of it is shared or read again.
pub(super) struct Room {
    dir: TempDir,
}

impl Room {
    pub(super) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The source as the guest sees it.
    pub(super) fn src(&self) -> PathBuf {
        self.path().join("src")
    }

    /// The source as the type check sees it.
    pub(super) fn check(&self) -> PathBuf {
        self.path().join("check")
    }

    pub(super) fn vendor(&self) -> PathBuf {
        self.path().join("vendor")
    }

    /// Looks like a virtual environment with the SDK alone in it.
    pub(super) fn environment(&self) -> PathBuf {
        self.path().join("env")
    }

    pub(super) fn packages(&self) -> PathBuf {
        self.environment().join("lib").join("site-packages")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.path().join("tmp")
    }

    pub(super) fn out(&self) -> PathBuf {
        self.path().join("out")
    }
}

/// Writes files below `root`. Paths were checked when the source was read.
pub(super) fn write_files<'a>(
    root: &Path,
    files: impl Iterator<Item = (&'a String, &'a Bytes)>,
) -> io::Result<()> {
    for (path, content) in files {
        let path = root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, content)?;
    }
    Ok(())
}

/// Files without those that would steer the toolchain instead of being Python.
pub(super) fn guest_files(
    files: &BTreeMap<String, Bytes>,
) -> impl Iterator<Item = (&String, &Bytes)> {
    files
        .iter()
        .filter(|(path, _)| path.rsplit('/').next().is_some_and(is_guest_file))
}

pub(super) fn is_guest_file(name: &str) -> bool {
    name != "componentize-py.toml" && name != "__pycache__"
}

#[cfg(test)]
mod tests {
    use super::WorkDir;
    use std::fs;
    use std::process::{Command, Stdio};

    #[test]
    fn what_an_ended_server_left_is_removed_and_stopped_while_a_running_one_keeps_its_part() {
        let folder = tempfile::tempdir().expect("a folder");
        let running = WorkDir::claim(folder.path()).expect("claimed");
        let room = running.room().expect("a room");
        let left = folder.path().join("server-left/build-1/src");
        fs::create_dir_all(&left).expect("made");
        fs::write(folder.path().join("server-left.lock"), "").expect("written");
        let mut orphan = Command::new("/bin/sleep")
            .arg("60")
            .current_dir(&left)
            .stdin(Stdio::null())
            .spawn()
            .expect("started");
        let second = WorkDir::claim(folder.path()).expect("claimed");
        assert!(!orphan.wait().expect("ended").success());
        assert!(
            !folder.path().join("server-left").exists()
                && !folder.path().join("server-left.lock").exists()
        );
        assert!(room.src().is_dir());
        drop((room, running, second));
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 0);
    }
}
