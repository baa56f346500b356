//! Calls of functions and their records

use axum::body::Bytes;
use axum::extract::{FromRequest as _, OriginalUri, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use base64::Engine as _;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

use super::answers::{Answer, Answers};
use super::completed;
use super::description::parameters::{
    ExecutionPath, FunctionPath, LastEventId, LimitTo500, LimitTo1000, LogsQuery,
    WorkspaceFunctionPath, WorkspacePath,
};
use super::description::requests::{RunDraftRequest, TestFunctionRequest};
use super::error::{Envelope, ErrorResponse, Result};
use super::extract::{self, ExecutionIds, Fields, Id, Ids, Parameters};
use super::functions::ids_of;
use super::live::{FollowedExecutions, Streams, last_event_id, wants_events};
use crate::model::error::{self, Error, ErrorKind};
use crate::model::execution::{Execution, ExecutionFilter, ExecutionPage};
use crate::model::function::{Code, HttpMethod};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::functions::Draft;
use crate::service::invocations::{TestRequest, too_large};

#[derive(Serialize, ToSchema)]
pub struct LogsResponse {
    logs: Vec<Execution>,
    /// Rows in this answer.
    total: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl From<ExecutionPage> for LogsResponse {
    fn from(page: ExecutionPage) -> Self {
        Self {
            total: page.executions.len(),
            logs: page.executions,
            next: page.next,
        }
    }
}

fn filter(parameters: &Parameters) -> std::result::Result<ExecutionFilter, Error> {
    let time = |name: &str| {
        parameters
            .text(name)
            .map(|text| text.parse().map_err(|error: Error| error.with_field(name)))
            .transpose()
    };
    Ok(ExecutionFilter {
        status: parameters.word("status", "success or error")?,
        code: parameters.parsed("code", "an HTTP status code")?,
        trigger: parameters.word("trigger", "http, invoke, test, draft or replay")?,
        from: time("from")?,
        to: time("to")?,
        q: parameters.text("q").map(ToOwned::to_owned),
        limit: parameters.limit()?,
        cursor: parameters.text("cursor").map(ToOwned::to_owned),
    })
}

/// With a `Link` to the next page.
fn answer(page: ExecutionPage, path: &str, parameters: &Parameters) -> error::Result<Answer> {
    let link = parameters.link(path, page.next.as_deref());
    Answer::json(&LogsResponse::from(page), link)
}

/// Executions of a function.
///
/// Calls that were recorded, newest first, with their output; the filters choose among them, and `next` leads on. With `Accept:
/// text/event-stream` it is a stream from now on: an event `execution` each, with the id of the newest until then. Send the last id as
/// `Last-Event-ID` to go on after a break.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}/logs", operation_id = "list_executions", tag = "executions",
    params(WorkspaceFunctionPath, LogsQuery, LimitTo1000, LastEventId),
    responses((status = 200, description = "A page, newest first; with `Accept: text/event-stream` an event `execution` for each that is recorded", content(
            (LogsResponse = "application/json"),
            (String = "text/event-stream"),
        ), headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    Extension(answers): Extension<Arc<Answers>>,
    Extension(streams): Extension<Streams>,
    OriginalUri(uri): OriginalUri,
    ids: Ids,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response> {
    let filter = filter(&parameters)?;
    if wants_events(&headers) {
        let last = last_event_id(&headers);
        let (workspace, function) = (ids.workspace, Some(ids.function));
        let followed = FollowedExecutions::new(services, workspace, function, filter, last);
        return Ok(streams.events(followed).await?);
    }
    let executions = &services.executions;
    let stamp = executions.list_stamp(&ids.workspace, &ids.function);
    let list = async {
        let page = executions
            .list(&Actor::anonymous(), &ids.workspace, &ids.function, &filter)
            .await?;
        let path = format!(
            "/api/workspaces/{}/functions/{}/logs",
            ids.workspace, ids.function
        );
        answer(page, &path, &parameters)
    };
    let answer = answers.get(&uri, stamp, list).await?;
    Ok(answer.into_response())
}

/// One execution.
///
/// By its id, which calls of the API answer, errors name and lists have.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/functions/{fn}/executions/{id}", operation_id = "get_execution", tag = "executions",
    params(ExecutionPath),
    responses((status = 200, description = "As it was recorded", body = Execution)),
)]
pub async fn read(State(services): State<Services>, ids: ExecutionIds) -> Result<Json<Execution>> {
    let (executions, actor) = (&services.executions, Actor::anonymous());
    let found = executions.get(&actor, &ids.workspace, &ids.function, &ids.execution);
    Ok(Json(found.await?))
}

/// Executions of a function, by its id alone.
///
/// As `GET /api/workspaces/{ws}/functions/{fn}/logs`, for who does not know the workspace; events as well.
#[utoipa::path(
    get, path = "/api/functions/{fn}/logs", operation_id = "list_executions_by_id", tag = "executions",
    params(FunctionPath, LogsQuery, LimitTo1000, LastEventId),
    responses((status = 200, description = "A page, newest first; with `Accept: text/event-stream` an event `execution` for each that is recorded", content(
            (LogsResponse = "application/json"),
            (String = "text/event-stream"),
        ), headers(("Link")))),
)]
pub async fn list_by_id(
    state: State<Services>,
    answers: Extension<Arc<Answers>>,
    streams: Extension<Streams>,
    uri: OriginalUri,
    Id(function): Id<FunctionId>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response> {
    let ids = ids_of(&state, function).await?;
    list(state, answers, streams, uri, ids, headers, parameters).await
}

/// Executions of all functions of a workspace.
///
/// What was called in the workspace, newest first, with the same filters and events as one function's list.
#[utoipa::path(
    get, path = "/api/workspaces/{ws}/logs", operation_id = "list_workspace_executions", tag = "executions",
    params(WorkspacePath, LogsQuery, LimitTo500, LastEventId),
    responses((status = 200, description = "A page, newest first; with `Accept: text/event-stream` an event `execution` for each that is recorded", content(
            (LogsResponse = "application/json"),
            (String = "text/event-stream"),
        ), headers(("Link")))),
)]
pub async fn list_of_workspace(
    State(services): State<Services>,
    Extension(streams): Extension<Streams>,
    Id(workspace): Id<WorkspaceId>,
    headers: HeaderMap,
    parameters: Parameters,
) -> Result<Response> {
    let filter = filter(&parameters)?;
    if wants_events(&headers) {
        let last = last_event_id(&headers);
        let followed = FollowedExecutions::new(services, workspace, None, filter, last);
        return Ok(streams.events(followed).await?);
    }
    let page = services
        .executions
        .list_workspace(&Actor::anonymous(), &workspace, &filter)
        .await?;
    let path = format!("/api/workspaces/{workspace}/logs");
    Ok(answer(page, &path, &parameters)?.into_response())
}

