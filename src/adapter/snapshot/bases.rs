//! The bases of this machine: kept as blobs, prepared in a folder, made ready once for whoever asks.

use bytes::Bytes;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::base::{BaseKey, Image};
use super::compiler::Compiler;
use super::prepared::{PreparedBase, WARMED_BASE, checksum, hexadecimal, parse_key};
use crate::port::blobs::{BlobError, Blobs};

const EXTENSION: &str = "base";
/// Of a function's own memory, and of its checksum.
const MEMORY: &str = "memory";
const CHECKSUM: &str = "sha256";

/// Prepared bases are folders `{sha256}-{key}.base`, where `key` names the engine they are for. The base itself is the blob
/// `bases/{sha256}.wasm`: what was deployed with it can be started anywhere and as long as the blob is there.
pub struct Bases {
    compiler: Compiler,
    engine: wasmtime::Engine,
    key: String,
    blobs: Arc<dyn Blobs>,
    open: Mutex<HashMap<BaseKey, Arc<PreparedBase>>>,
    /// The recipe that builds of this server go by.
    wanted: OnceLock<String>,
    /// A preparation uses a core for ten seconds: one at a time.
    preparing: tokio::sync::Mutex<()>,
}

impl Bases {
    /// `program` is the `blue-faas` binary, which compiles as `blue-faas prepare-base <wasm> <folder>`. The directory keeps native code:
    /// it can be deleted while no server runs.
    pub fn open(directory: &Path, program: PathBuf, blobs: Arc<dyn Blobs>) -> Result<Self, String> {
        let engine = wasmtime::Engine::new(&super::engine::compiler_config());
        let engine = engine.map_err(|error| format!("{error:#}"))?;
        let compiler = Compiler::claim(program, directory)
            .map_err(|error| format!("{} cannot be used: {error}", directory.display()))?;
        Ok(Self {
            compiler,
            key: super::engine::native_key(&engine),
            engine,
            blobs,
            open: Mutex::default(),
            wanted: OnceLock::new(),
            preparing: tokio::sync::Mutex::default(),
        })
    }

    pub fn directory(&self) -> &Path {
        self.compiler.directory()
    }

    /// Names what its files, and all native code of this server, are for.
    pub fn native_key(&self) -> &str {
        &self.key
    }

    fn folder(&self, base: &BaseKey) -> PathBuf {
        let name = format!("{}-{}.{EXTENSION}", hexadecimal(base), self.key);
        self.compiler.directory().join(name)
    }

