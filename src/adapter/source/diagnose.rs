//! The quick checks: what a build would find out after many seconds, found in the source text.

mod modules;

use bytes::Bytes;

use self::modules::{check_import, hidden_module};
use super::environment;
use super::handler::{self, Handler};
use super::imports::{Surroundings, collect};
use super::python::Module;
use crate::model::source::{Diagnostic, Severity};
use crate::port::builder::SourceTree;

/// Most that is told of one source.
const MAX_DIAGNOSTICS: usize = 100;

/// What the checks found, and what the build needs to know of the source.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// How the entry exposes its handler.
    pub(crate) handler: Option<Handler>,
    /// Modules that functions import at request time, when there is no file to load them from: the build loads them beforehand.
    pub(crate) later: Vec<String>,
}

impl Findings {
    pub(crate) fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error)
    }
}

/// Checks one module on its own, as it is typed: other files of its source are not known.
pub(crate) fn check_module(file: &str, text: &str) -> Vec<Diagnostic> {
    let name = if file.is_empty() { "app.py" } else { file };
    let mut surroundings = Surroundings::of_files(std::iter::once(name), false);
    surroundings.own.insert("app".to_owned());
    surroundings.alone = true;
    let mut findings = Findings::default();
    check(name, text, true, &surroundings, &mut findings);
    findings.diagnostics
}

/// Checks every module of a source. `surroundings` tells which modules the requirements brought, once that is known.
pub(crate) fn check_tree(tree: &SourceTree, surroundings: &Surroundings) -> Findings {
    let mut findings = Findings::default();
    for (path, content) in tree.files.iter().filter(|(path, _)| is_python(path)) {
        let is_entry = *path == tree.entry;
        match text(path, content) {
            Ok(text) => check(path, text, is_entry, surroundings, &mut findings),
            Err(found) => findings.diagnostics.push(found),
        }
        hidden_module(path, is_entry, &mut findings.diagnostics);
        if findings.diagnostics.len() > MAX_DIAGNOSTICS {
            break;
        }
    }
    // Errors of the entry come first: the others are often their consequence.
    findings.diagnostics.sort_by_key(|found| {
        (
            found.severity == Severity::Warning,
            found.file != tree.entry,
        )
    });
    findings.diagnostics.truncate(MAX_DIAGNOSTICS);
    findings.later.sort();
    findings.later.dedup();
    findings
}

pub(crate) fn is_python(path: &str) -> bool {
    std::path::Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "py")
}

pub(crate) fn text<'a>(path: &str, content: &'a Bytes) -> Result<&'a str, Diagnostic> {
    std::str::from_utf8(content).map_err(|error| Diagnostic {
        severity: Severity::Error,
        file: path.to_owned(),
        line: u32::try_from(
            content[..error.valid_up_to()]
                .split(|byte| *byte == b'\n')
                .count(),
        )
        .unwrap_or(0),
        column: 0,
        message: "The file is not UTF-8 text.".to_owned(),
        hint: Some("Save it as UTF-8.".to_owned()),
        excerpt: None,
    })
}

fn check(
    file: &str,
    text: &str,
    is_entry: bool,
    surroundings: &Surroundings,
    findings: &mut Findings,
) {
    let module = match Module::parse(file, text) {
        Ok(module) => module,
        Err(found) => return findings.diagnostics.push(*found),
    };
    if let Some(found) = module.syntax_error() {
        return findings.diagnostics.push(found);
    }
    if is_entry {
        findings.handler = handler::check(&module, &mut findings.diagnostics);
    }
    let package = package_of(file);
    for import in collect(&module.syntax().body, &package) {
        check_import(&module, &import, surroundings, findings);
    }
    environment::check(&module, &mut findings.diagnostics);
}

