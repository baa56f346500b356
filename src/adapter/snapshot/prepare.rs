//! Compiles a base, once for an engine's configuration: seventeen seconds of computing, in a process of its own.

use bytes::Bytes;
use std::path::Path;
use std::time::Instant;
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use super::base::{Base, MAX_BASE, MODULES, PAGE, memory_module, unpack_snapshot};
use super::confine::confine_child;
use super::engine;
use super::guest::{Guest, WARM_UP, linker};
use super::prepared::{
    MANIFEST, MEMORY, Manifest, SERVING, WARMED_BASE, checksum, hexadecimal, module_file,
};

/// Requests that a base serves before its memory is taken: what they allocate once, functions have already.
const WARM_REQUESTS: usize = 20;
/// CPython 3.12 counts no references to an object with this count.
const IMMORTAL: u32 = u32::MAX >> 2;

/// Compiles the base at `wasm` into the folder `out`, in a process of its own, which this confines. A base that has not served yet serves a few requests and is then
/// written there too, with the memory it has now. The error is one line.
pub fn prepare_base(wasm: &Path, out: &Path) -> Result<(), String> {
    confine_child()?;
    let size = std::fs::metadata(wasm)
        .map_err(|error| format!("cannot read the base: {error}"))?
        .len();
    if size > MAX_BASE {
        return Err(format!(
            "the base is {size} bytes; at most {MAX_BASE} are compiled"
        ));
    }
    let bytes = std::fs::read(wasm).map_err(|error| format!("cannot read the base: {error}"))?;
    let mut base =
        Base::read(&bytes).map_err(|error| format!("the base is not understood: {error}"))?;
    let engine = engine::capture_engine().map_err(|error| format!("{error:#}"))?;
    let compiled = Compiled::new(&engine, &base).map_err(|error| format!("{error:#}"))?;
    if !base.is_warmed {
        let memory = warmed_memory(&engine, &base, &compiled)
            .map_err(|error| format!("the base cannot serve: {error:#}"))?;
        let warmed = base
            .warm(&bytes, &memory)
            .map_err(|error| error.to_string())?;
        std::fs::write(out.join(WARMED_BASE), &warmed).map_err(|error| error.to_string())?;
        base.rename(&warmed);
        base.memory = memory;
    }
    compiled.write(&engine, &base, out)
}

/// Native code that does not depend on a memory's content.
struct Compiled {
    /// Of [`MODULES`] without the first.
    modules: [Vec<u8>; 3],
    serving: Vec<u8>,
}

impl Compiled {
    fn new(engine: &Engine, base: &Base) -> wasmtime::Result<Self> {
        let [code, shim, fixup] =
            [&base.code, &base.shim, &base.fixup].map(|module| engine.precompile_module(module));
        let serving = base
            .serving()
            .map_err(|error| wasmtime::format_err!("{error}"))?;
        Ok(Self {
            modules: [code?, shim?, fixup?],
            serving: engine.precompile_component(&serving)?,
        })
    }

    fn write(&self, engine: &Engine, base: &Base, out: &Path) -> Result<(), String> {
        let pages = base.memory.len() / PAGE;
        let memory = memory_module(&base.memory, pages, base.max_pages);
        let memory = engine
            .precompile_module(&memory)
            .map_err(|error| format!("{error:#}"))?;
        let modules = [&memory].into_iter().chain(&self.modules);
        let named = MODULES.map(module_file).into_iter().zip(modules);
        let files = named.chain([
            (SERVING.to_owned(), &self.serving),
            (MEMORY.to_owned(), &base.memory),
        ]);
        let mut manifest = Manifest {
            base: hexadecimal(&base.key),
            globals: base.globals.clone(),
            max_pages: base.max_pages,
            pages,
            files: std::collections::BTreeMap::new(),
        };
        for (name, content) in files {
            let path = out.join(&name);
            std::fs::write(&path, content)
                .map_err(|error| format!("cannot write {name}: {error}"))?;
            let sum = checksum(&path).map_err(|error| error.to_string())?;
            manifest.files.insert(name, sum);
        }
        let manifest = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
        std::fs::write(out.join(MANIFEST), manifest)
            .map_err(|error| format!("cannot write the manifest: {error}"))
    }
}

#[expect(
    unsafe_code,
    reason = "the native code was made by this process and never left it"
)]
fn warmed_memory(engine: &Engine, base: &Base, compiled: &Compiled) -> wasmtime::Result<Vec<u8>> {
    let pages = base.memory.len() / PAGE;
    let memory = Module::new(engine, memory_module(&base.memory, pages, base.max_pages))?;
    // SAFETY: `Engine::precompile_component` of this process made it.
    let component = unsafe { Component::deserialize(engine, &compiled.serving) }?;
    let mut linker = linker(engine, &component)?;
    linker.root().module(MODULES[0], &memory)?;
    for (name, native) in MODULES.iter().skip(1).zip(&compiled.modules) {
        // SAFETY: as above.
        let module = unsafe { Module::deserialize(engine, native) }?;
        linker.root().module(name, &module)?;
    }
    let pre = linker.instantiate_pre(&component)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (objects, memory) = runtime.block_on(async {
        let mut guest = Guest::start(&pre, &[], Instant::now() + WARM_UP).await?;
        for _ in 0..WARM_REQUESTS {
            guest.post("/", Bytes::from_static(b"x")).await?;
        }
        let (_, objects) = guest.post("/settle", Bytes::new()).await?;
        // What settling left behind is taken by the next requests, not by functions' first ones.
        for _ in 0..3 {
            guest.post("/", Bytes::new()).await?;
        }
        guest.post("/fill", Bytes::new()).await?;
        let memory = |snapshot: &[u8]| unpack_snapshot(snapshot, &base.globals).map(<[u8]>::to_vec);
        Ok::<_, wasmtime::Error>((objects, guest.snapshot(memory).await?))
    })?;
    let mut memory = memory.map_err(|error| wasmtime::format_err!("{error}"))?;
    make_immortal(&mut memory, &objects).map_err(|error| wasmtime::format_err!("{error}"))?;
    Ok(memory)
}

/// Lets nobody count references to the base's objects: counting writes to their pages, and each written page costs every request.
fn make_immortal(memory: &mut [u8], objects: &[u8]) -> Result<(), &'static str> {
    for object in objects.chunks_exact(4) {
        let address = objects_address(object).ok_or("an object has no address")?;
        let count = memory
            .get_mut(address..address + 4)
            .ok_or("an object lies outside the memory")?;
        let found = u32::from_le_bytes([count[0], count[1], count[2], count[3]]);
        if found == 0 || found > IMMORTAL {
            return Err("an object has an impossible reference count");
        }
        count.copy_from_slice(&IMMORTAL.to_le_bytes());
    }
    Ok(())
}

fn objects_address(bytes: &[u8]) -> Option<usize> {
    let bytes: [u8; 4] = bytes.try_into().ok()?;
    Some(u32::from_le_bytes(bytes) as usize)
}
