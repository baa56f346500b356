//! A function as it is stored, and what is derived from it.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::model::deployment::AppName;
use crate::model::figures::Figures;
use crate::model::function::{
    Code, Environment, Function, FunctionStatus, HttpMethods, InstanceReuse, Memory, OutboundHost,
    RUNTIME, Timeout,
};
use crate::model::id::{DeploymentId, FunctionId, TaskId, WorkspaceId};
use crate::model::source::{SourceKind, SourceSummary};
use crate::model::time::Timestamp;
use crate::model::version::Configuration;
use crate::model::workspace::{Description, Name};
use crate::port::store::Condition;

/// Code up to this size stays in the item, in bytes.
pub const MAX_INLINE_CODE: usize = 32 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    Building,
    Deploying,
}

fn runtime() -> String {
    RUNTIME.to_owned()
}

/// Items of the first system lack most attributes: each has its default.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an attribute of its own"
)]
pub struct FunctionRecord {
    pub id: FunctionId,
    pub workspace_id: WorkspaceId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    #[serde(default = "runtime")]
    pub runtime: String,
    #[serde(default)]
    pub memory: Memory,
    #[serde(default)]
    pub timeout: Timeout,
    #[serde(default)]
    pub http_methods: HttpMethods,
    #[serde(default)]
    pub environment_variables: Environment,
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<OutboundHost>,
    #[serde(default)]
    pub instance_reuse: InstanceReuse,
    /// Base64, when it is small.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Where the blobs hold larger code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_sha256: Option<String>,
    /// For a package: the archive as it was uploaded. `code` is its entry module, with the edits since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceSummary>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation_url: Option<String>,
    #[serde(default)]
    pub disabled: bool,
    /// Saved code is built and deployed.
    #[serde(default)]
    pub deploy_on_save: bool,
    pub last_modified: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_deployed: Option<Timestamp>,
    /// Counts changes of configuration, code and status; the ETag.
    #[serde(default)]
    pub revision: f64,
    /// The number of the newest version.
    #[serde(default)]
    pub versions: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_name: Option<AppName>,
    /// The deployment that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<DeploymentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_version: Option<u32>,
    /// SHA-256 of the source that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_source: Option<String>,
    /// Fingerprint of the configuration that serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed_configuration: Option<String>,
    /// The newest task, under way or ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
    /// The newest build or deployment failed.
    #[serde(default)]
    pub failed: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleting: bool,
}

/// The function is as it was when it had this revision; one of the first system has none.
pub fn same_revision(revision: f64) -> Condition {
    if revision == 0.0 {
        Condition::Missing("revision".to_owned())
    } else {
        Condition::Equals("revision".to_owned(), revision.into())
    }
}

pub fn sha256_hex(content: &[u8]) -> String {
    hexadecimal(&Sha256::digest(content))
}

pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            use std::fmt::Write as _;
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Tells two configurations apart, in what takes effect when a function runs.
pub fn fingerprint(configuration: &Configuration) -> String {
    sha256_hex(&serde_json::to_vec(configuration).unwrap_or_default())
}

impl FunctionRecord {
    pub fn configuration(&self) -> Configuration {
        Configuration {
            memory: self.memory,
            timeout: self.timeout,
            http_methods: self.http_methods.clone(),
            environment: self.environment_variables.clone(),
            allowed_outbound_hosts: self.allowed_outbound_hosts.clone(),
            instance_reuse: self.instance_reuse,
        }
    }

    pub fn status(&self) -> FunctionStatus {
        match (self.disabled, self.work) {
            (true, _) => FunctionStatus::Disabled,
            (false, Some(Work::Building)) => FunctionStatus::Building,
            (false, Some(Work::Deploying)) => FunctionStatus::Deploying,
            (false, None) if self.failed && self.deployment_id.is_none() => FunctionStatus::Failed,
            (false, None) => FunctionStatus::Active,
        }
    }

    pub fn source_summary(&self) -> SourceSummary {
        self.source.clone().unwrap_or_else(|| {
            let python = self.code.as_ref().map_or("", Code::python);
            SourceSummary {
                kind: SourceKind::File,
                sha256: sha256_hex(python.as_bytes()),
                size: python.len() as u64,
                files: 1,
            }
        })
    }

    /// The code or configuration differs from what serves; a function that never was deployed has no such difference.
    pub fn has_undeployed_changes(&self) -> bool {
        self.deployment_id.is_some()
            && (self.deployed_source.as_deref() != Some(self.source_summary().sha256.as_str())
                || self
                    .deployed_configuration
                    .as_deref()
                    .is_some_and(|deployed| deployed != fingerprint(&self.configuration())))
    }

    /// As clients read it; `code` when it was asked for.
    pub fn view(self, figures: &Figures, code: Option<Code>) -> Function {
        Function {
            status: self.status(),
            undeployed_changes: self.has_undeployed_changes(),
            source: self.source_summary(),
            id: self.id,
            workspace_id: self.workspace_id,
            name: self.name,
            description: self.description,
            runtime: self.runtime,
            memory: self.memory,
            timeout: self.timeout,
            http_methods: self.http_methods,
            environment_variables: self.environment_variables,
            code,
            invocation_url: self.invocation_url,
            last_modified: self.last_modified,
            last_deployed: self.last_deployed,
            invocations_24h: figures.invocations,
            errors_24h: figures.errors,
            avg_duration: (figures.average_ms * 1_000.0).round() / 1_000.0,
            allowed_outbound_hosts: self.allowed_outbound_hosts,
            instance_reuse: self.instance_reuse,
            deployed_version: self.deployed_version,
            deploy_on_save: self.deploy_on_save,
            app_name: self.app_name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(json: serde_json::Value) -> FunctionRecord {
        serde_json::from_value(json).expect("a record")
    }

    #[test]
    fn an_item_of_the_first_system_is_readable() {
        let old = record(
            serde_json::json!({"id": "fn-1", "workspaceId": "ws-1", "name": "old", "code": "cHJpbnQoMSk=", "lastModified": "2025-12-07T12:00:00+09:00"}),
        );
        assert_eq!(old.source_summary().size, 8);
        assert_eq!(old.status(), FunctionStatus::Active);
        assert!(!old.has_undeployed_changes());
    }

    #[test]
    fn status_follows_what_happens() {
        let mut function = record(
            serde_json::json!({"id": "fn-1", "workspaceId": "ws-1", "name": "a", "lastModified": "2025-12-07T12:00:00+09:00"}),
        );
        function.work = Some(Work::Building);
        assert_eq!(function.status(), FunctionStatus::Building);
        function.work = None;
        function.failed = true;
        assert_eq!(function.status(), FunctionStatus::Failed);
        function.deployment_id = Some(DeploymentId::parse("d-1").expect("an id"));
        assert_eq!(
            function.status(),
            FunctionStatus::Active,
            "an older deployment serves on"
        );
        function.disabled = true;
        assert_eq!(function.status(), FunctionStatus::Disabled);
    }
}
