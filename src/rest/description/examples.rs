//! Examples of answers in the document: one for each schema, and for each answer that is no JSON (`examples.json`). A test holds them to
//! their schemas.

use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ArrayItems, Schema};
use utoipa::openapi::{Content, RefOr};

use super::failures::is_failure;

const JSON: &str = "application/json";

/// By the names of schemas, and by those of operations and media types.
pub struct Examples(Value);

impl Examples {
    /// A file that cannot be read has none, which a test notices.
    pub fn read() -> Self {
        Self(serde_json::from_str(include_str!("examples.json")).unwrap_or_default())
    }

    /// What a handler says itself stays.
    pub fn add(&self, operation: &mut Operation) {
        let name = operation.operation_id.clone().unwrap_or_default();
        for response in operation.responses.responses.values_mut() {
            let RefOr::T(response) = response else {
                continue;
            };
            if is_failure(response) {
                continue;
            }
            for (kind, content) in &mut response.content {
                let RefOr::T(content) = content else {
                    continue;
                };
                let example = match kind.as_str() {
                    JSON => self.of_schema(content),
                    _ => self.0["texts"][&name].get(kind).cloned(),
                };
                content.example = content.example.take().or(example);
            }
        }
    }

    fn of_schema(&self, content: &Content) -> Option<Value> {
        let one = |reference: &utoipa::openapi::Ref| {
            let name = reference.ref_location.rsplit('/').next()?;
            self.0["schemas"].get(name).cloned()
        };
        match content.schema.as_ref()? {
            RefOr::Ref(reference) => one(reference),
            RefOr::T(Schema::Array(list)) => match &list.items {
                ArrayItems::RefOrSchema(item) => match &**item {
                    RefOr::Ref(reference) => Some(Value::from(vec![one(reference)?])),
                    RefOr::T(_) => None,
                },
                ArrayItems::False => None,
            },
            RefOr::T(_) => None,
        }
    }
}
