//! Deployments and manifests below `/api/v1`

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::accept::prefers;
use super::answers::{self, Answer};
use super::builds::app_name;
use super::description::parameters::{DeploymentPath, FunctionPath, PageParameters};
use super::description::requests;
use super::error::{Envelope, Result};
use super::extract::{Fields, Id, Parameters};
use super::functions::ids_of;
use crate::model::deployment::{AppName, DeployOptions, Deployment, ImageRef, Namespace};
use crate::model::error::Error;
use crate::model::id::{DeploymentId, FunctionId};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::console::DEFAULT_NAMESPACE;
use crate::service::deployments::{DeployOutcome, DeployRequest, ScaffoldRequest, manifest};

#[derive(Serialize, ToSchema)]
pub struct DeployResponse {
    app_name: AppName,
    namespace: Namespace,
    service_name: AppName,
    /// `found`, or `pending` while there is no endpoint.
    service_status: &'static str,
    endpoint: Option<String>,
    enable_autoscaling: bool,
    use_spot: bool,
    error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl From<DeployOutcome> for DeployResponse {
    fn from(outcome: DeployOutcome) -> Self {
        let deployment = outcome.deployment;
        Self {
            service_name: deployment.app_name.clone(),
            service_status: if deployment.endpoint.is_some() {
                "found"
            } else {
                "pending"
            },
            app_name: deployment.app_name,
            namespace: deployment.namespace,
            endpoint: deployment.endpoint,
            enable_autoscaling: deployment.options.enable_autoscaling,
            use_spot: deployment.options.use_spot,
            error: deployment.error,
            warnings: outcome.warnings,
        }
    }
}

fn options(fields: &Fields) -> std::result::Result<DeployOptions, Error> {
    let text = |name: &str| {
        let text = fields.text(name)?.filter(|text| !text.is_empty());
        Ok::<_, Error>(text.map(ToOwned::to_owned))
    };
    let options = DeployOptions {
        enable_autoscaling: fields.flag("enable_autoscaling")?.unwrap_or(true),
        replicas: fields.number("replicas")?,
        use_spot: fields.flag("use_spot")?.unwrap_or(true),
        service_account: text("service_account")?,
        cpu_limit: text("cpu_limit")?,
        memory_limit: text("memory_limit")?,
        cpu_request: text("cpu_request")?,
        memory_request: text("memory_request")?,
        custom_tolerations: fields.json("custom_tolerations").cloned(),
        custom_affinity: fields.json("custom_affinity").cloned(),
    };
    options.checked()
}

/// Deploy an image.
///
/// Puts an image under an app name, and answers when it serves. The same name again is a rolling update without a failed request, an older
/// image a rollback; a failed deployment leaves serving what served. The name of another function's app is refused (409): choose another,
/// or none.
#[utoipa::path(
    post, path = "/api/v1/deploy", operation_id = "deploy_image", tag = "deployments",
    request_body(content = requests::DeployRequest, example = json!({"namespace": "default", "image_ref": "registry.example.com/team/approve:task-1", "app_name": "approve-payment"})),
    responses(
        (status = 200, description = "Deployed; `pending` while the endpoint is not known", body = DeployResponse),
        (status = 404, description = "`NOT_FOUND`: the workspace or function that it names.", body = Envelope),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn deploy(
    State(services): State<Services>,
    fields: Fields,
) -> Result<Json<DeployResponse>> {
    let request = DeployRequest {
        app_name: app_name(
            fields
                .text("app_name")?
                .filter(|text| !text.trim().is_empty()),
        )?,
        namespace: Namespace::parse(fields.required_text("namespace")?)?,
        image_ref: ImageRef::parse(fields.required_text("image_ref")?)?,
        options: options(&fields)?,
        function_id: fields
            .text("function_id")?
            .filter(|text| !text.is_empty())
            .map(FunctionId::parse)
            .transpose()?,
        version: None,
        id: None,
    };
    let has_replicas = fields.number("replicas")?.is_some();
    let is_ignored = has_replicas && request.options.enable_autoscaling;
    let actor = Actor::anonymous();
    let mut outcome = services.deployments.deploy(&actor, request).await?;
    if is_ignored {
        outcome
            .warnings
            .push("replicas has no effect while enable_autoscaling is on.".to_owned());
    }
    Ok(Json(outcome.into()))
}

/// Deploy again what was deployed before.
///
/// Deploys the same image with the same options under the same name, as a new deployment. It is refused when the image is gone: old
/// artifacts are collected.
#[utoipa::path(
    post, path = "/api/v1/deployments/{id}/redeploy", operation_id = "redeploy", tag = "deployments",
    params(DeploymentPath),
    responses(
        (status = 200, description = "Deployed: a rollback, when it was an older one", body = DeployResponse),
        (status = 502, description = "`DEPLOY_ERROR`: what deploys does not answer, or refused; what served goes on.", body = Envelope),
        (status = 504, description = "`TIMEOUT`: what deploys did not answer in time. Look at the function's deployments before sending it again.", body = Envelope),
    ),
)]
pub async fn redeploy(
    State(services): State<Services>,
    Id(id): Id<DeploymentId>,
) -> Result<Json<DeployResponse>> {
    Ok(Json(
        services
            .deployments
            .redeploy(&Actor::anonymous(), &id)
            .await?
            .into(),
    ))
}

