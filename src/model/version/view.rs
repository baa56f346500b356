//! Versions as clients read them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Label, Version};

/// A version with what is said of it; the values of its environment are masked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionView {
    #[serde(flatten)]
    pub version: Version,
    /// In alphabetical order; each is on one version of a function.
    pub labels: Vec<Label>,
    /// Kept however many versions follow, as a labelled one is.
    pub pinned: bool,
    /// Takes the function's calls.
    pub serving: bool,
}

/// A version with its source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VersionDetail {
    #[serde(flatten)]
    pub view: VersionView,
    /// The file with the handler, as in `app.py`.
    pub entry: String,
    /// By their paths.
    pub files: Vec<SourceFile>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceFile {
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// `None` for what is no text, or too much of it.
    pub content: Option<String>,
}
