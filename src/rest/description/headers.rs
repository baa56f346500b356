//! Headers of answers in the document, and the conditional reads that an `ETag` allows.

use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{Components, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::failures::is_failure;

/// By name: what it says, its type, an example.
const HEADERS: [(&str, &str, Type, &str); 6] = [
    (
        "x-request-id",
        "The request's id in the server's log. One that the request brings (up to 64 letters, digits and `-_.`) is kept.",
        Type::String,
        "0199a0b4-8c11-7a20-8000-0123456789ff",
    ),
    (
        "Idempotent-Replayed",
        "`true` on an answer that was given before, to the same request with the same `Idempotency-Key`.",
        Type::String,
        "true",
    ),
    (
        "ETag",
        "For `If-Match`, which looks at its first part: what callers save. The second is of the whole answer, for `If-None-Match`.",
        Type::String,
        "\"3-9f86d081884c7d65\"",
    ),
    (
        "Link",
        "The address of the next part, with `rel=\"next\"`; absent at the end.",
        Type::String,
        "</api/workspaces?limit=2&cursor=d3MtNG1aazBReFQ>; rel=\"next\"",
    ),
    (
        "Location",
        "Where what was made or queued is found.",
        Type::String,
        "/api/v1/tasks/0199a0b4-7b7e-7cc0-8000-0123456789ab",
    ),
    (
        "Retry-After",
        "Seconds, after which the same request may be sent again; absent where that would not help.",
        Type::Integer,
        "1",
    ),
];

pub fn describe(components: &mut Components) {
    for (name, what, kind, example) in HEADERS {
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(kind));
        let number = example.parse::<u32>().map(serde_json::Value::from);
        let example = number.unwrap_or_else(|_| example.into());
        let header = HeaderBuilder::new()
            .description(Some(what))
            .schema(Some(schema))
            .example(Some(example));
        let header = RefOr::T(header.build());
        components.headers.insert(name.to_owned(), header);
    }
}

/// What its status and method bring to each answer.
pub fn add(method: &HttpMethod, operation: &mut Operation) {
    if *method == HttpMethod::Get && has_etag(operation) {
        add_if_none_match(operation);
    }
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else {
            continue;
        };
        let succeeds = status.starts_with('2');
        let is_made = matches!(status.as_str(), "201" | "202");
        let may_come_back = is_failure(response) && matches!(status.as_str(), "409" | "503");
        let names = [
            (true, "x-request-id"),
            (
                succeeds && *method == HttpMethod::Post,
                "Idempotent-Replayed",
            ),
            (is_made, "Location"),
            (may_come_back, "Retry-After"),
            // Which answers have these, their handlers say.
            (response.headers.contains_key("ETag"), "ETag"),
            (response.headers.contains_key("Link"), "Link"),
        ];
        for (_, name) in names.into_iter().filter(|(applies, _)| *applies) {
            let place = Ref::new(format!("#/components/headers/{name}"));
            response.headers.insert(name.to_owned(), RefOr::Ref(place));
        }
    }
}

fn has_etag(operation: &Operation) -> bool {
    let answer = operation.responses.responses.get("200");
    matches!(answer, Some(RefOr::T(Response { headers, .. })) if headers.contains_key("ETag"))
}

fn add_if_none_match(operation: &mut Operation) {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let parameter = ParameterBuilder::new()
        .name("If-None-Match")
        .parameter_in(ParameterIn::Header)
        .description(Some("The `ETag` of an answer that is there already: 304 without a body while nothing of it has changed."))
        .example(Some("\"3-9f86d081884c7d65\"".into()))
        .schema(Some(text))
        .build();
    let parameters = operation.parameters.get_or_insert_default();
    parameters.push(parameter.into());
    let known = ResponseBuilder::new()
        .description("Nothing has changed since the answer with this `ETag`.")
        .header("ETag", HeaderBuilder::new().build());
    let responses = &mut operation.responses.responses;
    responses.insert("304".to_owned(), known.build().into());
}
