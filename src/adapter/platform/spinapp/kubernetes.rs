//! The few requests to the Kubernetes API that SpinApps need. The whole of a client would be many times this platform.

use http::{Method, StatusCode, header};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::adapter::http_client::{self, Unread};
use crate::port::platform::PlatformError;

const TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes of an answer at most: an object has 1.5 MiB at most.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct KubernetesConfig {
    /// As in `https://10.0.0.1:443`.
    pub url: String,
    /// Holds `token` and `ca.crt` of the service account; where they are missing, requests go without.
    pub account: PathBuf,
}

pub(super) struct Kubernetes {
    client: reqwest::Client,
    url: String,
    token: PathBuf,
}

impl Kubernetes {
    pub fn new(config: &KubernetesConfig) -> Result<Self, String> {
        let mut client = http_client::builder().timeout(TIMEOUT);
        let certificates = config.account.join("ca.crt");
        if let Some(certificates) = read_if_there(&certificates)? {
            let certificates = reqwest::Certificate::from_pem_bundle(&certificates)
                .map_err(|error| format!("{}: {error}", config.account.display()))?;
            client = client.tls_certs_only(certificates);
        }
        Ok(Self {
            client: client.build().map_err(|error| error.to_string())?,
            url: config.url.trim_end_matches('/').to_owned(),
            token: config.account.join("token"),
        })
    }

    /// `None` when there is no such object.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, PlatformError> {
        self.ask(Method::GET, path, None).await
    }

    /// A merge patch: changes what `change` names and leaves the rest; `None` when there is no such object.
    pub async fn merge(&self, path: &str, change: &Value) -> Result<Option<Value>, PlatformError> {
        self.ask(Method::PATCH, path, Some(change)).await
    }

    /// Absence is fine.
    pub async fn delete(&self, path: &str) -> Result<(), PlatformError> {
        self.ask(Method::DELETE, path, None).await.map(drop)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        change: Option<&Value>,
    ) -> Result<Option<Value>, PlatformError> {
        let mut request = self
            .client
            .request(method.clone(), format!("{}{path}", self.url));
        // Read each time: the kubelet replaces it every hour.
        if let Ok(token) = tokio::fs::read_to_string(&self.token).await {
            request = request.bearer_auth(token.trim());
        }
        if let Some(change) = change {
            request = request
                .header(header::CONTENT_TYPE, "application/merge-patch+json")
                .body(change.to_string());
        }
        let away = |error| unavailable(&cause(error));
        let response = request.send().await.map_err(away)?;
        let status = response.status();
        let body = http_client::read(response, MAX_ANSWER).await;
        let body = body.map_err(|unread| match unread {
            Unread::TooLong => unavailable("its answer is too long"),
            Unread::Broken(error) => away(error),
        })?;
        let read = serde_json::from_slice::<Value>(&body);
        match status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => read
                .map(Some)
                .map_err(|_| unavailable("its answer cannot be read")),
            status => Err(refused(status, &method, &read.unwrap_or_default())),
        }
    }
}

fn read_if_there(file: &Path) -> Result<Option<Vec<u8>>, String> {
    match std::fs::read(file) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

fn unavailable(cause: &str) -> PlatformError {
    PlatformError::Unavailable(format!("The Kubernetes API cannot be asked: {cause}."))
}

/// `{"kind": "Status", "message": "spinapps.core.spinkube.dev is forbidden: User … cannot patch resource …", "reason": "Forbidden"}`. What it
/// says of a patch may repeat values of variables, which may be secret: of that only the reason is told.
fn refused(status: StatusCode, method: &Method, answer: &Value) -> PlatformError {
    let is_denied = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let told = if is_denied || *method != Method::PATCH {
        "message"
    } else {
        "reason"
    };
    let said = answer.get(told).and_then(Value::as_str);
    let said: String = said.unwrap_or("no reason").chars().take(500).collect();
    let text = format!("The Kubernetes API answered {method} with {status}: {said}");
    match status {
        _ if is_denied => PlatformError::Refused(format!(
            "{text}\nAllow it for this server's service account; docs/OPERATIONS.md lists what it needs."
        )),
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            PlatformError::Unavailable(text)
        }
        _ => PlatformError::Refused(text),
    }
}

fn cause(error: reqwest::Error) -> String {
    if error.is_timeout() {
        format!("it did not answer within {} s", TIMEOUT.as_secs())
    } else {
        http_client::innermost(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refused_patch_repeats_no_value() {
        let answer = json!({"reason": "Invalid", "message": "spec.variables[0].value: Invalid value: \"hunter2\""});
        let invalid = StatusCode::UNPROCESSABLE_ENTITY;
        let patch = refused(invalid, &Method::PATCH, &answer).to_string();
        assert!(
            patch.contains("Invalid") && !patch.contains("hunter2"),
            "{patch}"
        );
        let denied = json!({"reason": "Forbidden", "message": "cannot patch resource"});
        let denied = refused(StatusCode::FORBIDDEN, &Method::PATCH, &denied).to_string();
        assert!(denied.contains("cannot patch resource") && denied.contains("service account"));
    }
}
