//! How a source is built without us: `spin build` with the pinned tools.

use bytes::Bytes;
use std::collections::BTreeMap;

use super::diagnose::check_tree;
use super::handler::{CLASS, FACTORY, Handler};
use super::imports::Surroundings;
use super::shim::{module, shim};
use crate::port::builder::{Recipe, SourceTree};

/// What the format of `IncomingHandler` needs: newer versions speak another one.
pub(crate) const VERSIONS: &[(&str, &str, &str)] = &[
    ("componentize_py", "componentize-py", "0.17.2"),
    ("spin_sdk", "spin-sdk", "3.4.1"),
    ("mypy", "mypy", "1.19.0"),
];
/// The module that stands before the source's own where a build here appends to it.
const ENTRY: &str = "spin_entry";

pub(crate) fn of(tree: &SourceTree) -> Recipe {
    let findings = check_tree(tree, &Surroundings::of_tree(tree));
    let own = module(&tree.entry);
    let appended = shim(&findings);
    let exposed = match findings.handler {
        Some(Handler::Class) => Some(CLASS),
        Some(Handler::Factory) => Some(FACTORY),
        None => None,
    };
    let mut files = BTreeMap::new();
    let entry = match exposed {
        Some(name) if !appended.is_empty() => {
            let entry = free_name(tree);
            let text = format!(
                "# The module that `spin build` starts from; Blue FaaS does the same by itself.\nfrom {own} import {name}\n{appended}"
            );
            files.insert(format!("{entry}.py"), Bytes::from(text));
            entry
        }
        // The source exposes its handler itself, or has none to expose.
        Some(_) | None => own,
    };
    let pinned = VERSIONS
        .iter()
        .filter(|(package, _, _)| *package != "mypy")
        .map(|(_, name, version)| format!("{name}=={version}"));
    Recipe {
        requirements: pinned.collect(),
        command: format!("componentize-py -w spin-http componentize {entry} -o app.wasm"),
        files,
    }
}

/// A module's name that no file or folder of the source has.
fn free_name(tree: &SourceTree) -> String {
    let mut name = ENTRY.to_owned();
    let taken = |name: &str| {
        let (file, folder) = (format!("{name}.py"), format!("{name}/"));
        let mut paths = tree.files.keys();
        paths.any(|path| *path == file || path.starts_with(&folder))
    };
    while taken(&name) {
        name.push('_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::model::source::SourceKind;
    use crate::port::builder::SourceTree;
    use bytes::Bytes;

    const HANDLER: &str = "from spin_sdk import http\n\n\nclass IncomingHandler(http.IncomingHandler):\n    def handle_request(self, request: http.Request) -> http.Response:\n        return http.Response(200, {}, b\"\")\n";

    fn tree(entry: &str, files: &[(&str, &str)]) -> SourceTree {
        SourceTree {
            kind: SourceKind::Package,
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes())))
                .collect(),
            entry: entry.to_owned(),
            manifest: None,
            requirements: Vec::new(),
        }
    }

    #[test]
    fn a_source_that_exposes_its_handler_is_built_as_it_is() {
        let recipe = of(&tree("src/main.py", &[("src/main.py", HANDLER)]));
        assert_eq!(
            recipe.command,
            "componentize-py -w spin-http componentize src.main -o app.wasm"
        );
        assert!(recipe.files.is_empty());
        assert_eq!(
            recipe.requirements,
            ["componentize-py==0.17.2", "spin-sdk==3.4.1"]
        );
    }

    #[test]
    fn what_a_build_here_appends_stands_in_a_module_of_its_own() {
        let factory = format!(
            "{}\n\ndef init_incoming_handler():\n    return Handler()\n",
            HANDLER.replace("class IncomingHandler", "class Handler")
        );
        let late = HANDLER.replace("        return", "        import decimal\n        return");
        for (source, line) in [
            (&factory, "from app import init_incoming_handler\n"),
            (&late, "from app import IncomingHandler\n"),
        ] {
            let recipe = of(&tree(
                "app.py",
                &[("app.py", source), ("spin_entry.py", "")],
            ));
            assert!(recipe.command.contains(" componentize spin_entry_ "));
            let entry = std::str::from_utf8(&recipe.files["spin_entry_.py"]).expect("a text");
            assert!(entry.contains(line), "{entry}");
        }
    }

    #[test]
    fn a_source_without_a_handler_still_has_a_recipe() {
        for source in ["", "def (", "def f():\n    import decimal\n"] {
            let recipe = of(&tree("app.py", &[("app.py", source)]));
            assert!(recipe.command.contains(" componentize app "), "{source}");
        }
    }
}
