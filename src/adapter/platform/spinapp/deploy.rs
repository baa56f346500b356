//! Handing an image to the Builder Service, which makes a SpinApp of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

use super::PAUSES;
use super::objects::Objects;
use crate::adapter::builder_service::{BuilderService, Secrets, ServiceError, explain};
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
    /// What the Builder Service said of a release that the cluster has all the same.
    pub doubt: Option<String>,
}

/// Once: asking again would be another rollout. `before` is the app's SpinApp as it was found.
pub(super) async fn roll_out(
    builder: &BuilderService,
    release: &Release,
    objects: Objects<'_>,
    before: Option<&Value>,
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
        function_id: release.label().map(FunctionId::as_str),
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
        Ok(answer) => read(answer, release, &builder.secrets(None, None)),
        // It may have done it all the same: what the cluster has tells.
        Err(ServiceError::Unclear(cause)) => {
            if has_changed(objects, release, before).await {
                return Ok(RolledOut {
                    app_name: release.app_name.clone(),
                    endpoint: None,
                    doubt: Some(cause),
                });
            }
            let told = format!(
                "The Builder Service did not confirm this deployment, and the cluster does not show it: {}",
                explain(&cause)
            );
            Err(match before {
                None => PlatformError::Unconfirmed(told),
                Some(_) => PlatformError::Unavailable(told),
            })
        }
        Err(ServiceError::Refused { detail, .. }) => Err(of_text(&detail, release)),
        Err(ServiceError::Unavailable(cause)) => Err(PlatformError::Unavailable(format!(
            "The Builder Service did not deploy this: {}",
            explain(&cause)
        ))),
    }
}

fn read(answer: Answer, release: &Release, secrets: &Secrets) -> Result<RolledOut, PlatformError> {
    if let Some(error) = answer.error.filter(|error| !error.is_empty()) {
        return Err(of_text(&secrets.clean(&error), release));
    }
    let app_name = AppName::parse(&answer.app_name).map_err(|_| {
        PlatformError::Refused(
            "The Builder Service answered an app name that Kubernetes does not take.".to_owned(),
        )
    })?;
    Ok(RolledOut {
        app_name,
        endpoint: answer.endpoint.filter(|endpoint| !endpoint.is_empty()),
        doubt: None,
    })
}

/// Whether the cluster has this release, or has it a moment later, when a gateway gave up before the Builder Service did. One that served
/// the same image before has to differ in something else.
async fn has_changed(objects: Objects<'_>, release: &Release, before: Option<&Value>) -> bool {
    let image = release.image_ref.as_str();
    let mut pauses = PAUSES.into_iter();
    loop {
        if let Ok(Some(found)) = objects.spin_app().await
            && found["spec"]["image"] == image
            && before.is_none_or(|before| before["spec"] != found["spec"])
        {
            return true;
        }
        match pauses.next() {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return false,
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
