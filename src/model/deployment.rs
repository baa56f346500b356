//! Deployments: an image that serves, or served, under an app name.

mod options;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::error::{Error, Result};
use super::id::{DeploymentId, FunctionId, text_type};
use super::time::Timestamp;
pub use options::DeployOptions;

/// Longest app name; Kubernetes appends to it.
const MAX_APP_NAME: usize = 53;

fn parse_app_name(text: &str) -> Result<String> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty()
        && text.len() <= MAX_APP_NAME
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
    {
        Ok(text.to_owned())
    } else {
        Err(Error::validation(
            "app_name",
            format!(
                "An app name holds at most {MAX_APP_NAME} lower-case letters, digits and inner hyphens."
            ),
        ))
    }
}

fn parse_namespace(text: &str) -> Result<String> {
    parse_app_name(text).map_err(|_| {
        Error::validation(
            "namespace",
            "A namespace holds at most 53 lower-case letters, digits and inner hyphens.",
        )
    })
}

fn parse_image_ref(text: &str) -> Result<String> {
    let text = text.trim();
    let plain = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@' | '[' | ']')
    };
    if !text.is_empty() && text.len() <= 512 && text.chars().all(plain) {
        Ok(text.to_owned())
    } else {
        Err(Error::validation(
            "image_ref",
            "Write an image as registry/repository:tag.",
        ))
    }
}

text_type!(
    /// A DNS-1123 label of at most 53 characters; the first path segment of a function's URL.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", example = "approve-payment")]
    AppName,
    parse_app_name
);
text_type!(
    /// A Kubernetes namespace.
    #[schema(pattern = "^[a-z0-9]([a-z0-9-]{0,51}[a-z0-9])?$", example = "default")]
    Namespace,
    parse_namespace
);
text_type!(
    /// `registry/repository:tag`.
    #[schema(pattern = "^[A-Za-z0-9._/:@\\[\\]-]{1,512}$", example = "registry.example.com/team/approve:task-1")]
    ImageRef,
    parse_image_ref
);

impl AppName {
    /// Under which name a canary of this app runs.
    pub fn canary(&self) -> Result<Self> {
        Self::parse(format!("{self}-canary")).map_err(|_| {
            Error::validation(
                "app_name",
                format!(
                    "The canary would run as {self}-canary, which is longer than {MAX_APP_NAME} characters. Deploy the function under a shorter name."
                ),
            )
        })
    }

    /// Where an app answers below the functions listener's address; `{app}` in that stands for its name, else it is appended to the path.
    pub fn address_at(&self, functions_url: &str) -> String {
        if functions_url.contains("{app}") {
            functions_url.replace("{app}", self.as_str())
        } else {
            format!("{functions_url}/{self}")
        }
    }

    /// Makes any text DNS-1123 safe; `None` when nothing of it is left (a name in Hangul, say).
    pub fn from_text(text: &str) -> Option<Self> {
        let mut name = String::new();
        for c in text.chars() {
            if c.is_ascii_alphanumeric() {
                name.push(c.to_ascii_lowercase());
            } else if !name.is_empty() && !name.ends_with('-') {
                name.push('-');
            }
        }
        name.truncate(MAX_APP_NAME);
        Self::parse(name.trim_matches('-')).ok()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DeploymentStatus {
    Deploying,
    Active,
    Failed,
    Superseded,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    pub id: DeploymentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function_id: Option<FunctionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    pub app_name: AppName,
    pub namespace: Namespace,
    pub image_ref: ImageRef,
    pub options: DeployOptions,
    pub status: DeploymentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub by: String,
}

#[cfg(test)]
mod tests {
    use super::AppName;

    #[test]
    fn any_text_becomes_a_safe_name_or_none() {
        assert_eq!(
            AppName::from_text("Payment Approve")
                .expect("safe")
                .as_str(),
            "payment-approve"
        );
        assert_eq!(
            AppName::from_text("__a..b__").expect("safe").as_str(),
            "a-b"
        );
        assert_eq!(AppName::from_text("결제"), None);
        let long = AppName::from_text(&"a-".repeat(60)).expect("safe");
        assert!(long.as_str().len() <= 53 && !long.as_str().ends_with('-'));
    }

    #[test]
    fn a_canary_is_named_after_its_app_where_the_name_has_room() {
        let app = AppName::parse("a".repeat(46)).expect("valid");
        let canary = app.canary().expect("there is room");
        assert_eq!(canary.as_str().len(), 53);
        let refused = canary.canary().expect_err("too long");
        assert_eq!(refused.field.as_deref(), Some("app_name"));
    }
}
