//! Records of the first system (SPEC §5), read as ours: what they leave out is filled in, what they say in other words is understood. Nothing
//! is written here; [`super::adoption`] makes them findable.
//!
//! A record without a name is the rest of a function that was deleted while it was called. It stays unreadable, and so out of every list.

use serde_json::{Value, json};

use crate::model::deployment::AppName;
use crate::model::function::Code;
use crate::model::task::TaskStatus;
use crate::model::time::Timestamp;
use crate::port::keys::{EXECUTION_PREFIX, FUNCTION_PREFIX, METADATA, TASK_PREFIX};
use crate::port::store::{Item, Key};

/// A task that says for longer than this that it is under way was left behind: no task takes as long.
const LONGEST_TASK_SECONDS: i64 = 3_600;

/// Which of the kinds that the first system has a key belongs to, with the ids in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Workspace(&'a str),
    Function(&'a str, &'a str),
    Task(&'a str, &'a str),
    /// The function, and what follows the prefix of the sort key.
    Execution(&'a str, &'a str),
}

pub(super) fn kind(key: &Key) -> Option<Kind<'_>> {
    if let Some(workspace) = key.pk.strip_prefix("WS#") {
        return if key.sk == METADATA {
            Some(Kind::Workspace(workspace))
        } else if let Some(function) = key.sk.strip_prefix(FUNCTION_PREFIX) {
            Some(Kind::Function(workspace, function))
        } else {
            let task = key.sk.strip_prefix(TASK_PREFIX)?;
            Some(Kind::Task(workspace, task))
        };
    }
    let function = key.pk.strip_prefix("FN#")?;
    let rest = key.sk.strip_prefix(EXECUTION_PREFIX)?;
    Some(Kind::Execution(function, rest))
}

/// Makes a record of the first system one of ours; leaves ours as they are.
pub(super) fn complete(key: &Key, item: &mut Item) {
    match kind(key) {
        Some(Kind::Workspace(workspace)) => complete_workspace(workspace, item),
        Some(Kind::Function(workspace, function)) => complete_function(workspace, function, item),
        // Ours have these attributes in any case.
        Some(Kind::Task(workspace, task)) if !item.contains_key("fence") => {
            complete_task(workspace, task, item);
        }
        Some(Kind::Execution(function, rest)) if !item.contains_key("trigger") => {
            complete_execution(function, rest, item);
        }
        Some(Kind::Task(..) | Kind::Execution(..)) | None => {}
    }
}

fn complete_workspace(id: &str, item: &mut Item) {
    fill(item, "id", || id.into());
    read_time(item, "createdAt");
    fill(item, "createdAt", || {
        Timestamp::from_seconds(0).to_string().into()
    });
    read_number(item, "functionCount");
}

fn complete_function(workspace: &str, id: &str, item: &mut Item) {
    fill(item, "id", || id.into());
    fill(item, "workspaceId", || workspace.into());
    for name in ["lastModified", "lastDeployed", "createdAt", "updatedAt"] {
        read_time(item, name);
    }
    if !item.contains_key("lastModified") {
        let known = item.get("updatedAt").or_else(|| item.get("createdAt"));
        let known = known.cloned();
        fill(item, "lastModified", || {
            known.unwrap_or_else(|| Timestamp::from_seconds(0).to_string().into())
        });
    }
    for (name, least, most) in [("memory", 128, 1_024), ("timeout", 1, 900)] {
        read_number(item, name);
        // Its limits were others.
        if let Some(number) = item.get(name).and_then(Value::as_f64) {
            item.insert(name.to_owned(), json!((number as i64).clamp(least, most)));
        }
    }
    if item.get("invocationUrl").and_then(Value::as_str) == Some("") {
        item.remove("invocationUrl");
    }
    if let Some(Value::Object(variables)) = item.get_mut("environmentVariables") {
        for value in variables.values_mut() {
            if !value.is_string() {
                *value = value.to_string().into();
            }
        }
    }
    if let Some(text) = item.get("code").and_then(Value::as_str)
        && Code::from_base64(text).is_err()
        && let Ok(code) = Code::parse(text)
    {
        item.insert("code".to_owned(), code.to_base64().into());
    }
    if !item.contains_key("code") {
        // Where the first system's bucket has it.
        fill(item, "codeKey", || format!("{workspace}/{id}.py").into());
    }
    let status = item.get("status").and_then(Value::as_str);
    let status = status.map(str::to_ascii_lowercase);
    if status.as_deref() == Some("disabled") {
        fill(item, "disabled", || true.into());
    }
    if status.as_deref() == Some("failed") {
        fill(item, "failed", || true.into());
    }
}

