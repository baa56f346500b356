//! Reads of the environment while the module loads: the build runs that code, with an empty environment.

use ruff_python_ast::visitor::source_order::{SourceOrderVisitor, walk_expr, walk_stmt};
use ruff_python_ast::{ExceptHandler, Expr, ExprContext, Stmt};
use ruff_text_size::Ranged;

use super::python::Module;
use crate::model::source::Diagnostic;

const HINT: &str = "The environment is empty while top-level code runs at build time. Read it inside handle_request.";

pub(crate) fn check(module: &Module, diagnostics: &mut Vec<Diagnostic>) {
    let mut reader = Reader {
        module,
        diagnostics,
        names: Names::default(),
        guarded: 0,
    };
    for statement in &module.syntax().body {
        reader.visit_stmt(statement);
    }
}

/// Names under which the module knows the environment.
#[derive(Default)]
struct Names {
    environ: Vec<String>,
    getenv: Vec<String>,
}

struct Reader<'a, 'm> {
    module: &'m Module<'m>,
    diagnostics: &'a mut Vec<Diagnostic>,
    names: Names,
    /// Enclosing `try` blocks, which may expect the failure.
    guarded: usize,
}

impl Reader<'_, '_> {
    fn is_environ(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Attribute(attribute) => {
                attribute.attr.as_str() == "environ"
                    && matches!(attribute.value.as_ref(), Expr::Name(name) if name.id.as_str() == "os")
            }
            Expr::Name(name) => self
                .names
                .environ
                .iter()
                .any(|known| known == name.id.as_str()),
            _ => false,
        }
    }

    fn is_getenv(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Attribute(attribute) if attribute.attr.as_str() == "getenv" => {
                matches!(attribute.value.as_ref(), Expr::Name(name) if name.id.as_str() == "os")
            }
            Expr::Attribute(attribute) if attribute.attr.as_str() == "get" => {
                self.is_environ(&attribute.value)
            }
            Expr::Name(name) => self
                .names
                .getenv
                .iter()
                .any(|known| known == name.id.as_str()),
            _ => false,
        }
    }
}

fn variable(expr: Option<&Expr>) -> String {
    match expr {
        Some(Expr::StringLiteral(text)) => text.value.to_str().chars().take(64).collect(),
        _ => "the variable".to_owned(),
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'_, '_> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        match statement {
            Stmt::ImportFrom(import)
                if import
                    .module
                    .as_ref()
                    .is_some_and(|name| name.as_str() == "os") =>
            {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).to_string();
                    match alias.name.as_str() {
                        "environ" => self.names.environ.push(name),
                        "getenv" => self.names.getenv.push(name),
                        _ => {}
                    }
                }
            }
            Stmt::FunctionDef(_) => {}
            // The handler is created once, by the build.
            Stmt::ClassDef(class) if class.name.as_str() == "IncomingHandler" => {
                for statement in &class.body {
                    match statement {
                        Stmt::FunctionDef(function) if function.name.as_str() == "__init__" => {
                            function
                                .body
                                .iter()
                                .for_each(|inner| self.visit_stmt(inner));
                        }
                        other => self.visit_stmt(other),
                    }
                }
            }
            Stmt::Try(attempt) => {
                self.guarded += 1;
                attempt.body.iter().for_each(|inner| self.visit_stmt(inner));
                self.guarded -= 1;
                for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
                    handler.body.iter().for_each(|inner| self.visit_stmt(inner));
                }
                attempt
                    .orelse
                    .iter()
                    .chain(&attempt.finalbody)
                    .for_each(|inner| self.visit_stmt(inner));
            }
            other => walk_stmt(self, other),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Lambda(_) => return,
            Expr::Subscript(item)
                if matches!(item.ctx, ExprContext::Load) && self.is_environ(&item.value) =>
            {
                let message = format!(
                    "KeyError: '{}' is not in os.environ while the module loads.",
                    variable(Some(&item.slice))
                );
                let found = if self.guarded == 0 {
                    self.module.error(expr.start(), message, Some(HINT))
                } else {
                    self.module.warning(expr.start(), message, Some(HINT))
                };
                self.diagnostics.push(found);
            }
            Expr::Call(call) if self.is_getenv(&call.func) => {
                let message = format!(
                    "{} is read while the module loads, when it is never set.",
                    variable(call.arguments.args.first())
                );
                self.diagnostics
                    .push(self.module.warning(expr.start(), message, Some(HINT)));
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::adapter::source::python::Module;
    use crate::model::source::Severity;

    fn found(text: &str) -> Vec<(Severity, u32, u32)> {
        let module =
            Module::parse("app.py", text).unwrap_or_else(|found| panic!("{}", found.message));
        let mut diagnostics = Vec::new();
        check(&module, &mut diagnostics);
        diagnostics
            .iter()
            .map(|found| (found.severity, found.line, found.column))
            .collect()
    }

    #[test]
    fn reads_while_the_module_loads_are_found() {
        use Severity::{Error, Warning};
        for (text, expected) in [
            ("import os\nA = os.environ['A']\n", (Error, 2, 5)),
            (
                "from os import environ as env\nclass C:\n    a = env['A']\n",
                (Error, 3, 9),
            ),
            ("import os\nif os.getenv('A'):\n    pass\n", (Warning, 2, 4)),
            (
                "import os\nA = int(os.environ.get('A', '1'))\n",
                (Warning, 2, 9),
            ),
            (
                "import os\ntry:\n    A = os.environ['A']\nexcept KeyError:\n    A = ''\n",
                (Warning, 3, 9),
            ),
            (
                "import os\nclass IncomingHandler(B):\n    def __init__(self):\n        self.a = os.environ['A']\n",
                (Error, 4, 18),
            ),
        ] {
            assert_eq!(found(text), vec![expected], "{text}");
        }
    }

    #[test]
    fn reads_at_request_time_and_writes_are_fine() {
        for text in [
            "import os\ndef f():\n    return os.environ['A']\n",
            "import os\nclass IncomingHandler(B):\n    def handle_request(self, r):\n        return os.getenv('A')\n",
            "import os\nos.environ['A'] = '1'\nf = lambda: os.environ['A']\n",
        ] {
            assert_eq!(found(text), vec![], "{text}");
        }
    }
}