/// `pkg.sub` for `pkg/sub/module.py` and for `pkg/sub/__init__.py`.
fn package_of(file: &str) -> String {
    file.rsplit_once('/')
        .map(|(folder, _)| folder.replace('/', "."))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{check_module, check_tree};
    use crate::adapter::source::imports::Surroundings;
    use crate::model::source::{Severity, SourceKind};
    use crate::port::builder::SourceTree;
    use bytes::Bytes;

    const HELLO: &str = "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {\"content-type\": \"text/plain\"}, bytes(\"Hello from Blue FaaS!\", \"utf-8\"))\n";

    fn tree(files: &[(&str, &str)], requirements: &[&str]) -> (SourceTree, Surroundings) {
        let surroundings = Surroundings::of_files(
            files.iter().map(|(path, _)| *path),
            !requirements.is_empty(),
        );
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), Bytes::copy_from_slice(text.as_bytes())))
            .collect();
        let requirements = requirements.iter().map(|line| (*line).to_owned()).collect();
        (
            SourceTree {
                kind: SourceKind::Package,
                files,
                entry: "app.py".to_owned(),
                manifest: None,
                requirements,
            },
            surroundings,
        )
    }

    #[test]
    fn sound_sources_are_left_alone() {
        let nested = "from spin_sdk import http\nfrom spin_sdk.http import Request, Response\nimport json, hashlib, urllib.parse\nimport xml.etree.ElementTree as ET\ntry:\n    import requests\nexcept ImportError:\n    requests = None\nclass IncomingHandler(http.IncomingHandler):\n    def handle_request(self, request):\n        import os\n        return Response(200, {}, bytes(os.environ['A'], 'utf-8'))\n";
        let factory = "def init_incoming_handler():\n    from spin_sdk.http import IncomingHandler\n    class H(IncomingHandler):\n        def handle_request(self, request):\n            return None\n    return H()\n";
        for text in [HELLO, nested, factory] {
            assert_eq!(check_module("app.py", text), vec![], "{text}");
        }
    }

    #[test]
    fn what_would_fail_after_the_build_is_found_before_it() {
        for (text, line, message, hint) in [
            (
                "import json\n",
                0,
                "module 'app' has no attribute 'IncomingHandler'",
                "class IncomingHandler",
            ),
            (
                "import requests\n",
                1,
                "requests is not available",
                "spin_sdk.http.send",
            ),
            (
                "import sqlite3\n",
                1,
                "sqlite3 is not available",
                "key_value",
            ),
            (
                "from spin_sdk import sqlite\n",
                1,
                "spin_sdk.sqlite is not available",
                "key_value",
            ),
            (
                "import spin_sdk.nothing\n",
                1,
                "No module named 'spin_sdk.nothing'",
                "key_value",
            ),
            (
                "from multiprocessing.pool import ThreadPool\n",
                1,
                "multiprocessing.pool is not available",
                "processes",
            ),
            (
                "import os\nKEY = os.environ['KEY']\n",
                2,
                "KEY",
                "handle_request",
            ),
        ] {
            let found = check_module(
                "app.py",
                &format!("{text}{}", if line == 0 { "" } else { HELLO }),
            );
            let error = found
                .iter()
                .find(|found| found.severity == Severity::Error)
                .unwrap_or_else(|| panic!("nothing found in {text}: {found:?}"));
            assert_eq!(error.line, line, "{error:?}");
            assert!(error.message.contains(message), "{error:?}");
            assert!(
                error
                    .hint
                    .as_deref()
                    .is_some_and(|words| words.contains(hint)),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_module_that_nobody_knows_is_an_error_once_the_whole_source_is_known() {
        let text = format!("import nowhere.at_all\n{HELLO}");
        let typed = check_module("app.py", &text);
        assert_eq!(typed.len(), 1);
        assert_eq!(typed[0].severity, Severity::Warning);
        let (tree, surroundings) = tree(&[("app.py", &text)], &[]);
        let built = check_tree(&tree, &surroundings).diagnostics;
        assert_eq!(
            (built.len(), built[0].severity, built[0].line),
            (1, Severity::Error, 1)
        );
        assert!(
            built[0]
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("requirements.txt"))
        );
    }

    #[test]
    fn imports_in_functions_are_loaded_beforehand_or_warned_of() {
        let text = format!(
            "{HELLO}\ndef later():\n    import decimal\n    from urllib import parse\n    import requests\n"
        );
        let (tree, surroundings) = tree(&[("app.py", &text)], &[]);
        let findings = check_tree(&tree, &surroundings);
        assert_eq!(findings.later, ["decimal", "urllib"]);
        assert_eq!(findings.diagnostics.len(), 1);
        assert_eq!(findings.diagnostics[0].severity, Severity::Warning);
        assert!(
            findings.diagnostics[0]
                .message
                .starts_with("requests is not available")
        );
    }

    #[test]
    fn own_modules_and_requirements_are_known() {
        let app = format!(
            "import idna\nimport pkg.sub\nfrom pkg import other\nfrom .pkg import x\n{HELLO}"
        );
        let files = [
            ("app.py", app.as_str()),
            ("pkg/__init__.py", ""),
            ("pkg/sub.py", "from . import other\nfrom .other import x\n"),
            ("pkg/other.py", "x = 1\n"),
        ];
        let (tree, mut surroundings) = tree(&files, &["idna"]);
        assert_eq!(check_tree(&tree, &surroundings).diagnostics, vec![]);
        surroundings.installed = Some(["certifi".to_owned()].into());
        let findings = check_tree(&tree, &surroundings);
        assert!(
            findings
                .errors()
                .all(|found| found.message.starts_with("idna is not available"))
                && findings.errors().count() == 1
        );
    }

    #[test]
    fn a_missing_own_module_is_named() {
        let app = format!("import pkg.gone\n{HELLO}");
        let (tree, surroundings) = tree(&[("app.py", &app), ("pkg/__init__.py", "")], &[]);
        let findings = check_tree(&tree, &surroundings);
        assert_eq!(
            findings.diagnostics[0].message,
            "No module named 'pkg.gone' in this source."
        );
    }

    #[test]
    fn a_file_that_python_hides_is_told_of() {
        let (tree, surroundings) = tree(&[("app.py", HELLO), ("types.py", "X = 1\n")], &[]);
        let findings = check_tree(&tree, &surroundings);
        assert_eq!(
            (findings.diagnostics.len(), findings.errors().count()),
            (1, 0)
        );
    }

    #[test]
    fn text_that_is_not_utf8_has_its_line() {
        let (mut tree, surroundings) = tree(&[("app.py", HELLO)], &[]);
        tree.files.insert(
            "other.py".to_owned(),
            Bytes::from_static(b"a = 1\nb = '\xff'\n"),
        );
        assert_eq!(
            check_tree(&tree, &surroundings)
                .errors()
                .next()
                .map(|found| found.line),
            Some(2)
        );
    }
}
