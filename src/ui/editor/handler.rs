//! Whether a module has the handler that the platform calls, as far as its lines show; the build decides.

/// What is seen of the handler; lines are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handler {
    Class { line: usize, has_method: bool },
    Factory { line: usize },
    Missing,
}

/// The smallest module with a handler.
pub const SKELETON: &str = r#"from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response


class IncomingHandler(BaseHandler):
    def handle_request(self, request: Request) -> Response:
        return Response(200, {"content-type": "text/plain"}, b"Hello")
"#;

pub fn find_handler(source: &str) -> Handler {
    let defines = |line: &str, keyword: &str, name: &str| {
        line.strip_prefix(keyword)
            .and_then(|rest| rest.trim_start().strip_prefix(name))
            .is_some_and(|rest| rest.trim_start().starts_with(['(', ':']))
    };
    let mut factory = None;
    let mut class = None;
    let mut has_method = false;
    for (index, line) in source.lines().enumerate() {
        if defines(line, "class ", "IncomingHandler") {
            class = Some(index + 1);
        } else if defines(line, "def ", "init_incoming_handler") {
            factory = Some(index + 1);
        } else if class.is_some() && defines(line.trim_start(), "def ", "handle_request") {
            has_method = true;
        }
    }
    match (class, factory) {
        (Some(line), _) => Handler::Class { line, has_method },
        (None, Some(line)) => Handler::Factory { line },
        (None, None) => Handler::Missing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_handler_are_found() {
        assert_eq!(
            find_handler(SKELETON),
            Handler::Class {
                line: 4,
                has_method: true
            }
        );
        assert_eq!(
            find_handler("class IncomingHandler(B):\n    pass"),
            Handler::Class {
                line: 1,
                has_method: false
            }
        );
        assert_eq!(
            find_handler("\ndef init_incoming_handler():\n"),
            Handler::Factory { line: 2 }
        );
    }

    #[test]
    fn another_class_is_no_handler() {
        assert_eq!(
            find_handler("class IncomingHandlers(B):\n  def handle_request(self): ..."),
            Handler::Missing
        );
        assert_eq!(
            find_handler("# class IncomingHandler(B):"),
            Handler::Missing
        );
        assert_eq!(find_handler(""), Handler::Missing);
    }
}
