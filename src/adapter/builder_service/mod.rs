//! How adapters ask the Builder Service: bounded in time and size, and with errors that say what may have happened. No adapter itself.

mod answer;
mod hint;
mod secrets;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

pub use hint::{explain, hint};
pub use secrets::Secrets;

/// Of everything that is only asked, not done.
const ASK: Duration = Duration::from_secs(10);
/// A builder that is there accepts a connection in milliseconds.
const CONNECT: Duration = Duration::from_secs(5);

/// Why there is no answer, by what the caller may conclude.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// It understood and will not: what it said, in full. Nothing happened.
    #[error("{detail}")]
    Refused { status: u16, detail: String },
    /// It was not reached, or says that it cannot work now. The same request may be sent again.
    #[error("{0}")]
    Unavailable(String),
    /// It was asked and there is no readable answer: what was asked for may have taken effect.
    #[error("{0}")]
    Unclear(String),
}

/// A file to send, with the texts of the form around it. A field `password` is kept out of every error.
#[derive(Clone, Debug)]
pub struct Upload {
    pub file_name: String,
    pub content: Bytes,
    pub texts: Vec<(&'static str, String)>,
}

pub struct BuilderService {
    client: reqwest::Client,
    base: reqwest::Url,
}

impl BuilderService {
    /// `url` was checked to be one when the settings were read.
    pub fn new(url: &str) -> Result<Self, String> {
        let client = super::http_client::builder()
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| error.to_string())?;
        // A base with a path keeps it only when that ends with a slash.
        let base = format!("{}/", url.trim_end_matches('/'));
        let base = reqwest::Url::parse(&base)
            .map_err(|error| format!("BUILDER_SERVICE_URL: this is not an address: {error}"))?;
        Ok(Self { client, base })
    }

    /// `path` is relative, as in `api/v1/deploy`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<T, ServiceError> {
        let body = serde_json::to_value(body).map_err(|error| unsendable(&error))?;
        let text = |name: &str| body.get(name).and_then(serde_json::Value::as_str);
        let secrets = self.secrets(text("username"), text("password"));
        let request = self.client.post(self.url(path)?).json(&body);
        answer::of(request.timeout(timeout), &secrets).await
    }

    /// `secrets` are those that its answer may repeat: of earlier requests, and [`Self::secrets`].
    pub async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        secrets: &Secrets,
    ) -> Result<T, ServiceError> {
        let mut url = self.url(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.get(url).timeout(ASK);
        answer::of(request, secrets).await
    }

    /// `key` names the work, for a builder that knows how to do a repeated request once.
    pub async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        upload: Upload,
        key: &str,
        timeout: Duration,
    ) -> Result<T, ServiceError> {
        let text = |wanted: &str| {
            let found = upload.texts.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, text)| text.as_str())
        };
        let secrets = self.secrets(text("username"), text("password"));
        let request = self.client.post(self.url(path)?);
        let request = request.header("idempotency-key", key).timeout(timeout);
        answer::of(request.multipart(form(upload)), &secrets).await
    }

    /// Whether it answers and says that it is well.
    pub async fn check(&self) -> Result<(), String> {
        let health = self.url("health").map_err(|error| error.to_string())?;
        let request = self.client.get(health).timeout(CONNECT);
        let asked = answer::status(request, &self.secrets(None, None)).await;
        asked.map_err(|error| format!("The Builder Service (BUILDER_SERVICE_URL): {error}"))
    }

    fn url(&self, path: &str) -> Result<reqwest::Url, ServiceError> {
        self.base.join(path).map_err(|error| unsendable(&error))
    }

    /// What stands in requests and must not stand in what is told of them.
    pub fn secrets(&self, username: Option<&str>, password: Option<&str>) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add(username, password);
        secrets.add(Some(self.base.username()), self.base.password());
        secrets
    }
}

fn form(upload: Upload) -> Form {
    let length = upload.content.len() as u64;
    let file = Part::stream_with_length(upload.content, length).file_name(upload.file_name);
    upload
        .texts
        .into_iter()
        .fold(Form::new().part("file", file), |form, (name, text)| {
            form.text(name, text)
        })
}

fn unsendable(error: &dyn std::fmt::Display) -> ServiceError {
    ServiceError::Refused {
        status: 400,
        detail: format!("the request cannot be made: {error}"),
    }
}