/// The deployments of a function.
///
/// What was deployed of the function, whether it serves, and why it failed. An older one is brought back by `POST
/// /api/v1/deployments/{id}/redeploy`.
#[utoipa::path(
    get, path = "/api/v1/functions/{fn}/deployments", operation_id = "list_deployments", tag = "deployments",
    params(FunctionPath, PageParameters),
    responses((status = 200, description = "Newest first, 100 unless `limit` says otherwise", body = Vec<Deployment>, headers(("Link")))),
)]
pub async fn list(
    State(services): State<Services>,
    OriginalUri(uri): OriginalUri,
    Id(function): Id<FunctionId>,
    parameters: Parameters,
) -> Result<Answer> {
    let query = parameters.page()?;
    let ids = ids_of(&services, function).await?;
    let page = services.deployments.list(&ids.function, &query).await?;
    Ok(answers::list(&page, &uri, &parameters)?)
}

/// Its name, and those it went by before it had one (RFC 9512).
const YAML: [&str; 4] = [
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
];

#[derive(Serialize, ToSchema)]
pub struct ScaffoldResponse {
    success: bool,
    yaml_content: String,
    file_path: Option<String>,
    error: Option<String>,
}

/// Write a SpinApp manifest.
///
/// The manifest for a cluster with SpinKube, in JSON or, with `Accept: application/yaml`, itself. Nothing is deployed or stored;
/// `output_path` is accepted and never written.
#[utoipa::path(
    post, path = "/api/v1/scaffold", operation_id = "scaffold_manifest", tag = "deployments",
    request_body(content = requests::ScaffoldRequest, example = json!({"image_ref": "registry.example.com/team/approve:task-1"})),
    responses((status = 200, description = "A SpinApp manifest; with `Accept: application/yaml` itself", content(
            (ScaffoldResponse = "application/json"),
            (String = "application/yaml"),
        ))),
)]
pub async fn scaffold(headers: HeaderMap, fields: Fields) -> Result<Response> {
    let image_ref = ImageRef::parse(fields.required_text("image_ref")?)?;
    fields.text("output_path")?;
    // The image's last part without its tag names the app when nothing else does.
    let from_image = image_ref
        .as_str()
        .rsplit('/')
        .next()
        .and_then(|last| last.split([':', '@']).next())
        .and_then(AppName::from_text);
    let app_name = app_name(fields.text("component")?)
        .map_err(|error| error.with_field("component"))?
        .or(from_image)
        .ok_or_else(|| {
            Error::validation(
                "component",
                "Name the component with letters, digits and hyphens.",
            )
        })?;
    let options = DeployOptions {
        enable_autoscaling: false,
        replicas: fields.number("replicas")?,
        ..DeployOptions::default()
    };
    let options = options.checked()?;
    let yaml = manifest(&ScaffoldRequest {
        app_name,
        namespace: Namespace::parse(DEFAULT_NAMESPACE)?,
        image_ref,
        function_id: None,
        options,
    })?;
    let wants_yaml = |name: &&str| prefers(&headers, name, "application/json");
    if YAML.iter().any(wants_yaml) {
        return Ok(([(header::CONTENT_TYPE, "application/yaml")], yaml).into_response());
    }
    Ok(Json(ScaffoldResponse {
        success: true,
        yaml_content: yaml,
        file_path: None,
        error: None,
    })
    .into_response())
}