/// Call a function by POST, whatever its methods.
///
/// Sends the body to what serves, or to the `invocationUrl`, and answers the recorded execution with the function's answer in it. A
/// function's own status is in `statusCode`; this answer fails only where the function did not answer, and that is recorded too.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/{fn}/invoke", operation_id = "invoke_function", tag = "executions",
    params(WorkspaceFunctionPath),
    request_body(content = Option<serde_json::Value>, description = "Any JSON, or nothing", example = json!({"amount": 1200})),
    responses(
        (status = 200, description = "What it answered", body = Execution),
        (status = 400, description = "`NOT_DEPLOYED`, or `VALIDATION_ERROR`", body = Envelope),
        (status = 409, description = "`FUNCTION_DISABLED`, or `CONFLICT`", body = Envelope),
        (status = 500, description = "`EXECUTION_ERROR`: the function failed; it is recorded.", body = Envelope),
        (status = 502, description = "`FUNCTION_ERROR`: the function ended without an answer. Its executions show why.", body = Envelope),
        (status = 503, description = "`INVOCATION_ERROR`: it could not be reached. `OVERLOADED`: come back later.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: it took longer than its timeout.", body = Envelope),
    ),
)]
pub async fn invoke(
    State(services): State<Services>,
    ids: Ids,
    request: Request,
) -> Result<Response> {
    let max_body = services.invocations.max_body();
    let body = extract::body(request, &())
        .await
        .map_err(|refused| of_call(refused, max_body))?;
    if !body.is_empty() {
        serde_json::from_slice::<serde::de::IgnoredAny>(&body).map_err(|cause| {
            Error::validation("body", format!("Send JSON, or nothing: {cause}."))
        })?;
    }
    let invoked = services
        .invocations
        .invoke(&Actor::anonymous(), &ids.workspace, &ids.function, body)
        .await?;
    Ok(completed::to_response(invoked))
}

