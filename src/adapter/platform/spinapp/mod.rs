//! Runs functions as SpinApps of a Kubernetes cluster: the Builder Service deploys them, the Kubernetes API gives them their variables and
//! takes them down, and calls go to their services.

mod deploy;
mod endpoint;
mod kubernetes;
mod objects;

use async_trait::async_trait;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use self::endpoint::Endpoint;
use self::kubernetes::Kubernetes;
pub use self::kubernetes::KubernetesConfig;
use self::objects::Objects;
use crate::adapter::builder_service::BuilderService;
use crate::model::callable_hosts::{CallableHosts, cluster_host};
use crate::model::deployment::{AppName, DeployOptions, Namespace};
use crate::model::function::Environment;
use crate::model::id::FunctionId;
use crate::model::platform::PlatformKind;
use crate::model::version::{Artifact, Configuration};
use crate::port::platform::{
    Call, CallFailure, Caller, Deployed, Outcome, Platform, PlatformError, Release, Unserved,
};
use crate::port::remote::RemoteFunctions;

/// Between tries to write variables, without which an app would run with the wrong settings, and to find what may have been deployed.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_secs(1),
    Duration::from_secs(3),
];

#[derive(Clone, Debug)]
pub struct SpinAppConfig {
    /// Where users reach the functions listener; `{app}` in it stands for the app name, else that is appended to the path.
    pub functions_url: String,
    pub kubernetes: KubernetesConfig,
    /// Where endpoints may be.
    pub hosts: CallableHosts,
    /// How long after a deployment without an endpoint that is asked for again.
    pub endpoint_wait: Duration,
}

pub struct SpinAppPlatform {
    config: SpinAppConfig,
    builder: Arc<BuilderService>,
    kubernetes: Kubernetes,
    functions: Arc<dyn RemoteFunctions>,
    /// Where calls go. Of an app whose endpoint is not known yet, that is where the service of a SpinApp is.
    apps: RwLock<HashMap<AppName, (Namespace, Endpoint)>>,
}

impl SpinAppPlatform {
    pub fn new(
        config: SpinAppConfig,
        builder: Arc<BuilderService>,
        functions: Arc<dyn RemoteFunctions>,
    ) -> Result<Self, String> {
        let kubernetes = Kubernetes::new(&config.kubernetes)?;
        Ok(Self {
            config,
            builder,
            kubernetes,
            functions,
            apps: RwLock::default(),
        })
    }

    fn objects<'a>(&'a self, app: &'a AppName, namespace: &'a Namespace) -> Objects<'a> {
        Objects {
            kubernetes: &self.kubernetes,
            app,
            namespace,
        }
    }

    fn set_endpoint(&self, app: &AppName, namespace: &Namespace, endpoint: Option<Endpoint>) {
        if let Some(endpoint) = endpoint.or_else(|| Endpoint::of_app(app, namespace)) {
            self.apps
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(app.clone(), (namespace.clone(), endpoint));
        }
    }

    fn endpoint_of(&self, app: &AppName) -> Option<Endpoint> {
        self.apps
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(app)
            .map(|(_, endpoint)| endpoint.clone())
    }

    /// Tries for a few seconds.
    async fn set_variables(
        &self,
        objects: Objects<'_>,
        environment: &Environment,
    ) -> Result<bool, PlatformError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let set = objects.set_variables(environment).await;
            match (set, pauses.next()) {
                (Err(PlatformError::Unavailable(_)), Some(pause)) => {
                    tokio::time::sleep(pause).await;
                }
                (set, _) => return set,
            }
        }
    }

    /// The answer's endpoint, else the one that there is a moment later; `None` while there is no service.
    async fn endpoint_after(
        &self,
        objects: Objects<'_>,
        answered: Option<String>,
        warnings: &mut Vec<String>,
    ) -> Result<Option<String>, PlatformError> {
        if let Some(answered) = answered {
            if Endpoint::parse(&answered, &self.config.hosts).is_some() {
                return Ok(Some(answered));
            }
            tracing::warn!(app = %objects.app, "the Builder Service answered an endpoint that functions are not called at");
            warnings.push("The Builder Service answered an address that functions are not called at; the app's service is called instead. If your cluster has another domain, add it to BLUE_FAAS_INVOKE_ALLOWED_HOSTS.".to_owned());
        } else {
            tokio::time::sleep(self.config.endpoint_wait).await;
        }
        self.find_endpoint(objects.app, objects.namespace).await
    }
}

