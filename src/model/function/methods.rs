//! The HTTP methods that a function answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::error::{Error, Result};

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    Get,
    Post,
    Put,
    Delete,
    Patch,
    Head,
    Options,
}

impl HttpMethod {
    pub const ALL: [Self; 7] = [
        Self::Get,
        Self::Post,
        Self::Put,
        Self::Delete,
        Self::Patch,
        Self::Head,
        Self::Options,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
        }
    }

    pub fn parse(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| {
                Error::validation(
                    "httpMethods",
                    "Choose among GET, POST, PUT, DELETE, PATCH, HEAD and OPTIONS.",
                )
            })
    }
}

impl std::fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The methods a function answers: at least one, each once, in the order given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<HttpMethod>", into = "Vec<HttpMethod>")]
#[schema(min_items = 1)]
pub struct HttpMethods(Vec<HttpMethod>);

impl HttpMethods {
    pub fn parse(methods: impl IntoIterator<Item = HttpMethod>) -> Result<Self> {
        let mut unique = Vec::new();
        for method in methods {
            if !unique.contains(&method) {
                unique.push(method);
            }
        }
        if unique.is_empty() {
            Err(Error::validation(
                "httpMethods",
                "Choose at least one HTTP method.",
            ))
        } else {
            Ok(Self(unique))
        }
    }

    /// GET also lets HEAD pass, as HTTP expects.
    pub fn allow(&self, method: &str) -> bool {
        self.0.iter().any(|allowed| {
            allowed.as_str() == method || (*allowed == HttpMethod::Get && method == "HEAD")
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = HttpMethod> + '_ {
        self.0.iter().copied()
    }

    pub fn contains(&self, method: HttpMethod) -> bool {
        self.0.contains(&method)
    }

    /// As in an `Allow` header: `GET, POST`.
    pub fn joined(&self) -> String {
        self.0
            .iter()
            .map(|method| method.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl Default for HttpMethods {
    fn default() -> Self {
        Self(vec![HttpMethod::Get])
    }
}

impl TryFrom<Vec<HttpMethod>> for HttpMethods {
    type Error = Error;
    fn try_from(methods: Vec<HttpMethod>) -> Result<Self> {
        Self::parse(methods)
    }
}

impl From<HttpMethods> for Vec<HttpMethod> {
    fn from(methods: HttpMethods) -> Self {
        methods.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn get_lets_head_pass() {
        let methods = HttpMethods::default();
        assert!(methods.allow("GET") && methods.allow("HEAD") && !methods.allow("POST"));
    }
}
