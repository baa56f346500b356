//! Versions: what one successful build made. Immutable, but for the names it is given.

mod difference;
mod label;
mod view;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::function::{Environment, HttpMethods, InstanceReuse, Memory, OutboundHost, Timeout};
use super::id::{FunctionId, TaskId};
use super::source::SourceSummary;
use super::time::Timestamp;

pub use difference::{Change, FieldChange, FileChange, NameChanges, VersionDiff};
pub use label::{Label, MAX_LABELS};
pub use view::{SourceFile, VersionDetail, VersionView};

/// A function's configuration as a version or a deployment keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Configuration {
    pub memory: Memory,
    pub timeout: Timeout,
    pub http_methods: HttpMethods,
    pub environment: Environment,
    pub allowed_outbound_hosts: Vec<OutboundHost>,
    // Left out where it is the default, so that what older releases deployed still compares equal.
    #[serde(default, skip_serializing_if = "InstanceReuse::is_none")]
    pub instance_reuse: InstanceReuse,
}

impl Configuration {
    /// Without the values of the environment, for whoever only reads a version.
    #[must_use]
    pub fn masked(self) -> Self {
        Self {
            environment: self.environment.masked(),
            ..self
        }
    }
}

/// A native or portable program, found by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Artifact {
    /// Where the blobs hold it.
    pub key: String,
    /// Hexadecimal, of the content.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// Extensions of artifacts' keys.
const IMAGE: &str = ".image";
const COMPONENT: &str = ".wasm";

impl Artifact {
    /// Whether it is what one function's memory holds over a common program's, rather than a component.
    pub fn is_image(&self) -> bool {
        self.key.ends_with(IMAGE)
    }

    /// Where the blobs hold it as a component that runs anywhere, once somebody wanted that.
    pub fn portable_key(&self) -> String {
        match self.key.strip_suffix(IMAGE) {
            Some(stem) => format!("{stem}{COMPONENT}"),
            None => self.key.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Version {
    pub function_id: FunctionId,
    /// Counted from 1 per function.
    pub number: u32,
    pub source: SourceSummary,
    /// Where the blobs hold the source as it was built.
    pub source_key: String,
    pub configuration: Configuration,
    /// Empty where a builder elsewhere made it and pushed nothing.
    pub image_ref: String,
    /// Absent where the builder keeps what it made: then the image is all there is to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact: Option<Artifact>,
    pub task_id: TaskId,
    pub by: String,
    pub at: Timestamp,
}
