//! A base of the smallest kind: what wit-component makes of a few modules, with one export and one import.

use proptest::prelude::*;
use wasm_encoder as we;

use super::Base;
use super::memory::PAGE;

fn module(sections: &[&dyn we::Section]) -> Vec<u8> {
    let mut module = we::Module::new();
    for section in sections {
        let mut bytes = Vec::new();
        section.encode(&mut bytes);
        let prefix = bytes.iter().take_while(|byte| **byte & 0x80 != 0).count() + 1;
        module.section(&we::RawSection {
            id: section.id(),
            data: &bytes[prefix..],
        });
    }
    module.finish()
}

fn types(list: &[(&[we::ValType], &[we::ValType])]) -> we::TypeSection {
    let mut types = we::TypeSection::new();
    for (parameters, results) in list {
        types
            .ty()
            .function(parameters.iter().copied(), results.iter().copied());
    }
    types
}

fn functions(kinds: &[u32]) -> we::FunctionSection {
    let mut functions = we::FunctionSection::new();
    for kind in kinds {
        functions.function(*kind);
    }
    functions
}

fn exports(list: &[(&str, we::ExportKind, u32)]) -> we::ExportSection {
    let mut exports = we::ExportSection::new();
    for (name, kind, index) in list {
        exports.export(name, *kind, *index);
    }
    exports
}

