//! Modules that an import would not find, and files that hide behind one.

use super::Findings;
use crate::adapter::source::imports::{self, Import, Presence, Surroundings, When, top_level};
use crate::adapter::source::python::Module;
use crate::model::source::{Diagnostic, Severity};

pub(super) fn check_import(
    module: &Module,
    import: &Import,
    surroundings: &Surroundings,
    findings: &mut Findings,
) {
    let mut wanted = vec![import.module.clone()];
    // `from package import module` fails only when it is neither a module nor a name; a name cannot be told from outside, except in the SDK.
    let submodules = import
        .names
        .iter()
        .map(|name| format!("{}.{name}", import.module));
    wanted.extend(
        submodules.filter(|name| import.module == "spin_sdk" || surroundings.own.contains(name)),
    );
    for name in wanted {
        match surroundings.presence(&name) {
            Presence::Missing => {
                findings
                    .diagnostics
                    .push(missing(module, import, &name, surroundings));
            }
            Presence::Present | Presence::Unknown => {
                if let Some(hint) =
                    imports::useless(&name).filter(|_| !surroundings.own.contains(top_level(&name)))
                {
                    findings.diagnostics.push(module.warning(
                        import.at,
                        format!("{name} is of no use in a function."),
                        Some(hint),
                    ));
                }
                if import.when == When::Later {
                    findings.later.push(name);
                }
            }
        }
    }
}

fn missing(
    module: &Module,
    import: &Import,
    name: &str,
    surroundings: &Surroundings,
) -> Diagnostic {
    let top = top_level(name);
    let shown = if imports::hint(top).is_some() && imports::hint(name) == imports::hint(top) {
        top
    } else {
        name
    };
    let (message, hint) = if surroundings.own.contains(top) {
        (
            format!("No module named '{name}' in this source."),
            "Add the file to the archive, or correct the name.".to_owned(),
        )
    } else if top == "spin_sdk" && shown != "spin_sdk.sqlite" {
        (
            format!("No module named '{name}' in the Spin SDK."),
            "It has http, key_value, llm, mqtt, mysql, postgres, redis and variables.".to_owned(),
        )
    } else if let Some(hint) = imports::hint(shown) {
        (
            format!("{shown} is not available in a function."),
            hint.to_owned(),
        )
    } else {
        let hint = "Upload a .zip with the module in it, or with a requirements.txt that names the package (pure Python only).";
        (
            format!(
                "{shown} is not available: it is not part of Python 3.12 as functions have it, of the Spin SDK or of this source."
            ),
            hint.to_owned(),
        )
    };
    let may_be_beside = surroundings.alone && imports::hint(shown).is_none() && top != "spin_sdk";
    if may_be_beside {
        module.warning(import.at, message, Some(&hint))
    } else if import.when == When::Always {
        module.error(import.at, message, Some(&hint))
    } else {
        module.warning(
            import.at,
            format!("{message} This line fails when it runs."),
            Some(&hint),
        )
    }
}

/// The guest looks into its own library first, so a file of the same name is never loaded.
pub(super) fn hidden_module(path: &str, is_entry: bool, diagnostics: &mut Vec<Diagnostic>) {
    let name = path
        .strip_suffix("/__init__.py")
        .or_else(|| path.strip_suffix(".py"))
        .unwrap_or(path);
    if name.contains('/') || !(imports::is_standard(name) || name == "spin_sdk") {
        return;
    }
    diagnostics.push(Diagnostic {
        severity: if is_entry {
            Severity::Error
        } else {
            Severity::Warning
        },
        file: path.to_owned(),
        line: 0,
        column: 0,
        message: format!("Python's own module '{name}' is loaded instead of this file."),
        hint: Some("Rename the file.".to_owned()),
        excerpt: None,
    });
}