/// A call's body is longer than those that are passed on, whatever this path takes.
fn of_call(refused: ErrorResponse, max_body: usize) -> ErrorResponse {
    match refused.0.kind {
        ErrorKind::PayloadTooLarge => too_large(max_body).into(),
        _ => refused,
    }
}

/// Call a function with any request.
///
/// Sends the request that the body describes, with any method, path, query and headers, to what serves, and answers the recorded execution.
/// It is counted among the function's calls.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/{fn}/test", operation_id = "test_function", tag = "executions",
    params(WorkspaceFunctionPath),
    request_body(content = TestFunctionRequest, example = json!({"method": "GET", "path": "/orders/7", "headers": {"accept": "application/json"}})),
    responses(
        (status = 200, description = "What it answered, or why it did not", body = Execution),
        (status = 400, description = "`NOT_DEPLOYED`, or `VALIDATION_ERROR`", body = Envelope),
        (status = 409, description = "`FUNCTION_DISABLED`, or `CONFLICT`", body = Envelope),
        (status = 502, description = "`FUNCTION_ERROR`: the function ended without an answer. Its executions show why.", body = Envelope),
        (status = 503, description = "`INVOCATION_ERROR`: it could not be reached. `OVERLOADED`: come back later.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: it took longer than its timeout.", body = Envelope),
    ),
)]
pub async fn test(
    State(services): State<Services>,
    ids: Ids,
    request: Request,
) -> Result<Response> {
    let max_body = services.invocations.max_body();
    let fields = Fields::from_request(request, &())
        .await
        .map_err(|refused| of_call(refused, max_body))?;
    let request = test_request(&fields)?;
    let tested = services
        .invocations
        .test(&Actor::anonymous(), &ids.workspace, &ids.function, request)
        .await?;
    Ok(completed::to_response(tested))
}

/// Run code that is not saved.
///
/// Runs code that is sent along on the function's settings and values, beside what serves: nothing is saved, and it is not counted.
/// Executions of drafts are listed by `trigger=draft` alone. What it does to key-values and other servers, it does. Code that cannot be
/// loaded is refused with the reason; it may still deploy.
#[utoipa::path(
    post, path = "/api/workspaces/{ws}/functions/{fn}/draft", operation_id = "run_draft", tag = "executions",
    params(WorkspaceFunctionPath),
    request_body(content = RunDraftRequest, example = json!({"code": "ZnJvbSBzcGluX3Nkay5odHRwIGltcG9ydCBJbmNvbWluZ0hhbmRsZXIgYXMgQmFzZSwgUmVxdWVzdCwgUmVzcG9uc2UKCmNsYXNzIEluY29taW5nSGFuZGxlcihCYXNlKToKICAgIGRlZiBoYW5kbGVfcmVxdWVzdChzZWxmLCByZXF1ZXN0OiBSZXF1ZXN0KSAtPiBSZXNwb25zZToKICAgICAgICByZXR1cm4gUmVzcG9uc2UoMjAwLCB7ImNvbnRlbnQtdHlwZSI6ICJ0ZXh0L3BsYWluIn0sIGIiSGVsbG8iKQo=", "request": {"method": "GET", "path": "/orders/7"}})),
    responses(
        (status = 200, description = "What it answered, or why it did not", body = Execution),
        (status = 502, description = "`FUNCTION_ERROR`: the function ended without an answer. Its executions show why.", body = Envelope),
        (status = 503, description = "`INVOCATION_ERROR`: it could not be reached. `OVERLOADED`: come back later.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: it took longer than its timeout.", body = Envelope),
    ),
)]
pub async fn draft(State(services): State<Services>, ids: Ids, fields: Fields) -> Result<Response> {
    let draft = draft_of(&fields)?.ok_or_else(no_draft)?;
    let request = test_request(&fields.object("request")?.unwrap_or_default())?;
    let ran = services
        .invocations
        .run_draft(
            &Actor::anonymous(),
            &ids.workspace,
            &ids.function,
            draft,
            request,
        )
        .await?;
    Ok(completed::to_response(ran))
}

