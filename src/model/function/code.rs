//! A function's Python.

use base64::Engine as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::error::{Error, Result};
use crate::model::source::MAX_CODE;

/// Python source, at most 1 MiB of UTF-8; travels as Base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, content_encoding = "base64", format = "base64-utf8")]
pub struct Code(String);

impl Code {
    pub fn parse(python: impl Into<String>) -> Result<Self> {
        let python = python.into();
        if python.len() > MAX_CODE {
            return Err(Error::validation(
                "code",
                format!(
                    "The code is {} bytes; at most {MAX_CODE} are kept. Upload a .zip for more.",
                    python.len()
                ),
            ));
        }
        Ok(Self(python))
    }

    pub fn from_base64(text: &str) -> Result<Self> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text.trim())
            .map_err(|_| Error::validation("code", "Send the code as Base64 of UTF-8 Python."))?;
        Self::parse(String::from_utf8(bytes).map_err(|_| {
            Error::validation(
                "code",
                "The code is not UTF-8. Save the file as UTF-8 and send it again.",
            )
        })?)
    }

    pub fn to_base64(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(&self.0)
    }

    pub fn python(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({} bytes)", self.0.len())
    }
}

impl TryFrom<String> for Code {
    type Error = Error;
    fn try_from(text: String) -> Result<Self> {
        Self::from_base64(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_base64()
    }
}
