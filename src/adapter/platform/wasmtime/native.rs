//! Native code of artifacts, compiled by a child process and kept in a directory.

use std::collections::HashSet;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::compile::{CHECKSUM, checksum, checksum_file};
use super::turns::Turns;
use crate::model::version::Artifact;
use crate::port::blobs::{BlobError, Blobs};
use crate::port::platform::PlatformError;

/// Wall-clock time of one compilation at most. It takes about 5 s without the incremental cache on two free cores.
const COMPILE_TIMEOUT: Duration = Duration::from_mins(5);
/// Bytes of the compiler's error text that are kept.
const MAX_ERROR: u64 = 16 * 1024;
const EXTENSION: &str = "cwasm";
const INCREMENTAL: &str = "incremental";
const SCRATCH: &str = ".compile-";

/// A directory of `{sha256}-{key}.cwasm` files with their checksums; `key` names the engine they are for.
pub(super) struct NativeCache {
    directory: PathBuf,
    compiler: PathBuf,
    key: String,
    blobs: Arc<dyn Blobs>,
    turns: Turns,
    /// A compilation uses all cores and half a gigabyte.
    compiling: Semaphore,
}

impl NativeCache {
    /// Makes the directory and drops what an earlier process left half-done in it.
    pub fn open(
        directory: PathBuf,
        compiler: PathBuf,
        key: String,
        blobs: Arc<dyn Blobs>,
    ) -> io::Result<Self> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory)?;
        // Its files are run as native code: nobody else may write them.
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o700))?;
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            // One that is younger may belong to a process that is about to end.
            let is_old = entry
                .metadata()?
                .modified()?
                .elapsed()
                .is_ok_and(|age| age > COMPILE_TIMEOUT * 2);
            if is_old && entry.file_name().to_string_lossy().starts_with(SCRATCH) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let directory = directory.canonicalize()?;
        Ok(Self {
            directory,
            compiler,
            key,
            blobs,
            turns: Turns::default(),
            compiling: Semaphore::new(1),
        })
    }

    fn file(&self, sha256: &str) -> PathBuf {
        self.directory
            .join(format!("{sha256}-{}.{EXTENSION}", self.key))
    }

    /// What the compiler remembers, per engine: an entry for another one is never found again.
    fn incremental(&self) -> PathBuf {
        self.directory
            .join(format!("all-{}.{INCREMENTAL}", self.key))
    }

    /// Whether a compilation was done before, so that the next one takes a quarter of the time.
    pub fn is_warm(&self) -> bool {
        self.incremental().is_file()
    }

    fn has(&self, sha256: &str) -> bool {
        let file = self.file(sha256);
        file.is_file() && checksum_file(&file).is_file()
    }

    /// Compiles the artifact unless that was done. Callers at the same time share one compilation.
    pub async fn prepare(&self, artifact: &Artifact) -> Result<(), PlatformError> {
        let sha256 = artifact.sha256.as_str();
        if sha256.len() != 64
            || !sha256
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        {
            return Err(PlatformError::Unrunnable(
                "The artifact's record holds no SHA-256. Build the function again.".to_owned(),
            ));
        }
        if self.has(sha256) {
            return Ok(());
        }
        let _turn = self.turns.enter(sha256).await;
        if self.has(sha256) {
            return Ok(());
        }
        let _core = self.compiling.acquire().await.map_err(failed)?;
        let scratch = tempfile::Builder::new()
            .prefix(SCRATCH)
            .tempdir_in(&self.directory)
            .map_err(failed)?;
        let wasm = self.fetch(artifact, scratch.path()).await?;
        let native = scratch.path().join("native.cwasm");
        self.compile(&wasm, &native).await?;
        let file = self.file(sha256);
        // The checksum first: a native file without one does not count.
        std::fs::rename(checksum_file(&native), checksum_file(&file)).map_err(|error| {
            failed(format!(
                "the compiler {} left no native code: {error}",
                self.compiler.display()
            ))
        })?;
        std::fs::rename(&native, &file).map_err(failed)
    }

    async fn fetch(&self, artifact: &Artifact, scratch: &Path) -> Result<PathBuf, PlatformError> {
        let damaged = || {
            PlatformError::Unrunnable(
                "The stored artifact is damaged. Build the function again.".to_owned(),
            )
        };
        let wasm = self
            .blobs
            .local_file(&artifact.key, scratch)
            .await
            .map_err(|error| match error {
                BlobError::Missing(_) => PlatformError::Unrunnable(
                    "The artifact is no longer stored. Build the function again.".to_owned(),
                ),
                BlobError::Damaged(_) => damaged(),
                other => failed(other),
            })?;
        let wasm = wasm.canonicalize().map_err(failed)?;
        let file = wasm.clone();
        let found = tokio::task::spawn_blocking(move || checksum(&file))
            .await
            .map_err(failed)?;
        if found.map_err(failed)? == artifact.sha256 {
            Ok(wasm)
        } else {
            Err(damaged())
        }
    }

    async fn compile(&self, wasm: &Path, native: &Path) -> Result<(), PlatformError> {
        let mut child = Command::new(&self.compiler)
            .arg("compile-artifact")
            .args([wasm, native, &self.incremental()])
            .env_clear()
            .current_dir(&self.directory)
            // Held open for as long as the answer is wanted: the child ends when it closes, even if this process is killed.
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                PlatformError::Failed(format!(
                    "cannot start the compiler {}: {error}",
                    self.compiler.display()
                ))
            })?;
        let ended = tokio::time::timeout(COMPILE_TIMEOUT, wait(&mut child)).await;
        match ended {
            Ok(Ok((status, _))) if status.success() => Ok(()),
            Ok(Ok((_, text))) if !text.trim().is_empty() => {
                Err(PlatformError::Unrunnable(format!(
                    "The artifact cannot be compiled to native code: {}",
                    text.trim()
                )))
            }
            Ok(Ok((status, _))) => Err(PlatformError::Failed(format!(
                "the compiler ended with {status}"
            ))),
            Ok(Err(error)) => Err(failed(error)),
            Err(_) => Err(PlatformError::Unrunnable(format!(
                "Compiling the artifact took more than {} s. Make the function smaller.",
                COMPILE_TIMEOUT.as_secs()
            ))),
        }
    }

    /// The artifact's native file, if it is there and whole; one that is not is dropped. Reads the file: not for a request.
    pub fn verified(&self, sha256: &str) -> Option<PathBuf> {
        let file = self.file(sha256);
        let expected = std::fs::read_to_string(checksum_file(&file)).ok()?;
        if checksum(&file).ok()? == expected {
            return Some(file);
        }
        tracing::warn!(
            sha256,
            "a native file is damaged and will be compiled again"
        );
        let _ = std::fs::remove_file(&file);
        None
    }

    /// Bytes in the directory, the compiler's cache included.
    pub fn usage(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let metadata = entry?.metadata()?;
            bytes += if metadata.is_file() {
                metadata.len()
            } else {
                0
            };
        }
        Ok(bytes)
    }

    /// Drops native code of other artifacts, and of other engines. Answers the bytes that are free now.
    pub fn collect(&self, keep: &HashSet<String>) -> io::Result<u64> {
        let mut freed = 0;
        for entry in std::fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((stem, extension @ (EXTENSION | CHECKSUM | INCREMENTAL))) =
                name.rsplit_once('.')
            else {
                continue;
            };
            let is_kept = stem.split_once('-').is_some_and(|(sha256, key)| {
                key == self.key && (extension == INCREMENTAL || keep.contains(sha256))
            });
            if !is_kept {
                freed += entry.metadata()?.len();
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(freed)
    }

    /// Whether artifacts could be compiled; the text says what is missing.
    pub fn check(&self) -> Result<(), String> {
        if !self.compiler.is_file() {
            return Err(format!(
                "the compiler {} is missing",
                self.compiler.display()
            ));
        }
        tempfile::tempfile_in(&self.directory)
            .map(drop)
            .map_err(|error| format!("cannot write to {}: {error}", self.directory.display()))
    }
}

async fn wait(child: &mut Child) -> io::Result<(std::process::ExitStatus, String)> {
    // `Child::wait` closes stdin first, which ends the child: it is kept apart until then.
    let _held = child.stdin.take();
    let mut text = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut limited = stderr.take(MAX_ERROR);
        limited.read_to_end(&mut text).await?;
        // The child must not stop at a full pipe.
        tokio::io::copy(&mut limited.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok((
        child.wait().await?,
        String::from_utf8_lossy(&text).into_owned(),
    ))
}

pub(super) fn failed(error: impl std::fmt::Display) -> PlatformError {
    PlatformError::Failed(error.to_string())
}
