//! Functions that the joined module has over the base's: they take its memory, and bring a function's into a fresh instance.

use wasm_encoder as we;
use wasmparser::{FuncType, ValType};

use super::refusal::{Result, refuse};

/// Forgets the run, then answers all of the memory followed by the globals as one list, in a page added for it.
pub const SNAPSHOT: &str = "blue-snapshot";
/// Makes the memory larger by some pages.
pub const GROW: &str = "blue-grow";
/// Copies runs to where they belong: address and length of each, then its bytes.
pub const RESTORE: &str = "blue-restore";
/// Where the host puts an argument of `RESTORE`: behind the memory, where nobody looks for anything.
pub(super) const ROOM: &str = "blue-room";
/// In the order of [`functions`].
pub(super) const NAMES: [&str; 4] = [SNAPSHOT, GROW, RESTORE, ROOM];

/// Bytes before the globals in an answer of [`SNAPSHOT`]: address and length, as the canonical ABI returns a list.
pub(super) const LIST: u32 = 8;
/// Bytes before a run's content.
pub(super) const RUN: usize = 8;
const MAX_GLOBALS: u32 = 1000;

/// Types and bodies; `resets` are functions to call before a snapshot.
pub(super) fn functions(resets: &[u32], globals: u32) -> Result<[(FuncType, we::Function); 4]> {
    if globals > MAX_GLOBALS {
        return refuse("there are too many globals");
    }
    let number = || ValType::I32;
    Ok([
        (FuncType::new([], [number()]), snapshot(resets, globals)),
        (FuncType::new([number()], []), grow()),
        (FuncType::new([number(), number()], []), restore()),
        (
            FuncType::new([number(), number(), number(), number()], [number()]),
            room(),
        ),
    ])
}

fn place(offset: u32) -> we::MemArg {
    we::MemArg {
        offset: offset.into(),
        align: 2,
        memory_index: 0,
    }
}

fn snapshot(resets: &[u32], globals: u32) -> we::Function {
    let mut function = we::Function::new([(1, we::ValType::I32)]);
    let mut code = function.instructions();
    for reset in resets {
        code.call(*reset);
    }
    let page = 0;
    code.i32_const(1)
        .memory_grow(0)
        .i32_const(16)
        .i32_shl()
        .local_set(page)
        .local_get(page)
        .i32_const(0)
        .i32_store(place(0))
        .local_get(page)
        .local_get(page)
        .i32_const((LIST + 4 * globals).cast_signed())
        .i32_add()
        .i32_store(place(4));
    for index in 0..globals {
        code.local_get(page)
            .global_get(index)
            .i32_store(place(LIST + 4 * index));
    }
    code.local_get(page).end();
    function
}

fn grow() -> we::Function {
    let mut function = we::Function::new([]);
    let mut code = function.instructions();
    code.local_get(0);
    grow_or_trap(&mut code);
    code.drop().end();
    function
}

/// Pages on the stack become the old size in pages.
fn grow_or_trap(code: &mut we::InstructionSink<'_>) {
    // The first argument serves as a variable: it is not needed any more.
    code.memory_grow(0)
        .local_tee(0)
        .i32_const(-1)
        .i32_eq()
        .if_(we::BlockType::Empty)
        .unreachable()
        .end()
        .local_get(0);
}

fn room() -> we::Function {
    let mut function = we::Function::new([]);
    let mut code = function.instructions();
    let size = 3;
    code.local_get(size)
        .i32_const(0xffff)
        .i32_add()
        .i32_const(16)
        .i32_shr_u();
    grow_or_trap(&mut code);
    code.i32_const(16).i32_shl().end();
    function
}

fn restore() -> we::Function {
    let (at, end) = (0, 1);
    let mut function = we::Function::new([]);
    let mut code = function.instructions();
    let content = (RUN as u32).cast_signed();
    code.local_get(at)
        .local_get(end)
        .i32_add()
        .local_set(end)
        .block(we::BlockType::Empty)
        .loop_(we::BlockType::Empty)
        .local_get(at)
        .local_get(end)
        .i32_ge_u()
        .br_if(1)
        .local_get(at)
        .i32_load(place(0))
        .local_get(at)
        .i32_const(content)
        .i32_add()
        .local_get(at)
        .i32_load(place(4))
        .memory_copy(0, 0)
        .local_get(at)
        .local_get(at)
        .i32_load(place(4))
        .i32_add()
        .i32_const(content)
        .i32_add()
        .local_set(at)
        .br(0)
        .end()
        .end()
        .end();
    function
}
