//! Failures in the document: those that a request of its shape may meet, and what each looks like.

use serde_json::json;
use utoipa::PartialSchema as _;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter};
use utoipa::openapi::{Components, Content, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::rest::error::Envelope;

const FAILURE: &str = "Failure";
const JSON: &str = "application/json";

/// By code: a message, and the input that it is about.
const EXAMPLES: [(&str, &str, Option<&str>); 19] = [
    (
        "VALIDATION_ERROR",
        "Choose a memory between 128 and 1024 MB.",
        Some("memory"),
    ),
    (
        "NOT_DEPLOYED",
        "This function is not deployed yet. Build and deploy it first. (execution 0199a0b4-7b7e-7cc0-8000-0123456789ad)",
        None,
    ),
    (
        "FORBIDDEN",
        "This change was asked for by another site's page. Make it in the console, or list the origin in CORS_ORIGINS.",
        Some("Origin"),
    ),
    (
        "NOT_FOUND",
        "There is no function \"fn-9aBc12De\". It may have been deleted; check the id.",
        None,
    ),
    (
        "CONFLICT",
        "The app name approve-payment belongs to another function. Choose another name.",
        Some("app_name"),
    ),
    (
        "FUNCTION_DISABLED",
        "This function is disabled. Enable it first: PATCH it with status active.",
        None,
    ),
    (
        "PRECONDITION_FAILED",
        "Someone else saved in the meantime. Reload to see their change, then save yours again.",
        None,
    ),
    (
        "PAYLOAD_TOO_LARGE",
        "The body is larger than this path takes.",
        None,
    ),
    (
        "UNSUPPORTED_MEDIA_TYPE",
        "Send a JSON object with its type; with curl: -H 'content-type: application/json' -d '{…}'.",
        None,
    ),
    (
        "INTERNAL_ERROR",
        "Something went wrong on our side. Try again; the server's log has the details under 0199a0b4-8c11-7a20-8000-0123456789ff.",
        None,
    ),
    (
        "EXECUTION_ERROR",
        "The function failed: ValueError: no amount (execution 0199a0b4-7b7e-7cc0-8000-0123456789ad)",
        None,
    ),
    (
        "DEPLOY_ERROR",
        "The Builder Service refused: the image could not be pulled.",
        None,
    ),
    (
        "FUNCTION_ERROR",
        "The function ended without an answer. Its executions show why.",
        None,
    ),
    (
        "INVOCATION_ERROR",
        "The function could not be reached. (execution 0199a0b4-7b7e-7cc0-8000-0123456789ad)",
        None,
    ),
    (
        "OVERLOADED",
        "Many functions are being called. Try again in a moment.",
        None,
    ),
    (
        "PLATFORM_CONNECTION_ERROR",
        "The cluster does not answer. Try again in a moment.",
        None,
    ),
    (
        "LOKI_CONNECTION_ERROR",
        "Loki does not answer. Try again later, or check LOKI_SERVICE_URL.",
        None,
    ),
    (
        "PROMETHEUS_CONNECTION_ERROR",
        "Prometheus does not answer. Try again later, or check PROMETHEUS_SERVICE_URL.",
        None,
    ),
    (
        "TIMEOUT",
        "No answer came within 30 seconds. Look at what became of it before you send it again.",
        None,
    ),
];

/// The form of all of them, and an example of each code.
pub fn describe(components: &mut Components) {
    let schemas = &mut components.schemas;
    schemas.insert(FAILURE.to_owned(), Envelope::schema());
    for (code, message, field) in EXAMPLES {
        let mut failure = json!({"error": {"code": code, "message": message}});
        if let Some(field) = field {
            failure["error"]["details"] = json!({"field": field});
        }
        let example = ExampleBuilder::new().value(Some(failure)).build();
        components.examples.insert(code.to_owned(), example.into());
    }
}

/// Those that a request of this shape may meet; what a handler says itself stays.
pub fn add(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let writes = *method != HttpMethod::Get;
    let has_body = operation.request_body.is_some();
    let failures = [
        (
            true,
            400,
            "`VALIDATION_ERROR`: `details.field` names what is wrong.",
        ),
        (
            true,
            403,
            "`FORBIDDEN`: asked for under another name, or by another site's page.",
        ),
        (
            path.contains('{'),
            404,
            "`NOT_FOUND`: there is no such thing, or no longer.",
        ),
        (
            writes,
            409,
            "`CONFLICT`: something else is under way or stands there already.",
        ),
        (
            has_if_match(operation),
            412,
            "`PRECONDITION_FAILED`: changed by someone else in the meantime.",
        ),
        (
            has_body,
            413,
            "`PAYLOAD_TOO_LARGE`: send less; the server's settings say how much it takes.",
        ),
        (
            has_body,
            415,
            "`UNSUPPORTED_MEDIA_TYPE`: another type than this path takes, or compressed.",
        ),
        (
            true,
            500,
            "`INTERNAL_ERROR`, or another `…_ERROR`: something of ours failed; the message has the id of the log's entry.",
        ),
        (
            true,
            503,
            "`OVERLOADED`: too much at once, or something else does not answer. Come back later.",
        ),
    ];
    let responses = &mut operation.responses.responses;
    for (_, status, what) in failures.into_iter().filter(|(applies, ..)| *applies) {
        let known = responses.entry(status.to_string());
        known.or_insert_with(|| failure(what));
    }
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            show(response);
        }
    }
}

fn has_if_match(operation: &Operation) -> bool {
    let is_one = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == "If-Match");
    operation.parameters.iter().flatten().any(is_one)
}

fn failure(what: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name(FAILURE);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response = ResponseBuilder::new().description(what);
    response.content(JSON, content).build().into()
}

/// Whether this is one.
pub fn is_failure(response: &Response) -> bool {
    let failure = Ref::from_schema_name(FAILURE);
    let content = response.content.get(JSON);
    matches!(content, Some(RefOr::T(Content { schema: Some(RefOr::Ref(schema)), .. })) if *schema == failure)
}

/// Shows a failure by the codes that its description names.
fn show(response: &mut Response) {
    if !is_failure(response) {
        return;
    }
    let named = EXAMPLES.iter().map(|(code, ..)| *code);
    let named = named.filter(|code| response.description.contains(&format!("`{code}`")));
    let examples = named.map(|code| {
        let place = Ref::new(format!("#/components/examples/{code}"));
        (code.to_owned(), RefOr::Ref(place))
    });
    let examples = examples.collect();
    if let Some(RefOr::T(content)) = response.content.get_mut(JSON) {
        content.examples = examples;
    }
}
