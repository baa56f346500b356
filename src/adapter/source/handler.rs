//! The handler that the entry module must define.

use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::python::Module;
use crate::model::source::{Diagnostic, Severity};

pub(crate) const CLASS: &str = "IncomingHandler";
pub(crate) const FACTORY: &str = "init_incoming_handler";
const FIX: &str = "Add: from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response, then class IncomingHandler(BaseHandler): with def handle_request(self, request: Request) -> Response:";

/// How a module exposes its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handler {
    /// `IncomingHandler` is there.
    Class,
    /// Only the factory is: the build appends what exposes it.
    Factory,
}

/// What of a handler a module's top level defines.
#[derive(Default)]
struct Defined<'a> {
    class: Option<&'a StmtClassDef>,
    /// `IncomingHandler` by assignment or by an import from elsewhere than the SDK.
    other: bool,
    factory: bool,
    /// Names under which the SDK's base class is known here.
    bases: Vec<&'a str>,
    /// Classes and functions of other names.
    classes: Vec<&'a StmtClassDef>,
    functions: Vec<&'a StmtFunctionDef>,
}

/// Whether the module defines a handler; a syntax error elsewhere does not matter.
pub(crate) fn find(module: &Module) -> Option<Handler> {
    found(&definitions(module))
}

pub(crate) fn check(module: &Module, diagnostics: &mut Vec<Diagnostic>) -> Option<Handler> {
    let defined = definitions(module);
    let handler = found(&defined);
    match (handler, defined.class) {
        (None, _) => diagnostics.push(missing(module, &defined)),
        (Some(Handler::Class), Some(class)) => check_class(module, class, &defined, diagnostics),
        _ => {}
    }
    handler
}

fn found(defined: &Defined) -> Option<Handler> {
    if defined.class.is_some() || defined.other {
        Some(Handler::Class)
    } else if defined.factory {
        Some(Handler::Factory)
    } else {
        None
    }
}

fn definitions<'a>(module: &'a Module) -> Defined<'a> {
    let mut defined = Defined::default();
    collect(&module.syntax().body, &mut defined);
    defined
}

fn collect<'a>(body: &'a [Stmt], defined: &mut Defined<'a>) {
    for statement in body {
        match statement {
            Stmt::ClassDef(class) if class.name.as_str() == CLASS => defined.class = Some(class),
            Stmt::ClassDef(class) => defined.classes.push(class),
            Stmt::FunctionDef(function) if function.name.as_str() == FACTORY => {
                defined.factory = true;
            }
            Stmt::FunctionDef(function) => defined.functions.push(function),
            Stmt::Assign(assign) => defined.other |= assign.targets.iter().any(is_handler_name),
            Stmt::AnnAssign(assign) => {
                defined.other |= assign.value.is_some() && is_handler_name(&assign.target);
            }
            Stmt::ImportFrom(import) => {
                let from = import.module.as_ref().map_or("", |name| name.as_str());
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    if from == "spin_sdk.http" && alias.name.as_str() == CLASS {
                        defined.bases.push(name);
                    } else if name == CLASS {
                        defined.other = true;
                    } else if name == FACTORY {
                        defined.factory = true;
                    }
                }
            }
            Stmt::If(branch) => {
                collect(&branch.body, defined);
                branch
                    .elif_else_clauses
                    .iter()
                    .for_each(|clause| collect(&clause.body, defined));
            }
            Stmt::Try(attempt) => [&attempt.body, &attempt.orelse, &attempt.finalbody]
                .into_iter()
                .for_each(|body| collect(body, defined)),
            Stmt::With(with) => collect(&with.body, defined),
            _ => {}
        }
    }
}

fn is_handler_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Name(name) if name.id.as_str() == CLASS)
}

/// `BaseHandler`, `http.IncomingHandler`, `spin_sdk.http.IncomingHandler`.
fn is_sdk_base(expr: &Expr, bases: &[&str]) -> bool {
    match expr {
        Expr::Name(name) => bases.contains(&name.id.as_str()),
        Expr::Attribute(attribute) => {
            let of_http = match attribute.value.as_ref() {
                Expr::Name(name) => name.id.as_str() == "http",
                Expr::Attribute(inner) => inner.attr.as_str() == "http",
                _ => false,
            };
            attribute.attr.as_str() == CLASS && of_http
        }
        _ => false,
    }
}

fn missing(module: &Module, defined: &Defined) -> Diagnostic {
    let name = module
        .file
        .strip_suffix(".py")
        .unwrap_or(module.file)
        .replace('/', ".");
    let bases = |class: &&&StmtClassDef| {
        class.arguments.as_ref().is_some_and(|arguments| {
            arguments
                .args
                .iter()
                .any(|base| is_sdk_base(base, &defined.bases))
        })
    };
    let aliased = defined.classes.iter().find(bases).or_else(|| {
        defined
            .classes
            .iter()
            .find(|class| class.name.as_str().eq_ignore_ascii_case(CLASS))
    });
    let lambda = defined.functions.iter().find(|function| {
        matches!(
            function.name.as_str(),
            "handler" | "lambda_handler" | "main" | "handle_request" | "handle"
        )
    });
    let (at, hint) = match (aliased, lambda) {
        (Some(class), _) => (
            Some(class.name.range().start()),
            format!("Rename class {} to {CLASS}.", class.name),
        ),
        (None, Some(function)) => (
            Some(function.name.range().start()),
            format!(
                "{} is a plain function; functions answer in a class. {FIX}",
                function.name
            ),
        ),
        _ if defined.bases.contains(&CLASS) => {
            (None, format!("{CLASS} is imported but not extended. {FIX}"))
        }
        _ => (None, FIX.to_owned()),
    };
    let message = format!("module '{name}' has no attribute '{CLASS}'");
    match at {
        Some(at) => module.error(at, message, Some(&hint)),
        None => Diagnostic {
            severity: Severity::Error,
            file: module.file.to_owned(),
            line: 0,
            column: 0,
            message,
            hint: Some(hint),
            excerpt: None,
        },
    }
}