/// The draft that a request brings, when it brings one.
pub(super) fn draft_of(fields: &Fields) -> std::result::Result<Option<Draft>, Error> {
    match (fields.text("code")?, fields.map("files")?) {
        (None, None) => Ok(None),
        (Some(code), None) => Ok(Some(Draft::Code(Code::from_base64(code)?))),
        (None, Some(files)) => Ok(Some(Draft::Files(draft_files(files)?))),
        (Some(_), Some(_)) => Err(no_draft()),
    }
}

fn no_draft() -> Error {
    Error::validation(
        "code",
        "Send code (Base64 of one module), or files (Base64 by path).",
    )
}

fn draft_files(
    files: Vec<(String, String)>,
) -> std::result::Result<BTreeMap<String, Bytes>, Error> {
    let decode = |(path, content): (String, String)| {
        let content = base64::engine::general_purpose::STANDARD
            .decode(content)
            .map_err(|_| Error::validation("files", "A file's content is not Base64."))?;
        Ok((path, Bytes::from(content)))
    };
    files.into_iter().map(decode).collect()
}

fn test_request(fields: &Fields) -> std::result::Result<TestRequest, Error> {
    let method = HttpMethod::parse(fields.text("method")?.unwrap_or("GET"))
        .map_err(|error| error.with_field("method"))?;
    Ok(TestRequest {
        method: Method::from_bytes(method.as_str().as_bytes()).unwrap_or(Method::GET),
        path: fields.text("path")?.unwrap_or("/").to_owned(),
        query: fields.text("query")?.unwrap_or_default().to_owned(),
        headers: test_headers(fields)?,
        body: test_body(fields)?,
    })
}

fn test_headers(fields: &Fields) -> std::result::Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in fields.map("headers")?.unwrap_or_default() {
        let wrong = || {
            Error::validation(
                "headers",
                format!(
                    "\"{}\" cannot be a header.",
                    name.chars().take(80).collect::<String>()
                ),
            )
        };
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?,
            HeaderValue::from_str(&value).map_err(|_| wrong())?,
        );
    }
    Ok(headers)
}

/// A text as it is, other JSON serialized; `bodyEncoding: "base64"` for bytes.
fn test_body(fields: &Fields) -> std::result::Result<Bytes, Error> {
    let is_base64 = match fields.text("bodyEncoding")? {
        None | Some("text" | "utf8" | "json") => false,
        Some("base64") => true,
        Some(_) => return Err(Error::validation("bodyEncoding", "Use text or base64.")),
    };
    Ok(match fields.json("body") {
        None => Bytes::new(),
        Some(serde_json::Value::String(text)) if is_base64 => {
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|_| Error::validation("body", "The body is not Base64."))?
                .into()
        }
        Some(serde_json::Value::String(text)) => text.clone().into(),
        Some(json) => json.to_string().into(),
    })
}
