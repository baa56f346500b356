//! The SpinApp manifest (SPEC §7).

use serde_json::{Value, json};

use crate::model::deployment::{AppName, DeployOptions, ImageRef, Namespace};
use crate::model::error::Result;
use crate::model::id::FunctionId;
use crate::service::table::internal;

/// What a manifest is made of.
#[derive(Clone, Debug)]
pub struct ScaffoldRequest {
    pub app_name: AppName,
    pub namespace: Namespace,
    pub image_ref: ImageRef,
    pub function_id: Option<FunctionId>,
    pub options: DeployOptions,
}

/// YAML: the SpinApp and, with autoscaling, its HorizontalPodAutoscaler.
pub fn manifest(request: &ScaffoldRequest) -> Result<String> {
    let options = &request.options;
    let mut labels = json!({"faas": "true"});
    if let Some(function) = &request.function_id {
        labels["function_id"] = Value::from(function.as_str());
    }
    let text =
        |value: &Option<String>, default: &str| value.clone().unwrap_or_else(|| default.to_owned());
    let mut spec = json!({
        "image": request.image_ref.as_str(),
        "executor": "containerd-shim-spin",
        "enableAutoscaling": options.enable_autoscaling,
        "resources": {
            "limits": {"cpu": text(&options.cpu_limit, "500m"), "memory": text(&options.memory_limit, "500Mi")},
            "requests": {"cpu": text(&options.cpu_request, "100m"), "memory": text(&options.memory_request, "400Mi")},
        },
        "podLabels": labels,
    });
    if !options.enable_autoscaling {
        spec["replicas"] = Value::from(options.replicas.unwrap_or(1));
    }
    if let Some(account) = &options.service_account {
        spec["serviceAccountName"] = Value::from(account.as_str());
    }
    let metadata = |name: String| json!({"name": name, "namespace": request.namespace.as_str()});
    let app = json!({"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "metadata": metadata(request.app_name.as_str().to_owned()), "spec": spec});
    let yaml = |value: &Value| {
        serde_yaml_ng::to_string(value).map_err(|cause| internal("SCAFFOLD_ERROR", cause))
    };
    if !options.enable_autoscaling {
        return yaml(&app);
    }
    let scaler = json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(format!("{}-hpa", request.app_name)),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": request.app_name.as_str()},
            "minReplicas": 1,
            "maxReplicas": 10,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}],
        },
    });
    Ok(format!("{}---\n{}", yaml(&app)?, yaml(&scaler)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(options: DeployOptions) -> ScaffoldRequest {
        ScaffoldRequest {
            app_name: AppName::parse("hello").expect("valid"),
            namespace: Namespace::parse("default").expect("valid"),
            image_ref: ImageRef::parse("registry.example.com/faas:v1").expect("valid"),
            function_id: Some(FunctionId::parse("fn-1").expect("valid")),
            options,
        }
    }

    #[test]
    fn replicas_stand_only_without_autoscaling() {
        let scaled = manifest(&request(DeployOptions {
            replicas: Some(3),
            ..DeployOptions::default()
        }))
        .expect("yaml");
        assert!(
            !scaled.contains("replicas: 3")
                && scaled.contains("kind: HorizontalPodAutoscaler")
                && scaled.contains("name: hello-hpa")
        );
        let fixed = manifest(&request(DeployOptions {
            enable_autoscaling: false,
            replicas: Some(3),
            ..DeployOptions::default()
        }))
        .expect("yaml");
        assert!(fixed.contains("replicas: 3") && !fixed.contains("HorizontalPodAutoscaler"));
    }
}