fn check_class(
    module: &Module,
    class: &StmtClassDef,
    defined: &Defined,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let bases = class
        .arguments
        .as_ref()
        .map_or(&[][..], |arguments| &arguments.args);
    let extends_sdk = bases.iter().any(|base| is_sdk_base(base, &defined.bases));
    let method = |name: &str| {
        class.body.iter().find_map(|statement| match statement {
            Stmt::FunctionDef(function) if function.name.as_str() == name => Some(function),
            _ => None,
        })
    };
    let at = class.name.range().start();
    if bases.is_empty() && method("handle").is_none() {
        let hint = "Write class IncomingHandler(BaseHandler): with BaseHandler imported from spin_sdk.http.";
        diagnostics.push(module.warning(at, "IncomingHandler does not extend spin_sdk.http.IncomingHandler, so calls will not reach it.", Some(hint)));
    }
    match method("handle_request") {
        None if extends_sdk && method("handle").is_none() => {
            let assigned = class
                .body
                .iter()
                .any(|statement| matches!(statement, Stmt::Assign(_)));
            if !assigned {
                let hint = "Add: def handle_request(self, request: Request) -> Response:";
                diagnostics.push(module.error(
                    at,
                    "IncomingHandler has no method handle_request.",
                    Some(hint),
                ));
            }
        }
        Some(function) if function.is_async => {
            let hint = "Write def handle_request without async.";
            diagnostics.push(module.error(
                function.name.range().start(),
                "handle_request must not be async: its answer would never be awaited.",
                Some(hint),
            ));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Handler, check};
    use crate::adapter::source::python::Module;
    use crate::model::source::{Diagnostic, Severity};

    fn checked(text: &str) -> (Option<Handler>, Vec<Diagnostic>) {
        let module =
            Module::parse("app.py", text).unwrap_or_else(|found| panic!("{}", found.message));
        let mut diagnostics = Vec::new();
        (check(&module, &mut diagnostics), diagnostics)
    }

    #[test]
    fn every_accepted_form_is_found() {
        for (text, handler) in [
            (
                "from spin_sdk import http\nclass IncomingHandler(http.IncomingHandler):\n    def handle_request(self, r): ...\n",
                Handler::Class,
            ),
            (
                "import spin_sdk.http\nclass IncomingHandler(spin_sdk.http.IncomingHandler):\n    def handle_request(self, r): ...\n",
                Handler::Class,
            ),
            (
                "from spin_sdk.http import IncomingHandler\nclass IncomingHandler(IncomingHandler):\n    def handle_request(self, r): ...\n",
                Handler::Class,
            ),
            ("from routes import IncomingHandler\n", Handler::Class),
            ("class Mine: ...\nIncomingHandler = Mine\n", Handler::Class),
            (
                "def init_incoming_handler():\n    return None\n",
                Handler::Factory,
            ),
            (
                "from spin_sdk.wit import exports\nclass IncomingHandler(exports.IncomingHandler):\n    def handle(self, request, response_out): ...\n",
                Handler::Class,
            ),
        ] {
            assert_eq!(checked(text), (Some(handler), vec![]), "{text}");
        }
    }

    #[test]
    fn near_misses_get_a_hint_of_their_own() {
        for (text, line, hint) in [
            (
                "from spin_sdk.http import IncomingHandler as Base\nclass Handler(Base):\n    def handle_request(self, r): ...\n",
                2,
                "Rename class Handler",
            ),
            (
                "class incomingHandler: ...\n",
                1,
                "Rename class incomingHandler",
            ),
            (
                "def lambda_handler(event, context):\n    return {}\n",
                1,
                "plain function",
            ),
            (
                "from spin_sdk.http import IncomingHandler\n",
                0,
                "not extended",
            ),
            ("", 0, "Add: from spin_sdk.http"),
        ] {
            let (handler, found) = checked(text);
            assert_eq!(
                (handler, found.len(), found[0].line),
                (None, 1, line),
                "{text}"
            );
            assert_eq!(
                found[0].message,
                "module 'app' has no attribute 'IncomingHandler'"
            );
            assert!(
                found[0]
                    .hint
                    .as_deref()
                    .is_some_and(|words| words.contains(hint)),
                "{found:?}"
            );
        }
    }

    #[test]
    fn a_class_that_cannot_answer_is_refused_or_warned_of() {
        let base = "from spin_sdk.http import IncomingHandler as Base\n";
        for (text, severity) in [
            ("class IncomingHandler(Base):\n    pass\n", Severity::Error),
            (
                "class IncomingHandler(Base):\n    async def handle_request(self, r): ...\n",
                Severity::Error,
            ),
            (
                "class IncomingHandler:\n    def handle_request(self, r): ...\n",
                Severity::Warning,
            ),
        ] {
            let (_, found) = checked(&format!("{base}{text}"));
            assert_eq!(
                (found.len(), found[0].severity, found[0].line >= 2),
                (1, severity, true),
                "{text}"
            );
        }
    }
}