fn complete_task(workspace: &str, id: &str, item: &mut Item) {
    fill(item, "task_id", || id.into());
    fill(item, "workspace_id", || workspace.into());
    for (name, other) in [("created_at", "updated_at"), ("updated_at", "created_at")] {
        read_time(item, name);
        read_time(item, other);
        let other = item.get(other).cloned();
        fill(item, name, || {
            other.unwrap_or_else(|| Timestamp::from_seconds(0).to_string().into())
        });
    }
    let named = item.get("app_name").and_then(Value::as_str);
    let app_name = named.and_then(AppName::from_text).map_or_else(
        || format!("app-{}", id.chars().take(8).collect::<String>()),
        |name| name.to_string(),
    );
    item.insert("app_name".to_owned(), app_name.into());
    let status = item.get("status").and_then(Value::as_str);
    let status = status.and_then(|word| TaskStatus::parse(word).ok());
    let updated = item.get("updated_at").and_then(Value::as_str);
    let updated = updated.and_then(|text| text.parse::<Timestamp>().ok());
    let old =
        updated.is_none_or(|at| Timestamp::now().seconds() - at.seconds() > LONGEST_TASK_SECONDS);
    if status.is_none_or(|status| !status.is_terminal() && old) {
        item.insert("status".to_owned(), TaskStatus::Failed.as_str().into());
        fill(item, "error_message", || {
            "The system that began this task never finished it. Build again.".into()
        });
    }
}

fn complete_execution(function: &str, rest: &str, item: &mut Item) {
    fill(item, "functionId", || function.into());
    let at = rest.split('#').next().unwrap_or_default();
    fill(item, "timestamp", || at.into());
    read_time(item, "timestamp");
    // Of what an id may hold: the time tells it from the others of its function.
    fill(item, "id", || {
        let id: String = at
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        format!("log-{id}").into()
    });
    for name in ["duration", "statusCode"] {
        read_number(item, name);
    }
    lower(item, "status");
    let failed = item.get("status").and_then(Value::as_str) == Some("error");
    fill(item, "status", || "success".into());
    fill(item, "statusCode", || if failed { 500 } else { 200 }.into());
    fill(item, "duration", || 0.into());
    match item.get("logs") {
        Some(Value::Array(_)) => {}
        Some(Value::String(text)) => {
            let lines: Vec<&str> = text.lines().collect();
            item.insert("logs".to_owned(), json!(lines));
        }
        _ => {
            item.insert("logs".to_owned(), json!([]));
        }
    }
    lower(item, "level");
    let level = item
        .get("level")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let level = match level {
        "info" | "warn" | "error" => level,
        "warning" => "warn",
        _ if failed => "error",
        _ => "info",
    };
    let level = level.to_owned();
    item.insert("level".to_owned(), level.into());
    // It had one way to call a function.
    fill(item, "trigger", || "invoke".into());
    fill(item, "method", || "POST".into());
    fill(item, "path", || "/".into());
    for (size, body) in [
        ("requestSize", "requestBody"),
        ("responseSize", "responseBody"),
    ] {
        let bytes = match item.get(body) {
            None => 0,
            Some(Value::String(text)) => text.len(),
            Some(other) => other.to_string().len(),
        };
        fill(item, size, || bytes.into());
    }
}

fn fill(item: &mut Item, name: &str, value: impl FnOnce() -> Value) {
    if !item.contains_key(name) {
        item.insert(name.to_owned(), value());
    }
}

fn lower(item: &mut Item, name: &str) {
    if let Some(Value::String(text)) = item.get_mut(name) {
        text.make_ascii_lowercase();
    }
}