#[async_trait]
impl Platform for SpinAppPlatform {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Cluster
    }

    /// The image in the registry is all that runs.
    async fn prepare(&self, _artifact: &Artifact) -> Result<(), PlatformError> {
        Ok(())
    }

    fn is_warm(&self) -> bool {
        true
    }

    async fn deploy(&self, release: Release) -> Result<Deployed, PlatformError> {
        let namespace = &release.namespace;
        check_name(&release.app_name, namespace)?;
        let objects = self.objects(&release.app_name, namespace);
        let before = objects.check_free(release.label()).await?;
        let rolled_out =
            deploy::roll_out(&self.builder, &release, objects, before.as_ref()).await?;
        let app_name = rolled_out.app_name;
        check_name(&app_name, namespace)?;
        let objects = self.objects(&app_name, namespace);
        let mut warnings = warnings(&release.options);
        if let Some(doubt) = rolled_out.doubt {
            tracing::warn!(app = %app_name, cause = %doubt, "a deployment was not confirmed, and is there");
            warnings.push(format!("The cluster has this deployment, which the Builder Service did not confirm: {doubt}"));
        }
        // From here on the new image is what serves: what goes wrong is told, and does not undo it.
        match self
            .set_variables(objects, &release.configuration.environment)
            .await
        {
            Ok(true) => {}
            Ok(false) => warnings.push(NO_VARIABLES.to_owned()),
            Err(error) => {
                tracing::error!(app = %app_name, %error, "an app has no variables");
                warnings.push(format!("{NO_VARIABLES} {error}"));
            }
        }
        let endpoint = self
            .endpoint_after(objects, rolled_out.endpoint, &mut warnings)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(app = %app_name, %error, "an endpoint could not be asked for");
                None
            });
        let known = endpoint
            .as_deref()
            .and_then(|text| Endpoint::parse(text, &self.config.hosts));
        self.set_endpoint(&app_name, namespace, known);
        Ok(Deployed {
            app_name,
            endpoint,
            warnings,
        })
    }

    async fn resume(
        &self,
        release: Release,
        endpoint: Option<String>,
    ) -> Result<(), PlatformError> {
        let known = endpoint.and_then(|text| Endpoint::parse(&text, &self.config.hosts));
        self.set_endpoint(&release.app_name, &release.namespace, known);
        Ok(())
    }

    async fn find_endpoint(
        &self,
        app: &AppName,
        namespace: &Namespace,
    ) -> Result<Option<String>, PlatformError> {
        let is_served = self.objects(app, namespace).is_served().await?;
        Ok(is_served.then(|| cluster_host(app.as_str(), namespace.as_str())))
    }

    async fn configure(
        &self,
        app: &AppName,
        namespace: &Namespace,
        configuration: Configuration,
    ) -> Result<(), PlatformError> {
        let objects = self.objects(app, namespace);
        // One that was taken down by somebody else has nothing to be told.
        self.set_variables(objects, &configuration.environment)
            .await
            .map(drop)
    }

    async fn delete(&self, app: &AppName, namespace: &Namespace) -> Result<(), PlatformError> {
        self.objects(app, namespace).delete().await?;
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if apps.get(app).is_some_and(|(found, _)| found == namespace) {
            apps.remove(app);
        }
        Ok(())
    }

    async fn call(&self, app: &AppName, call: Call, caller: Option<Caller>) -> Outcome {
        let endpoint = self.endpoint_of(app);
        match endpoint.and_then(|endpoint| endpoint.target(&call.uri)) {
            Some(target) => self.functions.call(&target, &call, caller).await,
            None => Outcome::failed(CallFailure::NotDeployed),
        }
    }

    async fn run_program(
        &self,
        _program: Unserved,
        _function: &FunctionId,
        _configuration: &Configuration,
        _call: Call,
    ) -> Outcome {
        let reason = "the cluster runs only what is deployed";
        Outcome::failed(CallFailure::Unreachable(reason.to_owned()))
    }

    fn endpoint(&self, app: &AppName, _namespace: &Namespace) -> String {
        app.address_at(&self.config.functions_url)
    }

    /// The Builder Service says so when one is missing.
    fn namespaces(&self) -> Option<Vec<Namespace>> {
        None
    }

    async fn cache_usage(&self) -> Option<u64> {
        None
    }

    async fn collect(&self, _keep: &HashSet<String>) -> Result<u64, PlatformError> {
        Ok(0)
    }

    async fn check(&self) -> Result<(), PlatformError> {
        self.kubernetes.get("/version").await.map(drop)
    }
}

const NO_VARIABLES: &str = "The app runs, but its variables could not be set. Save the function's settings again, or deploy once more.";

/// One name is the Kubernetes API's own.
fn check_name(app: &AppName, namespace: &Namespace) -> Result<(), PlatformError> {
    if Endpoint::of_app(app, namespace).is_some() {
        return Ok(());
    }
    Err(PlatformError::Taken(format!(
        "The name {app} is the cluster's own in the namespace {namespace}. Choose another app name."
    )))
}

/// What is sent on although SpinApps have no such fields (SPEC §7).
fn warnings(options: &DeployOptions) -> Vec<String> {
    let sent = [
        ("use_spot", options.use_spot),
        ("custom_tolerations", options.custom_tolerations.is_some()),
        ("custom_affinity", options.custom_affinity.is_some()),
    ];
    sent.into_iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(name, _)| format!("{name} was sent on to the Builder Service; SpinKube itself does not apply it: a SpinApp has no tolerations and no affinity."))
        .collect()
}
