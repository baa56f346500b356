//! What a worker has loaded, by the numbers that the server gave.

use bytes::Bytes;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::super::protocol::{BaseId, ProgramId, Source};
use super::guest::Guest;
use super::linker;
use crate::adapter::snapshot::{LoadedBase, Restorer};

/// What instances are made of.
pub(super) struct Code {
    pub pre: ProxyPre<Guest>,
    /// What makes a fresh instance of a base one of the function; a component of its own needs nothing.
    pub restorer: Option<Restorer>,
}

/// A base's code, shared by its functions.
struct Base {
    loaded: LoadedBase,
    pre: ProxyPre<Guest>,
}

/// Whatever could not be loaded is kept as the reason, for those who call it.
pub(super) struct Programs {
    engine: Engine,
    bases: HashMap<BaseId, Result<Base, String>>,
    codes: HashMap<ProgramId, Result<Arc<Code>, String>>,
}

impl Programs {
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            bases: HashMap::new(),
            codes: HashMap::new(),
        }
    }

    pub fn get(&self, program: ProgramId) -> Result<Arc<Code>, String> {
        let program = self.codes.get(&program);
        program.map_or_else(|| Err("It is not loaded.".to_owned()), Clone::clone)
    }

    /// Maps a base's files; takes milliseconds.
    pub fn load_base(&mut self, base: BaseId, folder: &Path) {
        let load = || {
            let loaded = LoadedBase::load(&self.engine, folder)?;
            let pre = linker::link_base(&self.engine, &loaded, None)?;
            Ok(Base { loaded, pre })
        };
        let loaded = load().map_err(|error: wasmtime::Error| format!("{error:#}"));
        self.bases.insert(base, loaded);
    }

    pub fn load(&mut self, program: ProgramId, source: Source, image: Bytes) {
        let code = match source {
            Source::Component { native } => self.component(&native),
            Source::Image { base, grow } => self.base(base).map(|base| Code {
                pre: base.pre.clone(),
                restorer: Some(Restorer { grow, runs: image }),
            }),
            Source::Memory { base, native } => self.memory(base, &native),
        };
        self.codes.insert(program, code.map(Arc::new));
    }

    pub fn unload(&mut self, program: ProgramId) {
        self.codes.remove(&program);
    }

    fn base(&self, base: BaseId) -> Result<&Base, String> {
        match self.bases.get(&base) {
            Some(Ok(base)) => Ok(base),
            Some(Err(error)) => Err(error.clone()),
            None => Err("Its base is not loaded.".to_owned()),
        }
    }

    #[expect(
        unsafe_code,
        reason = "native code can only be taken on trust: the file is one the server had compiled, in a directory only it can write to, with a checksum compared before"
    )]
    fn component(&self, native: &Path) -> Result<Code, String> {
        // SAFETY: the server passes a file out of `NativeCache::verified`.
        let component = unsafe { Component::deserialize_file(&self.engine, native) };
        let pre = component.and_then(|component| linker::link(&self.engine, &component));
        let pre = pre.map_err(|error| format!("{error:#}"))?;
        let restorer = None;
        Ok(Code { pre, restorer })
    }

    /// A function whose memory lies in a file, out of `Bases::memory`.
    fn memory(&self, base: BaseId, native: &Path) -> Result<Code, String> {
        let base = self.base(base)?;
        let pre = linker::link_base(&self.engine, &base.loaded, Some(native));
        let pre = pre.map_err(|error| format!("{error:#}"))?;
        let restorer = None;
        Ok(Code { pre, restorer })
    }
}
