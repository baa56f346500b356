//! How an app is deployed to a cluster.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::parse_app_name;
use crate::model::error::{Error, Result};
use crate::model::function::Memory;

const MAX_REPLICAS: u32 = 100;
/// Bytes of tolerations, and of an affinity; a store takes no more levels of them either.
const MAX_JSON: usize = 16 * 1024;
const MAX_DEPTH: usize = 12;

/// What the deploy request may set, with its defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeployOptions {
    pub enable_autoscaling: bool,
    /// Only meaningful when autoscaling is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    pub use_spot: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_limit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_limit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_tolerations: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_affinity: Option<Value>,
}

/// MiB that a SpinApp asks for when nobody says how many.
const REQUESTED_MEMORY: u64 = 400;

/// Of a quantity as in `128Mi` or `1Gi`; other units are left to Kubernetes.
fn mebibytes(quantity: &str) -> Option<u64> {
    let number = |unit: &str| quantity.strip_suffix(unit)?.parse::<u64>().ok();
    number("Mi").or_else(|| number("Gi")?.checked_mul(1024))
}

impl DeployOptions {
    /// The options, when every one of them is what Kubernetes takes. Replicas count only where nothing scales.
    pub fn checked(mut self) -> Result<Self> {
        let replicas = self.replicas.unwrap_or(1);
        if !(1..=MAX_REPLICAS).contains(&replicas) {
            return Err(Error::validation(
                "replicas",
                format!("Choose 1 to {MAX_REPLICAS} replicas."),
            ));
        }
        self.replicas = (!self.enable_autoscaling).then_some(replicas);
        for (name, quantity) in [
            ("cpu_limit", &self.cpu_limit),
            ("memory_limit", &self.memory_limit),
            ("cpu_request", &self.cpu_request),
            ("memory_request", &self.memory_request),
        ] {
            check_quantity(name, quantity.as_deref())?;
        }
        if let Some(account) = &self.service_account {
            parse_app_name(account).map_err(|_| {
                Error::validation(
                    "service_account",
                    "A service account holds lower-case letters, digits and inner hyphens.",
                )
            })?;
        }
        let tolerations = self.custom_tolerations.as_ref();
        if tolerations.is_some_and(|value| !value.is_array() || !is_bounded(value)) {
            return Err(Error::validation(
                "custom_tolerations",
                "Write tolerations as a JSON list of objects, as in a pod.",
            ));
        }
        let affinity = self.custom_affinity.as_ref();
        if affinity.is_some_and(|value| !value.is_object() || !is_bounded(value)) {
            return Err(Error::validation(
                "custom_affinity",
                "Write an affinity as a JSON object, as in a pod.",
            ));
        }
        Ok(self)
    }

    /// With the function's memory for the limit where none was chosen, and a request that fits it: Kubernetes refuses one above its limit.
    #[must_use]
    pub fn for_memory(&self, memory: Memory) -> Self {
        let limit = self.memory_limit.clone();
        let limit = limit.unwrap_or_else(|| format!("{}Mi", memory.megabytes()));
        let is_below = mebibytes(&limit).is_some_and(|limit| limit < REQUESTED_MEMORY);
        let request = self.memory_request.clone();
        Self {
            memory_request: request.or_else(|| is_below.then(|| limit.clone())),
            memory_limit: Some(limit),
            ..self.clone()
        }
    }
}

/// A Kubernetes quantity such as `500m` or `128Mi`.
fn check_quantity(name: &str, text: Option<&str>) -> Result<()> {
    let fits = |text: &str| {
        text.len() <= 32
            && text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.')
    };
    if text.is_none_or(fits) {
        return Ok(());
    }
    Err(Error::validation(
        name,
        format!("Write {name} as a Kubernetes quantity, as in 500m or 128Mi."),
    ))
}

fn is_bounded(value: &Value) -> bool {
    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
            Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or_default(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        }
    }
    depth(value) <= MAX_DEPTH && value.to_string().len() <= MAX_JSON
}

impl Default for DeployOptions {
    fn default() -> Self {
        Self {
            enable_autoscaling: true,
            replicas: None,
            use_spot: true,
            service_account: None,
            cpu_limit: None,
            memory_limit: None,
            cpu_request: None,
            memory_request: None,
            custom_tolerations: None,
            custom_affinity: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_kubernetes_does_not_take_is_named() {
        let field = |change: fn(&mut DeployOptions)| {
            let mut options = DeployOptions::default();
            change(&mut options);
            options
                .checked()
                .map_err(|error| error.field.expect("a field"))
        };
        assert_eq!(field(|_| ()), Ok(DeployOptions::default()));
        let fixed = field(|options| options.enable_autoscaling = false).expect("valid");
        assert_eq!(fixed.replicas, Some(1));
        let scaled = field(|options| options.replicas = Some(3)).expect("valid");
        assert_eq!(scaled.replicas, None);
        let refused = |change| field(change).expect_err("refused");
        assert_eq!(refused(|options| options.replicas = Some(0)), "replicas");
        assert_eq!(
            refused(|options| options.cpu_limit = Some("much".to_owned())),
            "cpu_limit"
        );
        assert_eq!(
            refused(|options| options.service_account = Some("A b".to_owned())),
            "service_account"
        );
        assert_eq!(
            refused(|options| options.custom_tolerations = Some(json!({}))),
            "custom_tolerations"
        );
        assert_eq!(
            refused(|options| options.custom_affinity = Some(json!("x"))),
            "custom_affinity"
        );
    }

    #[test]
    fn a_functions_memory_limits_its_pods_and_no_request_is_above() {
        let memory = |megabytes| Memory::parse(megabytes).expect("valid");
        let chosen = |limit: Option<&str>, megabytes| {
            let options = DeployOptions {
                memory_limit: limit.map(ToOwned::to_owned),
                ..DeployOptions::default()
            };
            let options = options.for_memory(memory(megabytes));
            (
                options.memory_limit.expect("a limit"),
                options.memory_request,
            )
        };
        let text = ToOwned::to_owned;
        assert_eq!(chosen(None, 256), (text("256Mi"), Some(text("256Mi"))));
        assert_eq!(chosen(None, 1024), (text("1024Mi"), None));
        assert_eq!(chosen(Some("1Gi"), 128), (text("1Gi"), None));
        assert_eq!(
            chosen(Some("300Mi"), 512),
            (text("300Mi"), Some(text("300Mi")))
        );
        assert_eq!(chosen(Some("9e8"), 512), (text("9e8"), None));
    }
}
