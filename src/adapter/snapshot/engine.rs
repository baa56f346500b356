//! What native code is made for. Whoever compiles and whoever runs must agree on it: a difference would make every file unusable.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use wasmtime::{Config, Engine, Result};

/// How often running guests give way and look at their deadline.
pub const TICK: Duration = Duration::from_millis(10);
/// Native stack a guest may use, in bytes. Recursion in C code of CPython (parsers, `json`, `re`) uses it; wasmtime's default is half of it.
const MAX_STACK: usize = 1024 * 1024;
/// A stack also runs host functions on top of the guest's frames.
const STACK: usize = 2 * 1024 * 1024;

/// Everything that decides what native code looks like.
pub fn compiler_config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.epoch_interruption(true);
    config.memory_init_cow(true);
    config.max_wasm_stack(MAX_STACK);
    config.async_stack_size(STACK);
    // A function's developer reads Python tracebacks; frames of the interpreter's C code say nothing and their tables are a fifth of the file.
    config.wasm_backtrace_max_frames(None);
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.debug_symbols(false);
    config
}

/// Names what native code fits: files of another wasmtime, configuration or processor have another key.
pub fn native_key(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Moves the engine's epoch on until the engine is gone.
pub fn start_ticker(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new()
        .name("guest-ticker".to_owned())
        .spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(())
}

/// An engine for captures: instances are made one by one, and none is waiting.
pub(super) fn capture_engine() -> Result<Engine> {
    let engine = Engine::new(&compiler_config())?;
    start_ticker(&engine)?;
    Ok(engine)
}
