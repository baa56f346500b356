//! What the console asks for about deploying a function.

use super::forms::deploy_options;
use crate::model::deployment::{AppName, ImageRef, Namespace};
use crate::model::error::{Error, Result};
use crate::model::form::DeployForm;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::platform::PlatformKind;
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::builds::record::{DeployPlan, PushTarget, TaskKind, TaskRecord};
use crate::service::deployments::{ScaffoldRequest, manifest};
use crate::service::functions::FunctionRecord;

impl Services {
    /// Builds what is saved, and deploys it unless the form says not to.
    pub async fn deploy_saved(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        form: DeployForm,
    ) -> Result<TaskRecord> {
        let function = self.functions.record(workspace, id).await?;
        if function.work.is_some() {
            return Err(Error::conflict(
                "A build of this function is under way. Wait for its end or cancel it.",
            ));
        }
        let (plan, push) = self.plan_deployment(&function, &form).await?;
        let kind = if form.build_only == "yes" {
            TaskKind::BuildAndPush
        } else {
            TaskKind::Deploy
        };
        let builds = &self.builds;
        builds.build_saved(actor, &function, kind, plan, push).await
    }

    /// What a deployment by this form is, checked.
    pub(in crate::service) async fn plan_deployment(
        &self,
        function: &FunctionRecord,
        form: &DeployForm,
    ) -> Result<(DeployPlan, Option<PushTarget>)> {
        let app_name = match form.app_name.trim() {
            "" => self.suggested_app_name(function)?,
            text => AppName::from_text(text).ok_or_else(|| {
                Error::validation(
                    "app_name",
                    "Choose an app name of letters, digits and hyphens.",
                )
            })?,
        };
        let app_name = self.deployments.platform_name(&app_name);
        if let Some(route) = self.invocations.route(&app_name)
            && (route.is_canary
                || route.function_id.is_some() && route.function_id.as_ref() != Some(&function.id))
        {
            return Err(Error::conflict(format!(
                "The app name {app_name} belongs to another function. Choose another name."
            ))
            .with_field("app_name"));
        }
        let namespace = match form.namespace.trim() {
            "" => self.deployments.default_namespace().clone(),
            text => Namespace::parse(text)?,
        };
        let plan = DeployPlan {
            app_name,
            namespace,
            options: match deploy_options(&form.cluster)? {
                Some(options) => options,
                None => self.deployments.options_of(function).await?,
            },
            on_save: false,
        };
        let push = match form.registry_url.trim() {
            "" => None,
            registry => Some(PushTarget::parse(registry, &form.tag, false)?),
        };
        Ok((plan, push))
    }

    pub async fn preview_manifest(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<String> {
        let function = self.functions.record(workspace, id).await?;
        let app_name = self.suggested_app_name(&function)?;
        let options = self.deployments.options_of(&function).await?;
        let newest = self.builds.newest_version(id).await?;
        // A version that was not pushed has none.
        let image = newest
            .map(|version| version.image_ref)
            .filter(|image| !image.is_empty())
            .unwrap_or_else(|| format!("local/{app_name}:next"));
        manifest(&ScaffoldRequest {
            app_name,
            namespace: self.deployments.default_namespace().clone(),
            image_ref: ImageRef::parse(image)?,
            function_id: Some(id.clone()),
            options: options.for_memory(function.memory),
        })
    }

    /// Where the cluster's own callers reach a function.
    pub(super) fn cluster_address(&self, record: &FunctionRecord) -> Option<String> {
        if self.deployments.platform_kind() == PlatformKind::Embedded {
            return None;
        }
        let route = self.invocations.route(record.app_name.as_ref()?)?;
        let endpoint = route.endpoint.as_ref()?;
        // It is kept as the Builder Service answered it.
        Some(if endpoint.contains("://") {
            endpoint.clone()
        } else {
            format!("http://{endpoint}")
        })
    }

    /// The name it has; else one made of the function's name, with the end of its id when the name gives nothing or is another function's.
    pub(super) fn suggested_app_name(&self, record: &FunctionRecord) -> Result<AppName> {
        if let Some(app) = &record.app_name {
            return Ok(app.clone());
        }
        let from_name = AppName::from_text(record.name.as_str());
        let from_name = from_name.map(|name| self.deployments.platform_name(&name));
        match from_name {
            Some(name)
                if self
                    .invocations
                    .route(&name)
                    .is_none_or(|route| route.function_id.as_ref() == Some(&record.id)) =>
            {
                Ok(name)
            }
            other => {
                let id = record.id.as_str().trim_start_matches("fn-");
                let stem: String = other.map_or_else(
                    || "fn".to_owned(),
                    |name| name.as_str().chars().take(40).collect(),
                );
                let name = AppName::from_text(&format!("{stem}-{id}"));
                let name = name.map(|name| self.deployments.platform_name(&name));
                name.ok_or_else(|| {
                    Error::validation(
                        "app_name",
                        "Choose an app name of lower-case letters, digits and hyphens.",
                    )
                })
            }
        }
    }
}
