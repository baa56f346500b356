//! What a build appends to a source, and what modules are called.

use std::fmt::Write;

use super::diagnose::Findings;
use super::handler::Handler;

/// Appended when a source defines only the factory. Its result may be a handler or a class of one.
const EXPOSE_FACTORY: &str = "

def IncomingHandler():
    handler = init_incoming_handler()
    return handler() if isinstance(handler, type) else handler
";

/// What is appended to the entry after the checks, which must not see it.
pub(crate) fn shim(findings: &Findings) -> String {
    let mut text = String::new();
    if findings.handler == Some(Handler::Factory) {
        text.push_str(EXPOSE_FACTORY);
    }
    if !findings.later.is_empty() {
        // There are no files to import from at request time: what functions import is loaded now.
        let names = findings
            .later
            .iter()
            .fold(String::new(), |mut names, name| {
                let _ = write!(names, "'{name}', ");
                names
            });
        let _ = write!(
            text,
            "\n\ndef _blue_faas_load(names):\n    import importlib\n    for name in names:\n        try:\n            importlib.import_module(name)\n        except BaseException:\n            pass\n\n_blue_faas_load(({names}))\n"
        );
    }
    text
}

/// Dotted name of the module in a file.
pub(crate) fn module(file: &str) -> String {
    file.strip_suffix(".py").unwrap_or(file).replace('/', ".")
}
