//! The wasmtime engine: what is compiled for, and how instances are allocated.

use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

use crate::adapter::snapshot::engine::compiler_config;
pub(super) use crate::adapter::snapshot::engine::{TICK, start_ticker};

/// Largest linear memory of a guest, in bytes: the largest `memory` a function may ask for.
pub(super) const MAX_MEMORY: usize = 1024 * 1024 * 1024;
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