fn code(bodies: &[&[we::Instruction<'_>]]) -> we::CodeSection {
    let mut code = we::CodeSection::new();
    for body in bodies {
        let mut function = we::Function::new([]);
        for instruction in *body {
            function.instruction(instruction);
        }
        function.instruction(&we::Instruction::End);
        code.function(&function);
    }
    code
}

fn table(kind_minimum: u64) -> we::TableType {
    we::TableType {
        element_type: we::RefType::FUNCREF,
        table64: false,
        minimum: kind_minimum,
        maximum: None,
        shared: false,
    }
}

/// Memory, table, and a stub that calls through the table.
fn main_module() -> Vec<u8> {
    use we::Instruction::{CallIndirect, I32Const};
    let mut tables = we::TableSection::new();
    tables.table(table(2));
    let mut memories = we::MemorySection::new();
    memories.memory(we::MemoryType {
        minimum: 1,
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = we::GlobalSection::new();
    let number = we::GlobalType {
        val_type: we::ValType::I32,
        mutable: false,
        shared: false,
    };
    globals.global(number, &we::ConstExpr::i32_const(1));
    let mut data = we::DataSection::new();
    data.active(0, &we::ConstExpr::i32_const(8), b"hello".iter().copied());
    module(&[
        &types(&[(&[], &[we::ValType::I32])]),
        &functions(&[0]),
        &tables,
        &memories,
        &globals,
        &exports(&[
            ("memory", we::ExportKind::Memory, 0),
            ("table", we::ExportKind::Table, 0),
            ("base", we::ExportKind::Global, 0),
            ("stub", we::ExportKind::Func, 0),
        ]),
        &code(&[&[
            I32Const(1),
            CallIndirect {
                type_index: 0,
                table_index: 0,
            },
        ]]),
        &data,
    ])
}

/// What the component exports, a counter, and what the snapshot resets.
fn library_module() -> Vec<u8> {
    use we::Instruction::{Call, GlobalGet, GlobalSet, I32Add, I32Const, I32Load};
    let mut imports = we::ImportSection::new();
    imports
        .import("env", "stub", we::EntityType::Function(0))
        .import("env", "tick", we::EntityType::Function(1))
        .import(
            "env",
            "memory",
            we::MemoryType {
                minimum: 1,
                maximum: None,
                memory64: false,
                shared: false,
                page_size_log2: None,
            },
        )
        .import("env", "table", table(0))
        .import(
            "env",
            "base",
            we::GlobalType {
                val_type: we::ValType::I32,
                mutable: false,
                shared: false,
            },
        );
    let mut globals = we::GlobalSection::new();
    let counter = we::GlobalType {
        val_type: we::ValType::I32,
        mutable: true,
        shared: false,
    };
    globals.global(counter, &we::ConstExpr::i32_const(7));
    let mut elements = we::ElementSection::new();
    // Function 3 in slot `base`.
    elements.active(
        Some(0),
        &we::ConstExpr::global_get(0),
        we::Elements::Functions((&[3][..]).into()),
    );
    let place = we::MemArg {
        offset: 8,
        align: 2,
        memory_index: 0,
    };
    module(&[
        &types(&[(&[], &[we::ValType::I32]), (&[], &[])]),
        &imports,
        &functions(&[0, 0, 1, 1, 0]),
        &globals,
        &exports(&[
            ("run", we::ExportKind::Func, 2),
            ("reset_adapter_state", we::ExportKind::Func, 4),
            ("__wasilibc_reset_preopens", we::ExportKind::Func, 5),
        ]),
        &elements,
        &code(&[
            &[
                Call(1),
                Call(0),
                GlobalGet(1),
                I32Const(1),
                I32Add,
                GlobalSet(1),
            ],
            &[I32Const(0), I32Load(place)],
            &[],
            &[],
            // Called by nobody.
            &[I32Const(9)],
        ]),
    ])
}

fn shim_module() -> Vec<u8> {
    use we::Instruction::{CallIndirect, I32Const};
    let mut tables = we::TableSection::new();
    tables.table(table(1));
    module(&[
        &types(&[(&[], &[])]),
        &functions(&[0]),
        &tables,
        &exports(&[
            ("0", we::ExportKind::Func, 0),
            ("$imports", we::ExportKind::Table, 0),
        ]),
        &code(&[&[
            I32Const(0),
            CallIndirect {
                type_index: 0,
                table_index: 0,
            },
        ]]),
    ])
}

fn fixup_module() -> Vec<u8> {
    let mut imports = we::ImportSection::new();
    imports
        .import("", "0", we::EntityType::Function(0))
        .import("", "$imports", table(1));
    let mut elements = we::ElementSection::new();
    elements.active(
        Some(0),
        &we::ConstExpr::i32_const(0),
        we::Elements::Functions((&[0][..]).into()),
    );
    module(&[&types(&[(&[], &[])]), &imports, &elements])
}

fn alias(component: &mut we::Component, instance: u32, kind: we::ExportKind, name: &str) {
    let mut aliases = we::ComponentAliasSection::new();
    aliases.alias(we::Alias::CoreInstanceExport {
        instance,
        kind,
        name,
    });
    component.section(&aliases);
}

/// `tick: func()` is imported, `run: func() -> s32` exported.
fn base() -> Vec<u8> {
    let mut component = we::Component::new();
    let mut kinds = we::ComponentTypeSection::new();
    let none = std::iter::empty::<(&str, we::ComponentValType)>;
    kinds.function().params(none()).result(None);
    let number = we::ComponentValType::Primitive(we::PrimitiveValType::S32);
    kinds.function().params(none()).result(Some(number));
    component.section(&kinds);
    let mut imports = we::ComponentImportSection::new();
    imports.import("tick", we::ComponentTypeRef::Func(0));
    component.section(&imports);
    for bytes in [
        main_module(),
        library_module(),
        shim_module(),
        fixup_module(),
    ] {
        component.section(&we::RawSection {
            id: 1,
            data: &bytes,
        });
    }
    let nothing = std::iter::empty::<(&str, we::ModuleArg)>;
    let mut instances = we::InstanceSection::new();
    instances
        .instantiate(0, nothing())
        .instantiate(2, nothing());
    component.section(&instances);
    alias(&mut component, 0, we::ExportKind::Func, "stub");
    alias(&mut component, 1, we::ExportKind::Func, "0");
    alias(&mut component, 0, we::ExportKind::Memory, "memory");
    alias(&mut component, 0, we::ExportKind::Table, "table");
    alias(&mut component, 0, we::ExportKind::Global, "base");
    let mut instances = we::InstanceSection::new();
    instances
        .export_items([
            ("stub", we::ExportKind::Func, 0),
            ("tick", we::ExportKind::Func, 1),
            ("memory", we::ExportKind::Memory, 0),
            ("table", we::ExportKind::Table, 0),
            ("base", we::ExportKind::Global, 0),
        ])
        .instantiate(1, [("env", we::ModuleArg::Instance(2))]);
    component.section(&instances);
    let mut lower = we::CanonicalFunctionSection::new();
    lower.lower(0, []);
    component.section(&lower);
    alias(&mut component, 1, we::ExportKind::Table, "$imports");
    let mut instances = we::InstanceSection::new();
    instances
        .export_items([
            ("0", we::ExportKind::Func, 2),
            ("$imports", we::ExportKind::Table, 1),
        ])
        .instantiate(3, [("", we::ModuleArg::Instance(4))]);
    component.section(&instances);
    alias(&mut component, 3, we::ExportKind::Func, "run");
    let mut lift = we::CanonicalFunctionSection::new();
    lift.lift(3, 1, []);
    component.section(&lift);
    let mut exported = we::ComponentExportSection::new();
    exported.export("run", we::ComponentExportKind::Func, 1, None);
    component.section(&exported);
    component.finish()
}

/// What the fuzzer starts from; after a change here, write it anew.
#[test]
fn the_fuzzers_seed_is_this_base() {
    let seed = include_bytes!("../../../../tests/fuzz/seeds/base/small.wasm");
    if base() != seed {
        let file = std::env::temp_dir().join("small.wasm");
        std::fs::write(&file, base()).expect("written");
        panic!("copy {} to tests/fuzz/seeds/base", file.display());
    }
}

fn assert_valid(bytes: &[u8]) {
    if let Err(error) = wasmparser::Validator::new().validate_all(bytes) {
        panic!("not valid: {error}");
    }
}

#[test]
fn a_base_is_joined_to_valid_modules_and_components() {
    let bytes = base();
    assert_valid(&bytes);
    let base = Base::read(&bytes).expect("a base");
    assert_eq!(base.globals, [7]);
    assert_eq!(base.memory.len(), PAGE);
    assert_eq!(&base.memory[8..13], b"hello");
    for bytes in [
        &base.code,
        &base.shim,
        &base.fixup,
        &base.portable(&base.memory),
        &base.serving().expect("a component"),
    ] {
        assert_valid(bytes);
    }
}

#[test]
fn a_warmed_base_keeps_its_memory_and_stays_a_component() {
    let bytes = base();
    let cold = Base::read(&bytes).expect("a base");
    let mut memory = cold.memory.clone();
    memory.resize(2 * PAGE, 1);
    let warmed = cold.warm(&bytes, &memory).expect("warmed");
    assert_valid(&warmed);
    let warm = Base::read(&warmed).expect("a base");
    assert!(warm.is_warmed && !cold.is_warmed);
    assert_eq!(warm.memory, memory);
    assert_eq!(warm.code, cold.code);
    assert_ne!(warm.key, cold.key);
}

#[test]
fn a_snapshot_in_the_middle_of_a_call_is_refused() {
    let mut snapshot = vec![1; 10];
    snapshot.extend([0; 8]);
    snapshot.extend(7_i32.to_le_bytes());
    let unpacked = super::unpack_snapshot(&snapshot, &[7]);
    assert_eq!(unpacked.expect("a memory"), [1; 10]);
    assert!(super::unpack_snapshot(&snapshot, &[8]).is_err());
    assert!(super::unpack_snapshot(&snapshot[..11], &[7]).is_err());
}

proptest! {
    #[test]
    fn no_change_of_a_base_makes_reading_it_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = base();
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        if let Ok(base) = Base::read(&bytes) {
            let _ = base.serving();
            let _ = base.portable(&base.memory);
        }
    }

    #[test]
    fn no_shortened_base_makes_reading_it_panic(end in any::<usize>()) {
        let bytes = base();
        let _ = Base::read(&bytes[..end % bytes.len()]);
    }

    #[test]
    fn no_bytes_make_reading_them_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut component = super::section::COMPONENT.to_vec();
        component.extend(bytes);
        let _ = Base::read(&component);
    }
}
