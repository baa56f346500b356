//! What the console asks for in one go: pages from several services, and forms.

mod deployments;
mod forms;
mod replays;
mod versions;

use super::Services;
use super::actor::Actor;
use super::builds::record::TaskRecord;
use super::functions::{Draft, FunctionChange, NewFunction, parse_invocation_url};
use super::paging::PageQuery;
use super::statistics::Scope;
use super::workspaces::etag;
use crate::model::canary::Canary;
use crate::model::deployment::Deployment;
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
        let newest_builds = PageQuery {
            limit: Some(5),
            cursor: None,
        };
        let builds = self.builds.list_records(actor, id, &newest_builds).await?;
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
            builds: builds.map(TaskRecord::view).rows,
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
        let namespace = self.deployments.default_namespace().clone();
        Ok(FunctionDetail {
            workspace_name: self.workspaces.record(workspace).await?.name.to_string(),
            public_url: record
                .app_name
                .as_ref()
                .map(|app| self.deployments.public_url(app, &namespace)),
            platform: self.deployments.platform_kind(),
            cluster_address: self.cluster_address(&record),
            deploy_options: self.deployments.options_of(&record).await?,
            suggested_app_name: self.suggested_app_name(&record)?,
            default_namespace: namespace,
            latest_task,
            figures: day.figures,
            series: day.series,
            etag: etag(record.revision),
            function: record.view(&day.figures, Some(code)),
        })
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
            disabled: false,
            last_deployed: None,
            code: Code::parse(normalized(code))?,
            package: None,
        };
        let (function, _) = self.functions.create(actor, workspace, new).await?;
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

    /// The newest 100 tasks, deployments and versions of a function, each newest first, and its newest canary.
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
        let tasks = self.builds.list_of_function(actor, workspace, id).await?;
        let part = PageQuery::default();
        let versions = self.versions.list(actor, workspace, id, &part).await?;
        Ok((
            tasks,
            self.deployments.list(id, &part).await?.rows,
            versions.rows,
            self.deployments.canary(actor, workspace, id).await?,
        ))
    }

    pub async fn test_from_form(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        form: TestForm,
    ) -> Result<Execution> {
        let request = parse_request(form)?;
        let tested = self.invocations.test(actor, workspace, id, request).await?;
        // The page shows what is kept: of a long answer a preview.
        Ok(tested.execution)
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
        let ran = self
            .invocations
            .run_draft(actor, workspace, id, draft, request)
            .await?;
        Ok(ran.execution)
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
        self.retention.delete_workspace(actor, id, None).await
    }

    pub async fn delete_function(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<()> {
        let retention = &self.retention;
        retention.delete_function(actor, workspace, id, None).await
    }
}
