//! Two answers to one request: what was recorded, and what another version or a draft gives.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::diff::{Side, diff_lines};
use super::execution::{Execution, MAX_BODY_PREVIEW, body_text};

/// Response headers that every answer may have otherwise: when it was made, and what follows from the body.
const UNCOMPARED: [&str; 2] = ["content-length", "date"];

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change<T> {
    pub before: T,
    pub after: T,
}

impl<T: PartialEq> Change<T> {
    fn between(before: T, after: T) -> Option<Self> {
        (before != after).then_some(Self { before, after })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeaderChange {
    /// In lower case.
    pub name: String,
    /// One header may come several times, or not at all.
    #[serde(flatten)]
    pub values: Change<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyLine {
    pub side: Side,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BodyChange {
    /// Bytes.
    pub size: Change<u64>,
    /// Of the texts that were kept, JSON indented; empty where these are equal and the sizes are not.
    pub lines: Vec<BodyLine>,
}

/// What one answer has otherwise than another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Differences {
    pub status: Option<Change<u16>>,
    /// By name.
    pub headers: Vec<HeaderChange>,
    pub body: Option<BodyChange>,
    /// Not all of the bodies was kept: only what was, and their sizes, were compared.
    pub incomplete: bool,
}

impl Differences {
    /// JSON is compared by its value, other bodies as texts; the reason why there is no answer stands for its body.
    pub fn between(before: &Execution, after: &Execution) -> Self {
        let incomplete = [before, after].into_iter().any(is_incomplete);
        let size = Change {
            before: before.response_size,
            after: after.response_size,
        };
        let (old, new) = (answer_text(before), answer_text(after));
        let differ = old != new || (incomplete && size.before != size.after);
        let lines = || {
            let line = |(side, text): (Side, &str)| BodyLine {
                side,
                text: text.to_owned(),
            };
            diff_lines(&old, &new).into_iter().map(line).collect()
        };
        Self {
            status: Change::between(before.status_code, after.status_code),
            headers: header_changes(before, after),
            body: differ.then(|| BodyChange {
                size,
                lines: lines(),
            }),
            incomplete,
        }
    }

    /// How many things differ: the status, each header, the body.
    pub fn count(&self) -> usize {
        usize::from(self.status.is_some()) + self.headers.len() + usize::from(self.body.is_some())
    }
}

/// Whether the body is kept as it came: not a preview, and nothing in place of bytes that are no text.
fn is_incomplete(run: &Execution) -> bool {
    let text = run.response_body.as_ref().and_then(|body| body.as_str());
    run.response_size > MAX_BODY_PREVIEW as u64
        || text.is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER))
}

fn answer_text(run: &Execution) -> String {
    match (&run.response_body, &run.error) {
        (Some(body), _) => body_text(body),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    }
}

fn header_changes(before: &Execution, after: &Execution) -> Vec<HeaderChange> {
    let values = |run: &Execution, name: &str| -> Vec<String> {
        let same = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
        let values = run.response_headers.iter().filter(same);
        values.map(|(_, value)| value.clone()).collect()
    };
    let both = before
        .response_headers
        .iter()
        .chain(&after.response_headers);
    let mut names: Vec<String> = both.map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !UNCOMPARED.contains(&name.as_str()));
    let change = |name: String| {
        let values = Change::between(values(before, &name), values(after, &name))?;
        Some(HeaderChange { name, values })
    };
    names.into_iter().filter_map(change).collect()
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
            json!({"a": 1, "b": [2]}),
            &[("Content-Type", "text/plain"), ("date", "x")],
        );
        let mut after = run(
            200,
            json!({"b": [2], "a": 1}),
            &[("content-type", "text/plain"), ("date", "y")],
        );
        // Another way of writing the same JSON.
        after.response_size = 9;
        assert_eq!(Differences::between(&before, &after).count(), 0);
    }

    #[test]
    fn each_difference_is_named() {
        let before = run(200, json!("a\nb"), &[("x-a", "1"), ("content-length", "1")]);
        let after = run(500, json!("a\nc"), &[("x-b", "1"), ("content-length", "2")]);
        let found = Differences::between(&before, &after);
        assert_eq!(found.count(), 4);
        let told = serde_json::to_value(&found).expect("JSON");
        assert_eq!(told["status"], json!({"before": 200, "after": 500}));
        assert_eq!(
            told["headers"],
            json!([{"name": "x-a", "before": ["1"], "after": []}, {"name": "x-b", "before": [], "after": ["1"]}])
        );
        assert_eq!(
            told["body"]["lines"],
            json!([{"side": "context", "text": "a"}, {"side": "removed", "text": "b"}, {"side": "added", "text": "c"}])
        );
    }

    #[test]
    fn bodies_of_which_only_the_beginning_was_kept_differ_by_their_size() {
        let mut before = run(200, json!("a"), &[]);
        before.response_size = MAX_BODY_PREVIEW as u64 + 1;
        let mut after = before.clone();
        let same = Differences::between(&before, &after);
        assert!(same.incomplete && same.count() == 0);
        after.response_size += 1;
        let found = Differences::between(&before, &after);
        assert_eq!(found.body.map(|body| body.lines), Some(Vec::new()));
    }

    #[test]
    fn two_ways_to_fail_are_told_apart() {
        let mut before = run(502, Value::Null, &[]);
        before.error = Some("out of memory".to_owned());
        let mut after = before.clone();
        assert_eq!(Differences::between(&before, &after).count(), 0);
        after.error = Some("trapped".to_owned());
        assert_eq!(Differences::between(&before, &after).count(), 1);
    }
}