/// A number that was written as a text; what is none is dropped.
fn read_number(item: &mut Item, name: &str) {
    if let Some(Value::String(text)) = item.get(name) {
        let read = serde_json::from_str::<serde_json::Number>(text.trim());
        match read {
            Ok(number) => item.insert(name.to_owned(), Value::Number(number)),
            Err(_) => item.remove(name),
        };
    }
}

/// A time without an offset is Korean; what is no time is dropped.
fn read_time(item: &mut Item, name: &str) {
    let Some(value) = item.get(name) else { return };
    let text = value
        .as_str()
        .unwrap_or_default()
        .trim()
        .replacen(' ', "T", 1);
    if text.parse::<Timestamp>().is_ok() {
        item.insert(name.to_owned(), text.into());
        return;
    }
    match format!("{text}+09:00").parse::<Timestamp>() {
        Ok(at) => item.insert(name.to_owned(), at.to_string().into()),
        Err(_) => item.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::keys;

    fn completed(pk: &str, sk: &str, value: Value) -> Value {
        let Value::Object(mut item) = value else {
            panic!("a map");
        };
        complete(&Key::new(pk, sk), &mut item);
        Value::Object(item)
    }

    #[test]
    fn keys_tell_what_a_record_is() {
        let workspace = "ws-1".parse().unwrap();
        let function = "fn-1".parse().unwrap();
        let task = "t-1".parse().unwrap();
        assert_eq!(
            kind(&keys::workspace(&workspace)),
            Some(Kind::Workspace("ws-1"))
        );
        assert_eq!(
            kind(&keys::function(&workspace, &function)),
            Some(Kind::Function("ws-1", "fn-1"))
        );
        assert_eq!(
            kind(&keys::task(&workspace, &task)),
            Some(Kind::Task("ws-1", "t-1"))
        );
        assert_eq!(kind(&keys::function_owner(&function)), None);
        assert_eq!(kind(&keys::function_task(&function, &task)), None);
        assert_eq!(kind(&keys::workspace_entry(&workspace)), None);
    }

    #[test]
    fn records_of_ours_are_left_alone() {
        for (pk, sk, ours) in [
            (
                "WS#w",
                "BUILD#t",
                json!({"fence": 0.0, "status": "building"}),
            ),
            ("FN#f", "LOG#2025", json!({"trigger": "http"})),
            ("QUEUE", "BUILD#t", json!({"status": "RUNNING"})),
        ] {
            assert_eq!(completed(pk, sk, ours.clone()), ours);
        }
    }

    #[test]
    fn a_task_that_was_left_behind_has_failed() {
        let at =
            |text: &str| json!({"status": "RUNNING", "app_name": "My App", "updated_at": text});
        let old = completed("WS#w", "BUILD#t", at("2025-12-03T10:00:00"));
        assert_eq!(old["status"], "failed");
        assert_eq!(old["app_name"], "my-app");
        assert_eq!(old["created_at"], "2025-12-03T10:00:00+09:00");
        let now = Timestamp::now().to_string();
        assert_eq!(completed("WS#w", "BUILD#t", at(&now))["status"], "RUNNING");
    }

    #[test]
    fn numbers_may_be_texts_and_times_without_an_offset() {
        let function = completed(
            "WS#w",
            "FN#f",
            json!({"name": "a", "memory": "2048", "timeout": 30, "status": "DISABLED", "lastModified": "2025-12-07 12:00:00.5", "environmentVariables": {"N": 1}}),
        );
        assert_eq!(function["memory"], 1_024);
        assert_eq!(function["disabled"], true);
        assert_eq!(function["lastModified"], "2025-12-07T12:00:00.500+09:00");
        assert_eq!(function["environmentVariables"]["N"], "1");
        assert_eq!(function["codeKey"], "w/f.py");
        let log = completed(
            "FN#f",
            "LOG#2025-12-07T12:00:00+09:00",
            json!({"status": "ERROR", "duration": "12.5", "logs": "a\nb"}),
        );
        assert_eq!(log["id"], "log-2025-12-07T12-00-00-09-00");
        assert_eq!(log["duration"], 12.5);
        assert_eq!(log["level"], "error");
        assert_eq!(log["logs"], json!(["a", "b"]));
    }
}
