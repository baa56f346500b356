//! A base on disk as native code, and loaded into an engine.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use wasmtime::component::{Component, Instance, Linker};
use wasmtime::{Engine, Module, Store};

use super::base::{BaseKey, GROW, Image, MODULES, RESTORE, Refused, memory_module};

/// Names of the files in a prepared base's folder. The manifest is written last: a folder without one does not count.
pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const SERVING: &str = "serving.cwasm";
/// The base's memory as it is.
pub(super) const MEMORY: &str = "memory.bin";
/// There after a first preparation: the base with its warmed memory, to be kept.
pub const WARMED_BASE: &str = "base.wasm";

pub(super) fn module_file(name: &str) -> String {
    format!("{name}.cwasm")
}

#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Hexadecimal SHA-256 of the base.
    pub base: String,
    pub globals: Vec<i32>,
    pub max_pages: Option<u64>,
    /// Pages of the base's memory.
    pub pages: usize,
    /// Hexadecimal SHA-256 by file name.
    pub files: BTreeMap<String, String>,
}

/// A base's native files, whose checksums were compared.
#[derive(Debug)]
pub struct PreparedBase {
    pub(super) folder: PathBuf,
    pub key: BaseKey,
    pub(super) globals: Vec<i32>,
    max_pages: Option<u64>,
    pages: usize,
}

impl PreparedBase {
    /// Reads every file once, a tenth of a second: not for a request. The text says what is damaged.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let manifest = std::fs::read(folder.join(MANIFEST)).map_err(|error| error.to_string())?;
        let manifest: Manifest =
            serde_json::from_slice(&manifest).map_err(|error| error.to_string())?;
        for name in manifest.files.keys() {
            let found = checksum(&folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
            if manifest.files.get(name) != Some(&found) {
                return Err(format!("{name} is damaged"));
            }
        }
        let key = parse_key(&manifest.base).ok_or("the manifest names no base")?;
        Ok(Self {
            folder: folder.to_owned(),
            key,
            globals: manifest.globals,
            max_pages: manifest.max_pages,
            pages: manifest.pages,
        })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The memory that functions' images differ from.
    pub fn memory(&self) -> io::Result<Vec<u8>> {
        std::fs::read(self.folder.join(MEMORY))
    }

    /// Native code of a function's whole memory: it has no code, so this takes a tenth of a second.
    pub(super) fn compile_memory(&self, engine: &Engine, image: &Image) -> Result<Vec<u8>, String> {
        if image.base != self.key {
            return Err("the image is of another base".to_owned());
        }
        let memory = self.memory().map_err(|error| error.to_string())?;
        let memory = image.apply(&memory).map_err(|error| error.to_string())?;
        let module = memory_module(&memory, image.pages, self.max_pages);
        engine
            .precompile_module(&module)
            .map_err(|error| format!("{error:#}"))
    }
}

/// A base in an engine, shared by all its functions.
pub struct LoadedBase {
    pub component: Component,
    modules: [Module; 4],
}

impl LoadedBase {
    #[expect(
        unsafe_code,
        reason = "native code can only be taken on trust: the files are ones this server had compiled, in a directory only it can write to, with checksums compared before"
    )]
    /// From the folder of a [`PreparedBase`], whose checksums were compared when that was opened.
    pub fn load(engine: &Engine, folder: &Path) -> wasmtime::Result<Self> {
        let module = |name| {
            let file = folder.join(module_file(name));
            // SAFETY: as said above.
            unsafe { Module::deserialize_file(engine, file) }
        };
        let [memory, code, shim, fixup] = MODULES.map(module);
        // SAFETY: as above.
        let component = unsafe { Component::deserialize_file(engine, folder.join(SERVING)) }?;
        Ok(Self {
            component,
            modules: [memory?, code?, shim?, fixup?],
        })
    }

    /// Gives the linker the core modules that the component imports; with `memory`, which [`super::Bases::memory`] made, a function's own.
    #[expect(
        unsafe_code,
        reason = "native code can only be taken on trust, as above: the checksum was compared"
    )]
    pub fn link<T: 'static>(
        &self,
        engine: &Engine,
        linker: &mut Linker<T>,
        memory: Option<&Path>,
    ) -> wasmtime::Result<()> {
        // SAFETY: the caller passes a file of `Bases::memory`, which compares its checksum.
        let own = memory.map(|file| unsafe { Module::deserialize_file(engine, file) });
        let own = own.transpose()?;
        let [base, code, shim, fixup] = &self.modules;
        let memory = own.as_ref().unwrap_or(base);
        for (name, module) in MODULES.iter().zip([memory, code, shim, fixup]) {
            linker.root().module(name, module)?;
        }
        Ok(())
    }
}

/// A function's memory, ready to be brought into instances of its base.
#[derive(Debug)]
pub struct Restorer {
    /// Pages that the function's memory has over the base's.
    pub grow: u32,
    /// Address, length and content of each run.
    pub runs: Bytes,
}

impl Restorer {
    pub fn new(base: &PreparedBase, image: &Image) -> Result<Self, Refused> {
        let grow = image.pages.checked_sub(base.pages);
        match grow.and_then(|pages| u32::try_from(pages).ok()) {
            Some(grow) if image.base == base.key => Ok(Self {
                grow,
                runs: image.pack().into(),
            }),
            _ => Err(Refused::new("the image is of another base")),
        }
    }

    /// Makes a fresh instance of the base one of the function.
    pub async fn restore<T: Send>(
        &self,
        store: &mut Store<T>,
        instance: &Instance,
    ) -> wasmtime::Result<()> {
        if self.grow > 0 {
            let grow = instance.get_typed_func::<(u32,), ()>(&mut *store, GROW)?;
            grow.call_async(&mut *store, (self.grow,)).await?;
        }
        let restore = instance.get_typed_func::<(&[u8],), ()>(&mut *store, RESTORE)?;
        restore.call_async(&mut *store, (&self.runs[..],)).await
    }
}

/// The hexadecimal SHA-256 of a file, read in pieces: native files are tens of megabytes.
pub fn checksum(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            length => hash.update(&piece[..length]),
        }
    }
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        use std::fmt::Write as _;
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub fn parse_key(text: &str) -> Option<BaseKey> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(key)
}
