//! The bodies that requests bring, as the document describes them. Handlers read them field by field (`extract::Fields`), so that a failure names its field.
#![expect(
    dead_code,
    reason = "described to clients; nothing is ever made of them"
)]

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use crate::model::deployment::{ImageRef, Namespace};
use crate::model::function::{
    Code, Environment, HttpMethod, HttpMethods, InstanceReuse, Memory, OutboundHost, Timeout,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::version::Label;
use crate::model::workspace::{Description, Name};

#[derive(ToSchema)]
pub struct CreateWorkspaceRequest {
    name: Name,
    description: Option<Description>,
}

/// Absent and null fields stay as they are.
#[derive(ToSchema)]
pub struct UpdateWorkspaceRequest {
    name: Option<Name>,
    /// `""` clears it.
    description: Option<Description>,
}

#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct CreateFunctionRequest {
    name: Name,
    description: Option<Description>,
    runtime: Option<Runtime>,
    memory: Option<Memory>,
    timeout: Option<Timeout>,
    http_methods: Option<HttpMethods>,
    environment_variables: Option<Environment>,
    code: Option<Code>,
    /// Where to call it instead of its deployment; without a scheme it gets `http://`.
    #[schema(format = "invocation-url")]
    invocation_url: Option<String>,
    allowed_outbound_hosts: Option<Vec<OutboundHost>>,
    instance_reuse: Option<InstanceReuse>,
    deploy_on_save: Option<bool>,
    status: Option<SettableStatus>,
    /// In any offset.
    last_deployed: Option<Timestamp>,
}

/// Absent and null fields stay as they are.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct UpdateFunctionRequest {
    name: Option<Name>,
    /// `""` clears it.
    description: Option<Description>,
    runtime: Option<Runtime>,
    memory: Option<Memory>,
    timeout: Option<Timeout>,
    http_methods: Option<HttpMethods>,
    environment_variables: Option<Environment>,
    /// Replaces the entry module.
    code: Option<Code>,
    /// `""` clears it.
    #[schema(format = "invocation-url")]
    invocation_url: Option<String>,
    allowed_outbound_hosts: Option<Vec<OutboundHost>>,
    instance_reuse: Option<InstanceReuse>,
    deploy_on_save: Option<bool>,
    status: Option<SettableStatus>,
    /// In any offset.
    last_deployed: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub enum Runtime {
    #[serde(rename = "Python 3.12")]
    Python312,
}

/// The other states follow from builds and deployments.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SettableStatus {
    Active,
    Disabled,
}

/// A full request to a function.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestFunctionRequest {
    /// GET when absent.
    method: Option<HttpMethod>,
    /// As in `/orders/7`; `/` when absent.
    #[schema(format = "request-path")]
    path: Option<String>,
    /// Without the question mark.
    #[schema(format = "request-query")]
    query: Option<String>,
    #[schema(schema_with = headers)]
    headers: Option<BTreeMap<String, String>>,
    /// A text as it is, any other JSON as its text.
    body: Option<Value>,
    body_encoding: Option<BodyEncoding>,
}

fn headers() -> utoipa::openapi::Schema {
    use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, SchemaType, Type};
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let kinds = SchemaType::Array(vec![Type::Object, Type::Null]);
    ObjectBuilder::new()
        .schema_type(kinds)
        .property_names(Some(text().pattern(Some("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"))))
        .additional_properties(Some(AdditionalProperties::from(
            text().pattern(Some("^[\\t\\x20-\\x7e]*$")),
        )))
        .build()
        .into()
}

/// How `body` is to be read when it is a text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyEncoding {
    Text,
    Utf8,
    Json,
    Base64,
}

/// Code that is not saved: one module, or all files of a package.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum RunDraftRequest {
    Module {
        code: Code,
        request: Option<TestFunctionRequest>,
    },
    Package {
        /// Base64 by path.
        files: BTreeMap<String, String>,
        request: Option<TestFunctionRequest>,
    },
}

/// On what to run: a version, a draft, or what serves when neither is named.
#[derive(ToSchema)]
pub struct ReplayRequest {
    #[schema(minimum = 1)]
    version: Option<u32>,
    code: Option<Code>,
    /// Base64 by path.
    files: Option<BTreeMap<String, String>>,
}

#[derive(ToSchema)]
pub struct CheckFunctionRequest {
    #[schema(minimum = 1)]
    version: Option<u32>,
    code: Option<Code>,
    /// Base64 by path.
    files: Option<BTreeMap<String, String>>,
    /// How many of the newest executions.
    #[schema(minimum = 1, maximum = 50)]
    last: Option<u32>,
    methods: Option<CheckedMethods>,
}

/// `safe` repeats GET and HEAD only.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckedMethods {
    Safe,
    All,
}

