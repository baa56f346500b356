//! Compiling a component to native code: what the child process does.

use nix::sys::prctl::set_no_new_privs;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sha2::{Digest as _, Sha256};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use wasmtime::Engine;

use super::engine;
use super::incremental::IncrementalCache;

/// CPU seconds of one compilation at most; CPython without a cache takes about ten.
const MAX_CPU: u64 = 600;
/// Bytes of a file it writes at most.
const MAX_FILE: u64 = 1024 * 1024 * 1024;
/// Bytes of a component at most.
const MAX_COMPONENT: u64 = 256 * 1024 * 1024;

/// Compiles the component at `wasm` to native code at `native`, with its checksum beside it, and remembers in `cache` what a next one may share.
///
/// For a process of its own, which this limits for good: CPU time, size of files, no core dump. It also ends the process once stdin is closed,
/// which is how a compilation ends with the server that wanted it, however that ended. The error says what is wrong with the component.
pub fn compile_artifact(wasm: &Path, native: &Path, cache: &Path) -> Result<(), String> {
    limit_process()?;
    end_with_stdin()?;
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

/// The hexadecimal SHA-256 of a file, read in pieces: native files are tens of megabytes.
pub(super) fn checksum(file: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(file)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            length => hash.update(&piece[..length]),
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn limit_process() -> Result<(), String> {
    set_no_new_privs().map_err(|error| format!("cannot give up privileges: {error}"))?;
    // Address space stays free: the engine reserves far more than it uses.
    for (resource, limit) in [
        (Resource::RLIMIT_CPU, MAX_CPU),
        (Resource::RLIMIT_FSIZE, MAX_FILE),
        (Resource::RLIMIT_CORE, 0),
    ] {
        let limited = getrlimit(resource)
            .and_then(|(_, most)| setrlimit(resource, limit.min(most), limit.min(most)));
        limited.map_err(|error| format!("cannot limit the compiler's {resource:?}: {error}"))?;
    }
    Ok(())
}

fn end_with_stdin() -> Result<(), String> {
    let watch = || {
        let _ = io::stdin().lock().read_to_end(&mut Vec::new());
        std::process::exit(1);
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(watch)
        .map(drop)
        .map_err(|error| format!("no thread: {error}"))
}