    fn opened(&self, base: &BaseKey) -> Option<Arc<PreparedBase>> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(base).cloned()
    }

    /// Names the recipe that builds go by, once.
    pub fn want(&self, recipe: &str) {
        let _ = self.wanted.set(recipe.to_owned());
    }

    /// Whether builds could begin at once; `None` where they use no base.
    pub fn is_warm(&self) -> Option<bool> {
        self.wanted.get().map(|recipe| self.is_prepared(recipe))
    }

    fn is_prepared(&self, recipe: &str) -> bool {
        let key = std::fs::read_to_string(self.recipe_file(recipe));
        let key = key.ok().and_then(|text| parse_key(text.trim()));
        key.is_some_and(|key| self.folder(&key).is_dir())
    }

    fn recipe_file(&self, recipe: &str) -> PathBuf {
        self.compiler.directory().join(format!("{recipe}.recipe"))
    }

    /// The base that was made by this recipe; `None` when none was, or it is lost.
    pub async fn by_recipe(&self, recipe: &str) -> Result<Option<Arc<PreparedBase>>, String> {
        let local = std::fs::read_to_string(self.recipe_file(recipe)).ok();
        let text = match local {
            Some(text) => text,
            None => match self.blobs.get(&recipe_key(recipe), None).await {
                Ok(text) => String::from_utf8_lossy(&text).into_owned(),
                Err(BlobError::Missing(_)) => return Ok(None),
                Err(error) => return Err(error.to_string()),
            },
        };
        let Some(key) = parse_key(text.trim()) else {
            return Ok(None);
        };
        match self.get(&key).await {
            Ok(base) if self.keep(&base).await? => {
                let _ = std::fs::write(self.recipe_file(recipe), text);
                Ok(Some(base))
            }
            Ok(_) | Err(BaseError::Missing) => Ok(None),
            Err(BaseError::Failed(error)) => Err(error),
        }
    }

    /// A base by its key: open, else on disk, else prepared of its blob.
    pub async fn get(&self, base: &BaseKey) -> Result<Arc<PreparedBase>, BaseError> {
        if let Some(found) = self.opened(base) {
            return Ok(found);
        }
        let _turn = self.preparing.lock().await;
        if let Some(found) = self.opened(base) {
            return Ok(found);
        }
        match self.open_folder(self.folder(base)).await {
            Ok(found) => return Ok(found),
            Err(error) if self.folder(base).is_dir() => {
                tracing::warn!(%error, "a prepared base is damaged and will be prepared again");
                let _ = std::fs::remove_dir_all(self.folder(base));
            }
            Err(_) => {}
        }
        let scratch = self.compiler.scratch().map_err(failed)?;
        let blob = blob_key(base);
        let wasm = self.blobs.local_file(&blob, scratch.path()).await;
        let wasm = wasm.map_err(|error| match error {
            BlobError::Missing(_) => BaseError::Missing,
            other => BaseError::Failed(other.to_string()),
        })?;
        let wasm = wasm.canonicalize().map_err(failed)?;
        let file = wasm.clone();
        let found = tokio::task::spawn_blocking(move || checksum(&file)).await;
        if found.map_err(failed)?.map_err(failed)? != hexadecimal(base) {
            return Err(failed("the stored base is damaged"));
        }
        self.prepare(&wasm, scratch).await
    }

    /// Sees to it that the base is among the blobs; false where it can be had nowhere.
    async fn keep(&self, base: &PreparedBase) -> Result<bool, String> {
        let blob = blob_key(&base.key);
        if self
            .blobs
            .exists(&blob)
            .await
            .map_err(|error| error.to_string())?
        {
            return Ok(true);
        }
        let file = base.folder.join(WARMED_BASE);
        if !file.is_file() {
            return Ok(false);
        }
        // A copy, since it may be moved: the folder may be shared with data directories that come later.
        let scratch = self.compiler.scratch().map_err(|error| error.to_string())?;
        let copy = scratch.path().join(WARMED_BASE);
        tokio::fs::copy(&file, &copy)
            .await
            .map_err(|error| error.to_string())?;
        let stored = self
            .blobs
            .put_file(&blob, &copy, Some(&hexadecimal(&base.key)))
            .await;
        stored.map_err(|error| error.to_string())?;
        Ok(true)
    }

    /// Prepares a base that was just made by `recipe` and keeps it.
    pub async fn add(&self, wasm: &Path, recipe: &str) -> Result<Arc<PreparedBase>, BaseError> {
        let _turn = self.preparing.lock().await;
        let prepared = self
            .prepare(wasm, self.compiler.scratch().map_err(failed)?)
            .await?;
        if !self.keep(&prepared).await.map_err(failed)? {
            return Err(failed("the base was not written"));
        }
        let key = hexadecimal(&prepared.key);
        self.blobs
            .put(&recipe_key(recipe), Bytes::from(key.clone()), None)
            .await
            .map_err(failed)?;
        std::fs::write(self.recipe_file(recipe), key).map_err(failed)?;
        Ok(prepared)
    }

    /// A function's whole memory as native code, whose checksum was compared; made where it is missing. For images that would take
    /// longer to restore in each request than a mapped file takes. Blocks for a tenth of a second: not for a request.
    pub fn memory(
        &self,
        base: &PreparedBase,
        image: &Image,
        sha256: &str,
    ) -> Result<PathBuf, String> {
        let artifact = parse_key(sha256).ok_or("the artifact's record holds no SHA-256")?;
        let name = format!("{}-{}.{MEMORY}", hexadecimal(&artifact), self.key);
        let file = self.compiler.directory().join(name);
        let expected = std::fs::read_to_string(file.with_extension(CHECKSUM));
        if let (Ok(expected), Ok(found)) = (expected, checksum(&file))
            && expected == found
        {
            return Ok(file);
        }
        let native = base.compile_memory(&self.engine, image)?;
        let write = || {
            let scratch = self.compiler.scratch()?;
            let new = scratch.path().join(MEMORY);
            std::fs::write(&new, &native)?;
            // The checksum first: a file without one does not count.
            std::fs::write(file.with_extension(CHECKSUM), checksum(&new)?)?;
            std::fs::rename(&new, &file)
        };
        write().map_err(|error: io::Error| format!("{}: {error}", file.display()))?;
        Ok(file)
    }

    /// The base itself, to make components that travel of it.
    pub async fn component(&self, base: &BaseKey) -> Result<Bytes, String> {
        let found = self
            .blobs
            .get(&blob_key(base), Some(&hexadecimal(base)))
            .await;
        found.map_err(|error| format!("the base of the artifact cannot be read: {error}"))
    }

    async fn open_folder(&self, folder: PathBuf) -> Result<Arc<PreparedBase>, String> {
        let opened = tokio::task::spawn_blocking(move || PreparedBase::open(&folder)).await;
        let opened = Arc::new(opened.map_err(|error| error.to_string())??);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(opened.key, opened.clone());
        Ok(opened)
    }

    /// Compiles in a process of its own, then moves the folder to its place.
    async fn prepare(
        &self,
        wasm: &Path,
        scratch: tempfile::TempDir,
    ) -> Result<Arc<PreparedBase>, BaseError> {
        let out = scratch.path().join("out");
        std::fs::create_dir(&out).map_err(failed)?;
        let compiled = self.compiler.run("prepare-base", [wasm, &out]).await;
        compiled.map_err(failed)?;
        let folder = out.clone();
        let prepared = tokio::task::spawn_blocking(move || PreparedBase::open(&folder)).await;
        let key = prepared.map_err(failed)?.map_err(failed)?.key;
        let place = self.folder(&key);
        let _ = std::fs::remove_dir_all(&place);
        std::fs::rename(&out, &place).map_err(failed)?;
        self.open_folder(place).await.map_err(failed)
    }

    /// Bytes in the directory.
    pub fn usage(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in std::fs::read_dir(self.compiler.directory())? {
            let entry = entry?;
            bytes += if entry.file_type()?.is_dir() {
                folder_size(&entry.path()).unwrap_or(0)
            } else {
                entry.metadata()?.len()
            };
        }
        Ok(bytes)
    }

    /// Drops bases that are prepared for another engine, and memories of other artifacts than these (hexadecimal SHA-256). Answers
    /// the bytes that are free now.
    pub fn collect(&self, keep: &HashSet<String>) -> io::Result<u64> {
        let mut freed = 0;
        let ours = format!("-{}.{EXTENSION}", self.key);
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let used: HashSet<PathBuf> = open.values().map(|base| base.folder.clone()).collect();
        drop(open);
        for entry in std::fs::read_dir(self.compiler.directory())? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_base = path.extension().is_some_and(|end| end == EXTENSION);
            let stem = name.split_once('.').map(|(stem, _)| stem);
            let is_memory = path
                .extension()
                .is_some_and(|end| end == MEMORY || end == CHECKSUM);
            let is_kept = stem
                .and_then(|stem| stem.split_once('-'))
                .is_some_and(|(artifact, key)| key == self.key && keep.contains(artifact));
            if is_memory && !is_kept {
                freed += path.metadata()?.len();
                std::fs::remove_file(&path)?;
            }
            if is_base && !name.ends_with(&ours) && !used.contains(&path) {
                freed += folder_size(&path).unwrap_or(0);
                std::fs::remove_dir_all(&path)?;
            }
        }
        Ok(freed)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    #[error("the base it was built on is no longer stored. Build the function again.")]
    Missing,
    #[error("{0}")]
    Failed(String),
}

fn failed(error: impl std::fmt::Display) -> BaseError {
    BaseError::Failed(error.to_string())
}

fn blob_key(base: &BaseKey) -> String {
    format!("bases/{}.wasm", hexadecimal(base))
}

fn recipe_key(recipe: &str) -> String {
    format!("bases/{recipe}.recipe")
}

fn folder_size(folder: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
