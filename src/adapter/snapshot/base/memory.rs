//! A linear memory: what the base's is at first, and as a module that holds nothing else.

use wasm_encoder as we;

use super::module::CoreModule;
use super::refusal::{Refused, Result, at, refuse};

/// Bytes of a WebAssembly page.
pub const PAGE: usize = 64 * 1024;
/// Pages of a memory at most, 512 MiB: what the stock builder lets a source use while it loads.
pub const MAX_PAGES: usize = 8192;

/// The memory that a module's data segments make.
pub(super) fn initial(module: &CoreModule<'_>) -> Result<Vec<u8>> {
    let pages = at(&module.memories, 0, "memory")?.initial;
    let pages = usize::try_from(pages).unwrap_or(usize::MAX);
    if pages > MAX_PAGES {
        return refuse("the memory is too large");
    }
    let mut memory = vec![0; pages * PAGE];
    for (start, data) in &module.data {
        let start = *start as usize;
        let place = start
            .checked_add(data.len())
            .and_then(|end| memory.get_mut(start..end));
        place
            .ok_or_else(|| Refused::new("data lies outside the memory"))?
            .copy_from_slice(data);
    }
    Ok(memory)
}

/// A module that exports a memory of this size and content as `memory` and does nothing.
pub fn memory_module(content: &[u8], pages: usize, max_pages: Option<u64>) -> Vec<u8> {
    let mut module = we::Module::new();
    let mut memories = we::MemorySection::new();
    memories.memory(we::MemoryType {
        minimum: pages as u64,
        maximum: max_pages,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut exports = we::ExportSection::new();
    exports.export("memory", we::ExportKind::Memory, 0);
    let mut data = we::DataSection::new();
    for (start, content) in segments(content) {
        let start = we::ConstExpr::i32_const((start as u32).cast_signed());
        data.active(0, &start, content.iter().copied());
    }
    module.section(&memories).section(&exports).section(&data);
    module.finish()
}

/// Runs of 512-byte blocks that are not all zero.
fn segments(memory: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    const BLOCK: usize = 512;
    let is_zero = |block: &[u8]| block.iter().all(|byte| *byte == 0);
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < memory.len() && is_zero(&memory[at..memory.len().min(at + BLOCK)]) {
            at += BLOCK;
        }
        let start = at;
        while at < memory.len() && !is_zero(&memory[at..memory.len().min(at + BLOCK)]) {
            at += BLOCK;
        }
        let end = at.min(memory.len());
        (start < end).then(|| (start, &memory[start..end]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_comes_back_from_its_module() {
        let mut memory = vec![0; 2 * PAGE];
        memory[5] = 1;
        memory[PAGE + 700] = 2;
        memory[2 * PAGE - 1] = 3;
        let bytes = memory_module(&memory, 2, Some(8));
        assert!(bytes.len() < 4096);
        let module = CoreModule::read(&bytes).expect("a module");
        assert_eq!(initial(&module).expect("a memory"), memory);
    }
}
