//! Handing an image to the Builder Service, which makes a SpinApp of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use super::objects::Objects;
use crate::adapter::builder_service::{BuilderService, ServiceError, explain};
use crate::model::deployment::AppName;
use crate::model::id::FunctionId;
use crate::port::platform::{PlatformError, Release};

/// It pulls nothing and builds nothing: it writes objects and looks for the service.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Serialize)]
struct Order<'a> {
    app_name: &'a str,
    namespace: &'a str,
    image_ref: &'a str,
    enable_autoscaling: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u32>,
    use_spot: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_limit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_limit: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_request: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_tolerations: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_affinity: Option<&'a Value>,
}

#[derive(Deserialize)]
struct Answer {
    app_name: String,
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    error: Option<String>,
}

/// What the Builder Service made of a release.
pub(super) struct RolledOut {
    pub app_name: AppName,
    /// As it was answered; nobody has looked at it yet.
    pub endpoint: Option<String>,
}

/// Once: asking again would be another rollout.
pub(super) async fn roll_out(
    builder: &BuilderService,
    release: &Release,
    objects: Objects<'_>,
) -> Result<RolledOut, PlatformError> {
    let options = release.options.for_memory(release.configuration.memory);
    let order = Order {
        app_name: release.app_name.as_str(),
        namespace: release.namespace.as_str(),
        image_ref: release.image_ref.as_str(),
        enable_autoscaling: options.enable_autoscaling,
        replicas: options
            .replicas
            .or(Some(1))
            .filter(|_| !options.enable_autoscaling),
        use_spot: options.use_spot,
        function_id: release.function_id.as_ref().map(FunctionId::as_str),
        service_account: options.service_account.as_deref(),
        cpu_limit: options.cpu_limit.as_deref(),
        memory_limit: options.memory_limit.as_deref(),
        cpu_request: options.cpu_request.as_deref(),
        memory_request: options.memory_request.as_deref(),
        custom_tolerations: options.custom_tolerations.as_ref(),
        custom_affinity: options.custom_affinity.as_ref(),
    };
    let answered = builder.post("api/v1/deploy", &order, TIMEOUT).await;
    match answered {
        Ok(answer) => read(answer, release),
        // It may have done it all the same: what the cluster has tells.
        Err(ServiceError::Unclear(_)) if has_image(objects, release).await => Ok(RolledOut {
            app_name: release.app_name.clone(),
            endpoint: None,
        }),
        Err(error) => Err(refusal(error, release)),
    }
}

fn read(answer: Answer, release: &Release) -> Result<RolledOut, PlatformError> {
    if let Some(error) = answer.error.filter(|error| !error.is_empty()) {
        return Err(of_text(&error, release));
    }
    let app_name = AppName::parse(&answer.app_name).map_err(|_| {
        PlatformError::Refused(
            "The Builder Service answered an app name that Kubernetes does not take.".to_owned(),
        )
    })?;
    Ok(RolledOut {
        app_name,
        endpoint: answer.endpoint.filter(|endpoint| !endpoint.is_empty()),
    })
}

async fn has_image(objects: Objects<'_>, release: &Release) -> bool {
    let found = objects.spin_app().await.ok().flatten();
    found.is_some_and(|found| found["spec"]["image"] == release.image_ref.as_str())
}

fn refusal(error: ServiceError, release: &Release) -> PlatformError {
    match error {
        ServiceError::Refused { detail, .. } => of_text(&detail, release),
        ServiceError::Unavailable(cause) | ServiceError::Unclear(cause) => {
            PlatformError::Unavailable(format!(
                "The Builder Service did not deploy this: {}",
                explain(&cause)
            ))
        }
    }
}

/// `Namespace 'x' not found` is known; everything else is told as it is, with what helps.
fn of_text(text: &str, release: &Release) -> PlatformError {
    let lower = text.to_ascii_lowercase();
    if lower.contains("namespace") && lower.contains("not found") {
        return PlatformError::UnknownNamespace(release.namespace.to_string());
    }
    PlatformError::Refused(explain(text))
}
