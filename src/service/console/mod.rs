//! What the console asks for in one go: pages from several services, and forms.

mod forms;
mod replays;
mod versions;

use super::Services;
use super::actor::Actor;
use super::builds::record::{DeployPlan, PushTarget, TaskKind, TaskRecord};
use super::deployments::{ScaffoldRequest, manifest};
use super::functions::record::FunctionRecord;
use super::functions::{Draft, FunctionChange, NewFunction, parse_invocation_url};
use super::statistics::Scope;
use super::workspaces::etag;
use crate::model::canary::Canary;
use crate::model::deployment::{AppName, DeployOptions, Deployment, ImageRef, Namespace};
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, ExecutionFilter};
use crate::model::form::{DeployForm, SettingsForm, TestForm};
use crate::model::function::{Code, Function, FunctionDetail};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::task::TaskView;
use crate::model::version::VersionView;
use crate::model::workspace::WorkspaceOverview;
use forms::{CheckedSettings, normalized, parse_request};

const HALF_HOUR: i64 = 1_800;
pub const DEFAULT_NAMESPACE: &str = "default";

impl Services {
    /// An execution that retention removed may show for up to five minutes more.
    pub async fn overview(&self, actor: &Actor, id: &WorkspaceId) -> Result<WorkspaceOverview> {
        let stamp = self.functions.list_stamp(id);
        self.overviews
            .get(id.as_str(), stamp, self.make_overview(actor, id), |_| true)
            .await
    }

    async fn make_overview(&self, actor: &Actor, id: &WorkspaceId) -> Result<WorkspaceOverview> {
        let workspace = self.workspaces.get(actor, id).await?;
        let functions = self.functions.directory(id).await?;
        let scope = Scope::workspace(id);
        let newest = ExecutionFilter {
            limit: Some(10),
            ..ExecutionFilter::default()
        };
        let disabled_functions = functions
            .iter()
            .filter(|function| function.disabled)
            .count() as u64;
        let mut builds = self.builds.list(actor, id, None).await?;
        builds.truncate(5);
        let day = self.statistics.day_in_steps(&scope, HALF_HOUR).await?;
        Ok(WorkspaceOverview {
            workspace,
            active_functions: functions.len() as u64 - disabled_functions,
            disabled_functions,
            figures: day.figures,
            series: day.series,
            executions: self
                .executions
                .list_workspace_summaries(actor, id, &newest)
                .await?
                .0,
            builds,
        })
    }

