//! What a function is built from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Largest source module that is edited in place, in bytes.
pub const MAX_CODE: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// One Python module.
    File,
    /// A .zip that was uploaded and is kept.
    Package,
}

/// What a function's source is, without its content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceSummary {
    pub kind: SourceKind,
    /// Hexadecimal SHA-256 of the module, or of the archive with the edited entry module in it.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
    /// Number of files.
    pub files: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// Something wrong at a place in the source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub severity: Severity,
    /// As in `app.py`; empty when it is about the whole source.
    pub file: String,
    /// Counted from 1; 0 when there is no line to name.
    pub line: u32,
    /// In characters, counted from 1; 0 when there is none.
    pub column: u32,
    pub message: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The line as it stands in the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
}

impl std::fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => f.write_str(&self.message),
            (false, 0) => write!(f, "{}: {}", self.file, self.message),
            (false, line) => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}