/// The bytes of a .zip archive.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct Archive(Vec<u8>);

#[derive(ToSchema)]
pub struct UploadForm {
    /// A .py file or a .zip archive.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

#[derive(ToSchema)]
pub struct BuildForm {
    /// A .py file or a .zip archive.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    #[schema(nullable = false, example = "approve-payment")]
    app_name: Option<String>,
    /// Made when there is none and no `function_id` is given. `ws-default` when absent.
    #[schema(nullable = false)]
    workspace_id: Option<WorkspaceId>,
    /// Makes a version of this function.
    #[schema(nullable = false)]
    function_id: Option<FunctionId>,
}

#[derive(ToSchema)]
pub struct BuildAndPushForm {
    /// A .py file or a .zip archive.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    #[schema(nullable = false, example = "approve-payment")]
    app_name: Option<String>,
    /// Made when there is none and no `function_id` is given. `ws-default` when absent.
    #[schema(nullable = false)]
    workspace_id: Option<WorkspaceId>,
    /// Makes a version of this function.
    #[schema(nullable = false)]
    function_id: Option<FunctionId>,
    #[schema(example = "registry.example.com/team/approve")]
    registry_url: String,
    /// `AWS` when only a password is given.
    #[schema(nullable = false)]
    username: Option<String>,
    /// Kept in memory until the push is done, and nowhere else.
    #[schema(nullable = false)]
    password: Option<String>,
    /// `sha256`, the default, lets the server choose `task-{task_id}`.
    #[schema(nullable = false)]
    tag: Option<String>,
}

#[derive(ToSchema)]
pub struct PushRequest {
    #[schema(example = "registry.example.com/team/approve")]
    registry_url: String,
    /// `AWS` when only a password is given.
    username: Option<String>,
    /// Kept in memory until the push is done, and nowhere else.
    password: Option<String>,
    /// `sha256`, the default, lets the server choose `task-{task_id}`.
    tag: Option<String>,
    workspace_id: WorkspaceId,
    /// Where a build left its component; the newest build when absent.
    s3_source_path: Option<String>,
}

#[derive(ToSchema)]
pub struct ScaffoldRequest {
    image_ref: ImageRef,
    /// The app's name; the image's when absent.
    #[schema(format = "app-name-text")]
    component: Option<String>,
    #[schema(minimum = 1, maximum = 100)]
    replicas: Option<u32>,
    /// Accepted, and never written.
    output_path: Option<String>,
}

#[derive(ToSchema)]
pub struct DeployRequest {
    /// The same name again is a rolling update; `spin-word-word-1234` when absent.
    #[schema(example = "approve-payment")]
    app_name: Option<String>,
    namespace: Namespace,
    image_ref: ImageRef,
    /// True when absent.
    enable_autoscaling: Option<bool>,
    /// Only without autoscaling.
    #[schema(minimum = 1, maximum = 100)]
    replicas: Option<u32>,
    /// True when absent.
    use_spot: Option<bool>,
    function_id: Option<FunctionId>,
    service_account: Option<String>,
    #[schema(example = "500m")]
    cpu_limit: Option<String>,
    #[schema(example = "128Mi")]
    memory_limit: Option<String>,
    cpu_request: Option<String>,
    memory_request: Option<String>,
    /// As in a pod; passed on to the Builder Service.
    custom_tolerations: Option<Value>,
    /// As in a pod; passed on to the Builder Service.
    custom_affinity: Option<Value>,
}

#[derive(ToSchema)]
pub struct StartCanaryRequest {
    #[schema(minimum = 1)]
    version: u32,
    /// Of 100 calls, how many it takes.
    #[schema(minimum = 1, maximum = 99)]
    percent: u32,
    /// Percentage points by which its error rate may exceed the serving version's; 5 when absent.
    #[schema(minimum = 0, maximum = 100)]
    margin: Option<u32>,
    /// Calls before its error rate means anything; 50 when absent.
    #[schema(minimum = 1, maximum = 1_000_000)]
    min_calls: Option<u32>,
}

#[derive(ToSchema)]
pub struct UpdateVersionRequest {
    /// All labels it is to have; each leaves the version that had it.
    #[schema(max_items = 10)]
    labels: Option<Vec<Label>>,
    pinned: Option<bool>,
}

#[derive(ToSchema)]
pub struct ImportForm {
    /// A .zip archive with a Spin app.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// The app's own when absent.
    #[schema(nullable = false)]
    name: Option<Name>,
    #[schema(nullable = false)]
    on_conflict: Option<OnConflict>,
}

#[derive(ToSchema)]
pub struct ImportWorkspaceForm {
    /// A .zip archive with a Spin app.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    #[schema(nullable = false)]
    on_conflict: Option<OnConflict>,
}

/// What becomes of names that are taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnConflict {
    Refuse,
    Rename,
}
