//! Compiling a component to native code: what the child process does.

use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::Arc;
use wasmtime::Engine;

use super::incremental::IncrementalCache;
pub(super) use crate::adapter::snapshot::checksum;
use crate::adapter::snapshot::engine;
use crate::adapter::snapshot::{confine_child, hexadecimal};

/// Bytes of a component at most.
const MAX_COMPONENT: u64 = 256 * 1024 * 1024;

/// Compiles the component at `wasm` to native code at `native`, with its checksum beside it, and remembers in `cache` what a next one may share.
///
/// For a process of its own, which this confines. The error says what is wrong with the component.
pub fn compile_artifact(wasm: &Path, native: &Path, cache: &Path) -> Result<(), String> {
    confine_child()?;
    let size = std::fs::metadata(wasm)
        .map_err(|error| format!("cannot read the component: {error}"))?
        .len();
    if size > MAX_COMPONENT {
        return Err(format!(
            "the component is {size} bytes; at most {MAX_COMPONENT} are compiled"
        ));
    }
    let component =
        std::fs::read(wasm).map_err(|error| format!("cannot read the component: {error}"))?;
    let remembered = IncrementalCache::open(cache)
        .inspect_err(|error| tracing::warn!(%error, "compiling without a cache"))
        .ok()
        .map(Arc::new);
    let mut config = engine::compiler_config();
    if let Some(remembered) = &remembered {
        config
            .enable_incremental_compilation(remembered.clone())
            .map_err(|error| format!("{error:#}"))?;
    }
    let engine = Engine::new(&config).map_err(|error| format!("{error:#}"))?;
    let code = engine
        .precompile_component(&component)
        .map_err(|error| format!("{error:#}"))?;
    std::fs::write(native, &code)
        .map_err(|error| format!("cannot write the native code: {error}"))?;
    std::fs::write(checksum_file(native), hexadecimal(&Sha256::digest(&code)))
        .map_err(|error| format!("cannot write the checksum: {error}"))?;
    if let Some(Err(error)) = remembered.map(|remembered| remembered.save()) {
        // The next compilation takes longer; this one is whole.
        tracing::warn!(%error, "cannot save the compiler's cache");
    }
    Ok(())
}

pub(super) const CHECKSUM: &str = "sha256";

/// Where the checksum of a native file is kept.
pub(super) fn checksum_file(native: &Path) -> std::path::PathBuf {
    native.with_extension(CHECKSUM)
}
