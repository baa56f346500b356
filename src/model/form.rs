//! Forms as the console sends them: texts, checked by the server.

use serde::{Deserialize, Serialize};

/// The settings of a function as a form sends them: texts, checked by the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    pub name: String,
    pub description: String,
    /// As in `["GET", "POST"]`.
    pub methods: Vec<String>,
    /// MB.
    pub memory: String,
    /// Seconds.
    pub timeout: String,
    /// Rows; one with an empty name is left out.
    pub environment: Vec<EnvironmentRow>,
    /// A `.env` block whose lines are added to the rows: `NAME=value`, `#` comments.
    pub environment_block: String,
    /// One host a line, in Spin's syntax.
    pub allowed_outbound_hosts: String,
    /// `yes`, or empty.
    pub reuse: String,
    /// Empty means the default, as in the field after it.
    pub reuse_max_requests: String,
    /// Seconds.
    pub reuse_max_age: String,
    pub invocation_url: String,
    /// `yes`, or empty.
    pub deploy_on_save: String,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentRow {
    pub name: String,
    pub value: String,
}

/// The deploy form: texts, checked by the server. Empty means the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeployForm {
    pub app_name: String,
    pub namespace: String,
    /// Also push the image there, as in `registry.example.com/team/app`; needs the host in `BLUE_FAAS_PUSH_HOSTS`.
    pub registry_url: String,
    pub tag: String,
    /// `yes`: makes a version and leaves what serves as it is.
    pub build_only: String,
    /// For a cluster. All empty: as what serves was deployed.
    pub cluster: ClusterForm,
}

/// How a cluster runs an app, as the form sends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterForm {
    /// `auto`, or `fixed` with so many replicas.
    pub scaling: String,
    pub replicas: String,
    /// `first`, or `any` node.
    pub spot: String,
    pub service_account: String,
    pub cpu_limit: String,
    pub memory_limit: String,
    pub cpu_request: String,
    pub memory_request: String,
    /// JSON.
    pub custom_tolerations: String,
    pub custom_affinity: String,
}

/// A request to try a function with, as the form sends it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TestForm {
    pub method: String,
    /// As in `/orders/7`.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// One header a line, as in `accept: application/json`.
    pub headers: String,
    pub body: String,
}

/// What is said of a version: labels separated by spaces or commas.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct VersionForm {
    pub labels: String,
    /// `yes`, or empty.
    pub pinned: String,
}

/// A canary, as the form sends it. Empty means the default, where there is one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CanaryForm {
    pub version: String,
    pub percent: String,
    /// Percentage points.
    pub margin: String,
    pub min_calls: String,
}
