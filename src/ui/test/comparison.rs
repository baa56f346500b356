//! Two answers to one request: what was recorded, and what a draft gives.

use leptos::prelude::*;

use crate::model::diff::diff_lines;
use crate::model::execution::Execution;
use crate::ui::editor::diff::diff_view;
use crate::ui::i18n::use_i18n;
use crate::ui::observe::body::body_text;
use crate::ui::widgets::notice::{Banner, Tone};

#[derive(Clone, Debug, PartialEq, Eq)]
struct Difference {
    /// Before and after.
    status: Option<(u16, u16)>,
    /// Bodies as texts, empty where there is none.
    body: Option<(String, String)>,
    /// Names of response headers with other values, in order.
    headers: Vec<String>,
}

impl Difference {
    fn between(before: &Execution, after: &Execution) -> Self {
        let status = (before.status_code, after.status_code);
        let body = [before, after].map(|run| {
            run.response_body
                .as_ref()
                .map(body_text)
                .unwrap_or_default()
        });
        let [old, new] = body;
        let lookup = |run: &Execution, name: &str| {
            let same = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
            let values = run.response_headers.iter().filter(same);
            values.map(|(_, value)| value.clone()).collect::<Vec<_>>()
        };
        let mut headers: Vec<String> = before
            .response_headers
            .iter()
            .chain(&after.response_headers)
            .map(|(name, _)| name.to_ascii_lowercase())
            // It follows from the body.
            .filter(|name| name != "content-length" && name != "date")
            .filter(|name| lookup(before, name) != lookup(after, name))
            .collect();
        headers.sort();
        headers.dedup();
        Self {
            status: (status.0 != status.1).then_some(status),
            body: (old != new).then_some((old, new)),
            headers,
        }
    }

    fn is_none(&self) -> bool {
        self.status.is_none() && self.body.is_none() && self.headers.is_empty()
    }
}

/// Says what a draft answers otherwise than the recorded call.
#[component]
pub fn Comparison(before: Execution, after: Signal<Option<Execution>>) -> impl IntoView {
    let words = &use_i18n().function.code;
    move || {
        let Some(after) = after.get() else {
            return view! { <p class="muted">{words.compare_waits}</p> }.into_any();
        };
        let found = Difference::between(&before, &after);
        if found.is_none() {
            return view! { <Banner>{words.compare_same}</Banner> }.into_any();
        }
        let status = found
            .status
            .map(|(before, after)| view! { <p>{(words.compare_status)(before, after)}</p> });
        let headers = (!found.headers.is_empty())
            .then(|| view! { <p>{(words.compare_headers)(&found.headers.join(", "))}</p> });
        let body = found.body.map(|(before, after)| {
            view! {
                <p>{words.compare_body}</p>
                {diff_view(&diff_lines(&before, &after))}
            }
        });
        view! { <Banner tone=Tone::Warn><div class="stack stack--s">{status} {headers} {body}</div></Banner> }
            .into_any()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn run(code: u16, body: Value, headers: &[(&str, &str)]) -> Execution {
        serde_json::from_value(json!({
            "id": "e-1", "functionId": "fn-1", "timestamp": "2026-11-20T14:02:11+09:00", "status": "success", "duration": 1.0, "statusCode": code,
            "responseBody": body, "logs": [], "level": "info", "trigger": "http", "method": "GET", "path": "/", "requestSize": 0, "responseSize": 0,
            "responseHeaders": headers
        }))
        .expect("an execution")
    }

    #[test]
    fn equal_answers_differ_in_nothing() {
        let before = run(
            200,
            json!({"a": 1}),
            &[("Content-Type", "text/plain"), ("date", "x")],
        );
        let after = run(
            200,
            json!({"a": 1}),
            &[("content-type", "text/plain"), ("date", "y")],
        );
        assert!(Difference::between(&before, &after).is_none());
    }

    #[test]
    fn each_difference_is_named() {
        let before = run(200, json!("a"), &[("x-a", "1"), ("content-length", "1")]);
        let after = run(500, json!("b"), &[("x-b", "1"), ("content-length", "2")]);
        let found = Difference::between(&before, &after);
        assert_eq!(found.status, Some((200, 500)));
        assert_eq!(found.body, Some(("a".to_owned(), "b".to_owned())));
        assert_eq!(found.headers, ["x-a", "x-b"]);
    }
}
