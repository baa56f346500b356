//! The wasmtime engine: what is compiled for, and how instances are allocated.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result,
};

/// Largest linear memory of a guest, in bytes: the largest `memory` a function may ask for.
pub(super) const MAX_MEMORY: usize = 1024 * 1024 * 1024;
/// How often running guests give way and look at their deadline.
pub(super) const TICK: Duration = Duration::from_millis(10);

/// Native stack a guest may use, in bytes. Recursion in C code of CPython (parsers, `json`, `re`) uses it; wasmtime's default is half of it.
const MAX_STACK: usize = 1024 * 1024;
/// A stack also runs host functions on top of the guest's frames.
const STACK: usize = 2 * 1024 * 1024;
/// Bytes of a memory that are reset in place rather than given back to the kernel. A hello dirties 2–3 MiB a call.
const KEEP_MEMORY: usize = 4 * 1024 * 1024;
const KEEP_TABLE: usize = 128 * 1024;
/// Slots that keep their memory image mapped while unused; beyond, the kernel gets the memory back.
const WARM_SLOTS: u32 = 16;
/// Deployments that prove their release at once, beside the calls.
const PROOFS: usize = 8;
/// Address space for more than this is not to be had: each takes 8 GiB of it.
const MAX_INSTANCES: u32 = 8_192;
/// CPython has 14 core modules; a component of other origin may have more.
const CORE_INSTANCES: u32 = 40;
const MEMORIES: u32 = 4;
const TABLES: u32 = 10;

/// Everything that decides what native code looks like. The compiling child and the server share it: a difference would make every artifact unusable.
pub(super) fn compiler_config() -> Config {
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

/// An engine with slots for `max_instances` guests at once; allocates on demand where the address space for them is not to be had.
pub(super) fn new_engine(max_instances: usize) -> Result<Engine> {
    let instances = u32::try_from(max_instances.saturating_add(PROOFS))
        .map_or(MAX_INSTANCES, |instances| instances.min(MAX_INSTANCES));
    let mut config = compiler_config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
    Engine::new(&config).or_else(|error| {
        tracing::warn!(%error, max_instances, "no address space for pooled instances: they are allocated one by one, which is slower");
        Engine::new(&compiler_config())
    })
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances);
    pool.total_core_instances(instances * CORE_INSTANCES);
    pool.total_memories(instances * 2);
    pool.total_tables(instances * TABLES);
    pool.total_stacks(instances);
    pool.max_memory_size(MAX_MEMORY);
    pool.max_core_instances_per_component(CORE_INSTANCES);
    pool.max_memories_per_component(MEMORIES);
    pool.max_tables_per_component(TABLES);
    pool.max_component_instance_size(4 * 1024 * 1024);
    pool.max_core_instance_size(4 * 1024 * 1024);
    pool.table_elements(100_000);
    pool.linear_memory_keep_resident(KEEP_MEMORY);
    pool.table_keep_resident(KEEP_TABLE);
    pool.max_unused_warm_slots(WARM_SLOTS.min(instances));
    // A dirty page that was swapped out is missed by the scan and would show up in the next call of another function.
    pool.pagemap_scan(if has_swap() {
        Enabled::No
    } else {
        Enabled::Auto
    });
    pool
}

/// Whether the kernel may swap; assumed where it cannot be read.
fn has_swap() -> bool {
    std::fs::read_to_string("/proc/swaps").map_or(true, |swaps| swaps.lines().count() > 1)
}

/// Names what native code fits: files of another wasmtime, configuration or processor have another key.
pub(super) fn native_key(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Moves the engine's epoch on until the engine is gone.
pub(super) fn start_ticker(engine: &Engine) -> std::io::Result<()> {
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
