//! The OpenAPI document: what the handlers' annotations say, and what holds for all of them.

mod examples;
mod failures;
mod headers;
pub mod parameters;
pub mod requests;

use utoipa::openapi::external_docs::ExternalDocsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{Components, InfoBuilder, LicenseBuilder, OpenApi, PathItem};

use examples::Examples;

const ABOUT: &str = "Turns a Python function into an HTTP endpoint: write, build to WebAssembly, deploy, invoke, watch. \
[The guide](/guide) has a journey from nothing to a rollback, and the rules that hold everywhere.

Paths below `/api/v1` speak snake_case, the others below `/api` camelCase. Times are ISO 8601 in Korean time. Every failure has the form of `Failure`; its message says what to do. \
Every POST takes an `Idempotency-Key`; functions and workspaces carry an `ETag` for `If-Match` and `If-None-Match`.";

/// In the order of work.
const TAGS: [(&str, &str); 8] = [
    (
        "workspaces",
        "Places for functions. A workspace's deletion takes everything in it along.",
    ),
    (
        "functions",
        "Settings and code. Saving changes what serves only as far as settings go; code is built and deployed first.",
    ),
    (
        "builds",
        "Tasks that make WebAssembly of Python and push it as an image. They run on their own: ask for a task until its status is final, or follow its events.",
    ),
    (
        "deployments",
        "Images under app names, which is where callers reach a function. The same name again replaces what serves without a failed request.",
    ),
    (
        "versions",
        "What each successful build made: to compare, to keep, to go back to, and to try on a share of the calls (canary).",
    ),
    (
        "executions",
        "Calls: to make them, to see what became of them, and to make recorded ones again. Every call is recorded, whoever made it.",
    ),
    (
        "spin apps",
        "Functions as Spin apps, to take them elsewhere or bring them here.",
    ),
    ("health", "Whether the server runs and can work."),
];

/// Adds what no handler has to say: who we are, the failures that its shape allows, headers and examples, the key that every POST takes.
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
    let guide = ExternalDocsBuilder::new()
        .url("/guide")
        .description(Some("The guide"));
    api.external_docs = Some(guide.build());
    let tag = |(name, about)| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    };
    api.tags = Some(TAGS.map(tag).into());
    let examples = Examples::read();
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            if method == HttpMethod::Post {
                add_key(operation);
            }
            failures::add(path, &method, operation);
            headers::add(&method, operation);
            examples.add(operation);
            operation.description = operation.description.as_deref().map(unwrapped);
        }
    }
    let components = api.components.get_or_insert_with(Components::new);
    failures::describe(components);
    headers::describe(components);
    api
}

/// The lines of each paragraph as one: some readers would break where the source does.
fn unwrapped(text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|lines| lines.replace('\n', " "))
        .collect();
    paragraphs.join("\n\n")
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

#[cfg(test)]
mod tests {
    use super::super::document;
    use serde_json::Value;
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

    /// Every operation with its method and path, as in `get /api/workspaces`.
    fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
        let paths = document["paths"].as_object().expect("paths");
        paths.iter().flat_map(|(path, item)| {
            let item = item.as_object().expect("operations");
            item.iter()
                .map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
    }

    fn list(value: &Value) -> impl Iterator<Item = &Value> {
        value.as_array().into_iter().flatten()
    }

    fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
        value.as_object().into_iter().flatten()
    }

    /// What a reference to a component stands for.
    fn found<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
        let place = value["$ref"].as_str();
        let place = place.and_then(|place| place.strip_prefix('#'));
        place.map_or(value, |place| document.pointer(place).expect("a component"))
    }

    #[test]
    fn nothing_is_without_a_description() {
        let document = serde_json::to_value(document()).expect("JSON");
        let says = |value: &Value| {
            value["description"]
                .as_str()
                .is_some_and(|text| !text.is_empty())
        };
        let mut tags = BTreeSet::new();
        for tag in list(&document["tags"]) {
            assert!(says(tag), "{tag}");
            tags.insert(tag["name"].as_str().expect("a name"));
        }
        let mut used = BTreeSet::new();
        for (name, operation) in operations(&document) {
            assert!(says(operation), "{name}");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!((1..=60).contains(&summary.len()), "{name}: {summary}");
            used.extend(list(&operation["tags"]).filter_map(Value::as_str));
            for parameter in list(&operation["parameters"]) {
                assert!(says(parameter), "{name}: {}", parameter["name"]);
            }
            for (status, response) in fields(&operation["responses"]) {
                assert!(says(response), "{name}: {status}");
                assert!(
                    response["headers"]["x-request-id"].is_object(),
                    "{name}: {status}"
                );
                for (header, described) in fields(&response["headers"]) {
                    assert!(
                        says(found(&document, described)),
                        "{name}: {status} {header}"
                    );
                }
            }
        }
        assert_eq!(used, tags);
    }

    /// Archives have none.
    fn is_archive(kind: &str) -> bool {
        kind == "application/zip"
    }

    #[test]
    fn every_body_has_an_example_that_its_schema_allows() {
        let document = serde_json::to_value(document()).expect("JSON");
        let check = |place: &str, kind: &str, content: &Value| {
            let named = fields(&content["examples"]);
            let named = named.map(|(_, example)| &found(&document, example)["value"]);
            let examples: Vec<&Value> = content.get("example").into_iter().chain(named).collect();
            assert!(!examples.is_empty() || is_archive(kind), "{place}: {kind}");
            let mut schema = content["schema"].clone();
            schema["components"] = document["components"].clone();
            let validator = jsonschema::validator_for(&schema).expect("a schema");
            for example in examples.iter().filter(|_| kind == "application/json") {
                let errors: Vec<String> = validator
                    .iter_errors(example)
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert!(errors.is_empty(), "{place}: {errors:?}");
            }
        };
        for (name, operation) in operations(&document) {
            for (kind, content) in fields(&operation["requestBody"]["content"]) {
                check(&format!("{name}: request"), kind, content);
            }
            for (status, response) in fields(&operation["responses"]) {
                for (kind, content) in fields(&response["content"]) {
                    check(&format!("{name}: {status}"), kind, content);
                }
            }
        }
    }
}