    pub async fn function_detail(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<FunctionDetail> {
        let record = self.functions.record(workspace, id).await?;
        let code = self.functions.code(&record).await?;
        let scope = Scope::function(id);
        let day = self.statistics.day_in_steps(&scope, HALF_HOUR).await?;
        let latest_task = match &record.task_id {
            Some(task) => self
                .builds
                .get(actor, task, Some(workspace))
                .await
                .ok()
                .map(TaskRecord::view),
            None => None,
        };
        let namespace = Namespace::parse(DEFAULT_NAMESPACE)?;
        Ok(FunctionDetail {
            workspace_name: self.workspaces.record(workspace).await?.name.to_string(),
            public_url: record
                .app_name
                .as_ref()
                .map(|app| self.deployments.public_url(app, &namespace)),
            suggested_app_name: self.suggested_app_name(&record)?,
            latest_task,
            figures: day.figures,
            series: day.series,
            etag: etag(record.revision),
            function: record.view(&day.figures, Some(code)),
        })
    }

    /// The name it has; else one made of the function's name, with the end of its id when the name gives nothing or is another function's.
    fn suggested_app_name(&self, record: &FunctionRecord) -> Result<AppName> {
        if let Some(app) = &record.app_name {
            return Ok(app.clone());
        }
        let from_name = AppName::from_text(record.name.as_str());
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
                AppName::from_text(&format!("{stem}-{id}")).ok_or_else(|| {
                    Error::validation(
                        "app_name",
                        "Choose an app name of lower-case letters, digits and hyphens.",
                    )
                })
            }
        }
    }

    pub async fn create_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        settings: SettingsForm,
        code: String,
        deploy: bool,
    ) -> Result<Function> {
        let checked = CheckedSettings::parse(&settings)?;
        let new = NewFunction {
            name: checked.name,
            description: Some(checked.description)
                .filter(|description| !description.as_str().is_empty()),
            memory: checked.memory,
            timeout: checked.timeout,
            http_methods: checked.methods,
            environment: checked.environment,
            allowed_outbound_hosts: checked.hosts,
            instance_reuse: checked.reuse,
            invocation_url: parse_invocation_url(&settings.invocation_url)?,
            deploy_on_save: settings.deploy_on_save == "yes",
            code: Code::parse(normalized(code))?,
            package: None,
        };
        let function = self.functions.create(actor, workspace, new).await?;
        if deploy {
            self.deploy_saved(actor, workspace, &function.id, DeployForm::default())
                .await?;
        }
        Ok(function)
    }

    pub async fn save_settings(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        settings: SettingsForm,
        etag: &str,
    ) -> Result<()> {
        let checked = CheckedSettings::parse(&settings)?;
        let change = FunctionChange {
            name: Some(checked.name),
            description: Some(checked.description),
            memory: Some(checked.memory),
            timeout: Some(checked.timeout),
            http_methods: Some(checked.methods),
            environment: Some(checked.environment),
            allowed_outbound_hosts: Some(checked.hosts),
            instance_reuse: Some(checked.reuse),
            invocation_url: Some(settings.invocation_url),
            deploy_on_save: Some(settings.deploy_on_save == "yes"),
            ..FunctionChange::default()
        };
        self.change_function(actor, workspace, id, change, etag)
            .await
    }

    pub async fn save_code(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        code: String,
        etag: &str,
    ) -> Result<()> {
        let change = FunctionChange {
            code: Some(Code::parse(normalized(code))?),
            ..FunctionChange::default()
        };
        self.change_function(actor, workspace, id, change, etag)
            .await
    }

    /// `etag` as a form sends it: empty when it does not know what it changes.
    async fn change_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        change: FunctionChange,
        etag: &str,
    ) -> Result<()> {
        let if_match = Some(etag).filter(|tag| !tag.is_empty());
        self.update_function(actor, workspace, id, change, if_match)
            .await
            .map(drop)
    }

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
        let (plan, push) = self.plan_deployment(&function, &form)?;
        let kind = if form.build_only == "yes" {
            TaskKind::BuildAndPush
        } else {
            TaskKind::Deploy
        };
        let builds = &self.builds;
        builds.build_saved(actor, &function, kind, plan, push).await
    }

    /// What a deployment by this form is, checked.
    pub(super) fn plan_deployment(
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
        if let Some(route) = self.invocations.route(&app_name)
            && (route.is_canary
                || route.function_id.is_some() && route.function_id.as_ref() != Some(&function.id))
        {
            return Err(Error::conflict(format!(
                "The app name {app_name} belongs to another function. Choose another name."
            ))
            .with_field("app_name"));
        }
        let namespace = Namespace::parse(if form.namespace.trim().is_empty() {
            DEFAULT_NAMESPACE
        } else {
            form.namespace.trim()
        })?;
        let plan = DeployPlan {
            app_name,
            namespace,
            options: DeployOptions::default(),
            on_save: false,
        };
        let push = match form.registry_url.trim() {
            "" => None,
            registry => Some(PushTarget::parse(registry, &form.tag, false)?),
        };
        Ok((plan, push))
    }

    /// Tasks, deployments and versions of a function, each newest first, and its newest canary.
    pub async fn build_history(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<(
        Vec<TaskView>,
        Vec<Deployment>,
        Vec<VersionView>,
        Option<Canary>,
    )> {
        self.functions.record(workspace, id).await?;
        Ok((
            self.builds.list_of_function(actor, workspace, id).await?,
            self.deployments.list(id).await?,
            self.versions.list(actor, workspace, id).await?,
            self.deployments.canary(actor, workspace, id).await?,
        ))
    }

    pub async fn preview_manifest(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<String> {
        let function = self.functions.record(workspace, id).await?;
        let app_name = self.suggested_app_name(&function)?;
        let newest = self.builds.versions(id).await?.into_iter().next();
        let image = newest.map_or_else(
            || format!("local/{app_name}:next"),
            |version| version.image_ref,
        );
        manifest(&ScaffoldRequest {
            app_name,
            namespace: Namespace::parse(DEFAULT_NAMESPACE)?,
            image_ref: ImageRef::parse(image)?,
            function_id: Some(id.clone()),
            options: DeployOptions::default(),
        })
    }

    pub async fn test_from_form(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        form: TestForm,
    ) -> Result<Execution> {
        let request = parse_request(form)?;
        self.invocations.test(actor, workspace, id, request).await
    }

    pub async fn draft_from_form(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        code: String,
        form: TestForm,
    ) -> Result<Execution> {
        let draft = Draft::Code(Code::parse(normalized(code))?);
        let request = parse_request(form)?;
        self.invocations
            .run_draft(actor, workspace, id, draft, request)
            .await
    }

    /// `confirmation` must be the workspace's name.
    pub async fn delete_workspace_confirmed(
        &self,
        actor: &Actor,
        id: &WorkspaceId,
        confirmation: &str,
    ) -> Result<()> {
        let workspace = self.workspaces.get(actor, id).await?;
        if confirmation.trim() != workspace.name.as_str() {
            return Err(Error::validation(
                "confirmation",
                format!(
                    "Type the workspace's name, {}, to delete it.",
                    workspace.name
                ),
            ));
        }
        self.retention.delete_workspace(actor, id).await
    }

    pub async fn delete_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<()> {
        self.retention.delete_function(actor, workspace, id).await
    }
}
