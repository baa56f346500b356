//! Native code of artifacts, compiled by a child process and kept in a directory.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

use super::compile::{CHECKSUM, checksum, checksum_file};
use super::turns::Turns;
use crate::adapter::snapshot::{Compiler, NotCompiled, TIMEOUT};
use crate::model::version::Artifact;
use crate::port::blobs::{BlobError, Blobs};
use crate::port::platform::PlatformError;

const EXTENSION: &str = "cwasm";
const INCREMENTAL: &str = "incremental";

/// A directory of `{sha256}-{key}.cwasm` files with their checksums; `key` names the engine they are for.
pub(super) struct NativeCache {
    compiler: Compiler,
    key: String,
    blobs: Arc<dyn Blobs>,
    turns: Turns,
    /// A compilation uses all cores and half a gigabyte.
    compiling: Semaphore,
}

impl NativeCache {
    pub fn new(compiler: Compiler, key: String, blobs: Arc<dyn Blobs>) -> Self {
        Self {
            compiler,
            key,
            blobs,
            turns: Turns::default(),
            compiling: Semaphore::new(1),
        }
    }

    fn file(&self, sha256: &str) -> PathBuf {
        self.compiler
            .directory()
            .join(format!("{sha256}-{}.{EXTENSION}", self.key))
    }

    /// What the compiler remembers, per engine: an entry for another one is never found again.
    fn incremental(&self) -> PathBuf {
        self.compiler
            .directory()
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
        let scratch = self.compiler.scratch().map_err(failed)?;
        let wasm = self.fetch(artifact, scratch.path()).await?;
        let native = scratch.path().join("native.cwasm");
        self.compile(&wasm, &native).await?;
        let file = self.file(sha256);
        // The checksum first: a native file without one does not count.
        std::fs::rename(checksum_file(&native), checksum_file(&file)).map_err(|error| {
            failed(format!(
                "the compiler {} left no native code: {error}",
                self.compiler.program().display()
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
        let incremental = self.incremental();
        let compiled = self
            .compiler
            .run("compile-artifact", [wasm, native, &incremental])
            .await;
        compiled.map_err(|error| match error {
            NotCompiled::Refused(text) => PlatformError::Unrunnable(format!(
                "The artifact cannot be compiled to native code: {text}"
            )),
            NotCompiled::TimedOut => PlatformError::Unrunnable(format!(
                "Compiling the artifact took more than {} s. Make the function smaller.",
                TIMEOUT.as_secs()
            )),
            NotCompiled::Failed(text) => PlatformError::Failed(text),
        })
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
        for entry in std::fs::read_dir(self.compiler.directory())? {
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
        for entry in std::fs::read_dir(self.compiler.directory())? {
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
        if !self.compiler.program().is_file() {
            return Err(format!(
                "the compiler {} is missing",
                self.compiler.program().display()
            ));
        }
        tempfile::tempfile_in(self.compiler.directory())
            .map(drop)
            .map_err(|error| {
                format!(
                    "cannot write to {}: {error}",
                    self.compiler.directory().display()
                )
            })
    }
}

pub(super) fn failed(error: impl std::fmt::Display) -> PlatformError {
    PlatformError::Failed(error.to_string())
}
