//! The OpenAPI document: what the handlers' annotations say, and what holds for all of them.

pub mod parameters;
pub mod requests;

use utoipa::PartialSchema as _;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{
    Components, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, PathItem, Ref,
    RefOr, ResponseBuilder,
};

use super::error::Envelope;

const FAILURE: &str = "Failure";

const ABOUT: &str = "Turns a Python function into an HTTP endpoint: write, build to WebAssembly, deploy, invoke, watch.

Paths below `/api/v1` speak snake_case, the others below `/api` camelCase. Times are ISO 8601 in Korean time. Every failure has the form of `Failure`; its message says what to do. \
Every POST takes an `Idempotency-Key`; functions and workspaces carry an `ETag` for `If-Match`. The guide is docs/API.md.";

/// Adds what no handler has to say: who we are, the failures that its shape allows, the key that every POST takes.
pub fn complete(mut api: OpenApi) -> OpenApi {
    api.info = InfoBuilder::new()
        .title("Blue FaaS")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(
            LicenseBuilder::new()
                .name("Apache-2.0")
                .identifier(Some("Apache-2.0"))
                .build(),
        ))
        .build();
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            if method == HttpMethod::Post {
                add_key(operation);
            }
            add_failures(path, &method, operation);
        }
    }
    let components = api.components.get_or_insert_with(Components::new);
    components
        .schemas
        .insert(FAILURE.to_owned(), Envelope::schema());
    api
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Delete, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn add_key(operation: &mut Operation) {
    let text = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .pattern(Some("^[!-~]{1,255}$"));
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("The same request with the same key has one effect and the same answer, for 24 hours. Another request with the key is 409."))
        .schema(Some(text))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(key.into());
}

fn has_if_match(operation: &Operation) -> bool {
    let is_one = |parameter: &RefOr<Parameter>| matches!(parameter, RefOr::T(parameter) if parameter.name == "If-Match");
    operation.parameters.iter().flatten().any(is_one)
}

/// Those that a request of this shape may meet; what a handler says itself stays.
fn add_failures(path: &str, method: &HttpMethod, operation: &mut Operation) {
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
        (has_body, 413, "`PAYLOAD_TOO_LARGE`"),
        (has_body, 415, "`UNSUPPORTED_MEDIA_TYPE`"),
        (
            true,
            500,
            "Something of ours failed; the message has the id of the log's entry.",
        ),
        (
            true,
            503,
            "Too much at once, or something else does not answer: come back later.",
        ),
    ];
    for (_, status, what) in failures.into_iter().filter(|(applies, ..)| *applies) {
        let responses = &mut operation.responses.responses;
        let known = responses.entry(status.to_string());
        known.or_insert_with(|| failure(status, what));
    }
}

fn failure(status: u16, what: &str) -> RefOr<utoipa::openapi::Response> {
    let schema = Ref::from_schema_name(FAILURE);
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let mut response = ResponseBuilder::new()
        .description(what)
        .content("application/json", content);
    if status == 503 {
        let seconds = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        let header = HeaderBuilder::new()
            .schema(Some(seconds))
            .description(Some("Seconds."));
        response = response.header("Retry-After", header.build());
    }
    response.build().into()
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use std::collections::BTreeSet;
    use std::path::Path;

    /// `make openapi` writes the file instead.
    #[test]
    fn docs_openapi_json_is_what_the_handlers_say() {
        let document = document().to_pretty_json().expect("JSON") + "\n";
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        if std::env::var_os("BLUE_FAAS_WRITE_OPENAPI").is_some() {
            std::fs::write(&file, &document).expect("the file can be written");
        }
        let written = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            written == document,
            "docs/openapi.json is not what the handlers say: run make openapi"
        );
    }

    #[test]
    fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
        let document = serde_json::to_value(document()).expect("JSON");
        assert_eq!(document["openapi"], "3.1.0");
        let mut names = BTreeSet::new();
        let paths = document["paths"].as_object().expect("paths");
        for (path, item) in paths {
            for (method, operation) in item.as_object().expect("operations") {
                let name = operation["operationId"].as_str().expect("a name");
                assert!(names.insert(name.to_owned()), "{name} twice");
                assert!(operation["summary"].is_string(), "{method} {path}");
                assert!(operation["tags"].is_array(), "{method} {path}");
                let codes = operation["responses"].as_object().expect("responses");
                let described = |code: &str| codes.contains_key(code);
                assert!(described("400") && described("500"), "{method} {path}");
                let has_key = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|parameter| parameter["name"] == "Idempotency-Key");
                assert_eq!(has_key, method == "post", "{method} {path}");
            }
        }
        assert!(names.len() > 45, "{names:?}");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let text = document().to_json().expect("JSON");
        let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for (at, _) in text.match_indices("\"$ref\":\"#") {
            let rest = &text[at + "\"$ref\":\"#".len()..];
            let pointer = rest.split('"').next().unwrap_or_default();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
