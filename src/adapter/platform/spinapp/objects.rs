//! The objects of an app in its cluster: whose they are, their variables, and taking them down.

use serde_json::{Value, json};

use super::kubernetes::Kubernetes;
use crate::model::deployment::{AppName, Namespace};
use crate::model::function::Environment;
use crate::model::id::FunctionId;
use crate::port::platform::PlatformError;

/// A value that names a key of a Secret in the app's namespace instead: `secret://{secret}/{key}`.
const SECRET: &str = "secret://";

/// An app of a namespace. Both are labels, so the paths below need no encoding.
#[derive(Clone, Copy)]
pub(super) struct Objects<'a> {
    pub kubernetes: &'a Kubernetes,
    pub app: &'a AppName,
    pub namespace: &'a Namespace,
}

impl Objects<'_> {
    fn spin_app_path(&self) -> String {
        let Self { app, namespace, .. } = self;
        format!("/apis/core.spinkube.dev/v1alpha1/namespaces/{namespace}/spinapps/{app}")
    }

    fn scaler_path(&self) -> String {
        let Self { app, namespace, .. } = self;
        format!("/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{app}-hpa")
    }

    fn service_path(&self) -> String {
        let Self { app, namespace, .. } = self;
        format!("/api/v1/namespaces/{namespace}/services/{app}")
    }

    pub async fn spin_app(&self) -> Result<Option<Value>, PlatformError> {
        self.kubernetes.get(&self.spin_app_path()).await
    }

    /// Whether its service is there.
    pub async fn is_served(&self) -> Result<bool, PlatformError> {
        Ok(self.kubernetes.get(&self.service_path()).await?.is_some())
    }

    /// Refuses a name under which there is something that `function` may not replace, and answers what it may.
    pub async fn check_free(
        &self,
        function: Option<&FunctionId>,
    ) -> Result<Option<Value>, PlatformError> {
        let found = self.spin_app().await?;
        if let Some(found) = &found {
            self.check_owner(found, function)?;
        } else if let Some(service) = self.kubernetes.get(&self.service_path()).await?
            && !self.is_ours(&service)
        {
            // It would be replaced by the app's.
            return Err(self.taken("A service"));
        }
        Ok(found)
    }

    fn check_owner(
        &self,
        found: &Value,
        function: Option<&FunctionId>,
    ) -> Result<(), PlatformError> {
        let labels = &found["spec"]["podLabels"];
        let owner = labels["function_id"].as_str();
        let is_other = owner
            .zip(function)
            .is_some_and(|(owner, function)| owner != function.as_str());
        if labels["faas"] != "true" || is_other {
            return Err(self.taken("A SpinApp of another owner"));
        }
        Ok(())
    }

    fn taken(&self, what: &str) -> PlatformError {
        let Self { app, namespace, .. } = self;
        PlatformError::Taken(format!(
            "{what} is named {app} in the namespace {namespace}. Choose another app name."
        ))
    }

    /// Binds the app's variables to the environment, unless they are already. `false` when there is no such app.
    pub async fn set_variables(&self, environment: &Environment) -> Result<bool, PlatformError> {
        let wanted = variables(environment);
        let Some(found) = self.spin_app().await? else {
            return Ok(false);
        };
        let known = found["spec"]["variables"].as_array();
        if known.map_or(&[][..], Vec::as_slice) == wanted.as_slice() {
            return Ok(true);
        }
        let patch = json!({"spec": {"variables": wanted}});
        let merged = self.kubernetes.merge(&self.spin_app_path(), &patch).await?;
        Ok(merged.is_some())
    }

    /// Each is tried whatever becomes of the others; what is not there, or not the app's, is left.
    pub async fn delete(&self) -> Result<(), PlatformError> {
        let spin_app = self.spin_app().await;
        let is_faas = |found: &Option<Value>| found.as_ref().is_none_or(is_labelled);
        let deleted = match spin_app {
            Ok(found) if is_faas(&found) => self.kubernetes.delete(&self.spin_app_path()).await,
            // Somebody else's of the same name, made since.
            Ok(_) => return Ok(()),
            Err(error) => Err(error),
        };
        let scaler = self.delete_ours(self.scaler_path()).await;
        let service = self.delete_ours(self.service_path()).await;
        deleted.and(scaler).and(service)
    }

    async fn delete_ours(&self, path: String) -> Result<(), PlatformError> {
        match self.kubernetes.get(&path).await? {
            Some(found) if self.is_ours(&found) => self.kubernetes.delete(&path).await,
            Some(_) => {
                tracing::warn!(app = %self.app, path, "left as it is: it is not this SpinApp's");
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Whether an object is the SpinApp's: owned by it, selecting its pods, or scaling its deployment.
    fn is_ours(&self, found: &Value) -> bool {
        let app = self.app.as_str();
        let owners = found["metadata"]["ownerReferences"].as_array();
        let is_owned = owners.is_some_and(|owners| {
            owners
                .iter()
                .any(|owner| owner["kind"] == "SpinApp" && owner["name"] == app)
        });
        let labels = [&found["metadata"]["labels"], &found["spec"]["selector"]];
        let is_named = labels
            .iter()
            .any(|labels| labels["core.spinkube.dev/app-name"] == app);
        is_owned || is_named || found["spec"]["scaleTargetRef"]["name"] == app
    }
}

fn is_labelled(spin_app: &Value) -> bool {
    spin_app["spec"]["podLabels"]["faas"] == "true"
}

/// The environment as bindings of Spin variables, by those names that Spin accepts.
fn variables(environment: &Environment) -> Vec<Value> {
    let bindings = environment.spin_variables().into_iter();
    bindings
        .map(|(name, value)| match secret_of(value) {
            Some((secret, key)) => {
                let reference = json!({"name": secret, "key": key});
                json!({"name": name, "valueFrom": {"secretKeyRef": reference}})
            }
            None => json!({"name": name, "value": value}),
        })
        .collect()
}

/// What is no whole reference is a value like any other.
fn secret_of(value: &str) -> Option<(&str, &str)> {
    let plain = |text: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !text.is_empty() && text.len() <= 253 && text.chars().all(fits)
    };
    let (secret, key) = value.strip_prefix(SECRET)?.split_once('/')?;
    (plain(secret) && plain(key)).then_some((secret, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_and_everything_else_is_a_value() {
        let pairs = [
            ("API_KEY", "secret://shop/api-key"),
            ("LEVEL", "debug"),
            ("ODD", "secret://shop"),
            ("_HIDDEN", "x"),
        ];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let environment = Environment::parse(pairs).expect("valid");
        assert_eq!(
            Value::from(variables(&environment)),
            json!([
                {"name": "api_key", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "api-key"}}},
                {"name": "level", "value": "debug"},
                {"name": "odd", "value": "secret://shop"},
            ])
        );
    }
}
