//! What the Builder Service answers, as far as it makes sense.

use serde::Deserialize;
use serde_json::Value;

use crate::adapter::builder_service::Secrets;
use crate::model::deployment::ImageRef;
use crate::model::task::TaskStatus;

/// Longest id and path that are kept.
const MAX_ID: usize = 128;
const MAX_PATH: usize = 1024;

/// To a request that begins a job.
#[derive(Debug, Deserialize)]
pub(super) struct Accepted {
    task_id: String,
    #[serde(default)]
    source_s3_path: Option<String>,
}

impl Accepted {
    /// An id goes into a path, so that only one that can stand there is one.
    pub(super) fn id(&self) -> Option<&str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let id = self.task_id.as_str();
        let fits = (1..=MAX_ID).contains(&id.len())
            && id.bytes().all(plain)
            && id.bytes().any(|byte| byte != b'.');
        fits.then_some(id)
    }

    pub(super) fn source_path(&self) -> Option<String> {
        path(self.source_s3_path.as_deref())
    }
}

/// To a question about a job.
#[derive(Debug, Deserialize)]
pub(super) struct Told {
    task_id: String,
    status: String,
    #[serde(default)]
    result: Option<Results>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
struct Results {
    #[serde(default)]
    wasm_path: Option<String>,
    #[serde(default)]
    image_url: Option<String>,
    #[serde(default)]
    image_uri: Option<String>,
}

/// What a job made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) wasm_path: Option<String>,
    pub(super) image_ref: Option<String>,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    UnderWay(TaskStatus),
    Done(Made),
    /// With what it said.
    Failed(String),
    /// A word that is not known: it may be one of a newer service, for something that goes on.
    Unknown(String),
    /// It cannot be so; the text says why.
    Contradiction(String),
}

impl Told {
    /// `image` is what the job's image is called where the service does not say; `None` for a job that makes none.
    pub(super) fn meaning(self, id: &str, image: Option<&str>, secrets: &Secrets) -> Meaning {
        if self.task_id != id {
            return Meaning::Contradiction("it answered for another job".to_owned());
        }
        let error = self.error.as_ref().and_then(|error| text(error, secrets));
        let Ok(status) = TaskStatus::parse(&self.status) else {
            let word: String = self.status.chars().take(32).collect();
            return Meaning::Unknown(secrets.clean(&word));
        };
        match (status, error) {
            (TaskStatus::Pending | TaskStatus::Building | TaskStatus::Pushing, _) => {
                Meaning::UnderWay(status)
            }
            (TaskStatus::Done, None) => made(self.result.unwrap_or_default(), image),
            (TaskStatus::Done, Some(error)) => {
                Meaning::Contradiction(format!("it says that the job is done, and: {error}"))
            }
            (TaskStatus::Failed, error) => {
                Meaning::Failed(error.unwrap_or_else(|| {
                    "The Builder Service failed and did not say why.".to_owned()
                }))
            }
            (TaskStatus::Cancelled, _) => {
                Meaning::Failed("The job was cancelled at the Builder Service.".to_owned())
            }
        }
    }
}

fn made(results: Results, image: Option<&str>) -> Meaning {
    let wasm_path = path(results.wasm_path.as_deref());
    let Some(image) = image else {
        return match wasm_path {
            Some(_) => Meaning::Done(Made {
                wasm_path,
                image_ref: None,
            }),
            None => Meaning::Contradiction(
                "it says that the job is done, and not what was made".to_owned(),
            ),
        };
    };
    let said = [results.image_url, results.image_uri];
    let said = said.into_iter().flatten().find(|name| !name.is_empty());
    let image_ref = said.unwrap_or_else(|| image.to_owned());
    match ImageRef::parse(&image_ref) {
        Ok(image_ref) => Meaning::Done(Made {
            wasm_path,
            image_ref: Some(image_ref.to_string()),
        }),
        Err(_) => Meaning::Contradiction("it names an image that cannot be one".to_owned()),
    }
}

/// An address of the service's, as it is passed on to callers and back.
fn path(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    let plain = !text.is_empty()
        && text.len() <= MAX_PATH
        && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    plain.then(|| text.to_owned())
}

/// An error as a text; empty ones are none.
fn text(error: &Value, secrets: &Secrets) -> Option<String> {
    let text = match error {
        Value::Null | Value::Bool(false) => return None,
        Value::String(text) => secrets.clean(text),
        other => secrets.clean(&other.to_string()),
    };
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
