//! What the console asks for in one go: pages from several services, and forms.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::Services;
use super::actor::Actor;
use super::builds::record::{DeployPlan, PushTarget, TaskRecord};
use super::deployments::{ScaffoldRequest, manifest};
use super::functions::record::FunctionRecord;
use super::functions::{Draft, FunctionChange, NewFunction, parse_invocation_url};
use super::invocations::TestRequest;
use super::statistics::{DAY, Scope};
use super::workspaces::etag;
use crate::model::deployment::{AppName, DeployOptions, Deployment, ImageRef, Namespace};
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, ExecutionFilter};
use crate::model::form::{DeployForm, SettingsForm, TestForm};
use crate::model::function::{
    Code, Environment, Function, FunctionDetail, HttpMethod, HttpMethods, Memory, OutboundHost,
    Timeout,
};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::task::TaskView;
use crate::model::version::Version;
use crate::model::workspace::{Description, Name, WorkspaceOverview};

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
        let functions = self.functions.records(id).await?;
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
        Ok(WorkspaceOverview {
            workspace,
            active_functions: functions.len() as u64 - disabled_functions,
            disabled_functions,
            figures: self.statistics.day(&scope).await?,
            series: self.statistics.series(&scope, DAY, HALF_HOUR).await?,
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
        let figures = self.statistics.day(&scope).await?;
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
            workspace_name: self
                .workspaces
                .get(actor, workspace)
                .await?
                .name
                .to_string(),
            public_url: record
                .app_name
                .as_ref()
                .map(|app| self.deployments.public_url(app, &namespace)),
            suggested_app_name: self.suggested_app_name(&record)?,
            latest_task,
            figures,
            series: self.statistics.series(&scope, DAY, HALF_HOUR).await?,
            etag: etag(record.revision),
            function: record.view(&figures, Some(code)),
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
            invocation_url: parse_invocation_url(&settings.invocation_url)?,
            code: Code::parse(normalized(code))?,
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
            invocation_url: Some(settings.invocation_url),
            ..FunctionChange::default()
        };
        self.functions
            .update(
                actor,
                workspace,
                id,
                change,
                Some(etag).filter(|tag| !tag.is_empty()),
            )
            .await
            .map(drop)
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
        self.functions
            .update(
                actor,
                workspace,
                id,
                change,
                Some(etag).filter(|tag| !tag.is_empty()),
            )
            .await
            .map(drop)
    }

    /// Builds what is saved and deploys it.
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
        let app_name = match form.app_name.trim() {
            "" => self.suggested_app_name(&function)?,
            text => AppName::from_text(text).ok_or_else(|| {
                Error::validation(
                    "app_name",
                    "Choose an app name of letters, digits and hyphens.",
                )
            })?,
        };
        if let Some(route) = self.invocations.route(&app_name)
            && route.function_id.is_some()
            && route.function_id.as_ref() != Some(id)
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
        };
        let push = match form.registry_url.trim() {
            "" => None,
            registry => Some(push_target(registry, &form.tag, false)?),
        };
        self.builds.build_saved(actor, &function, plan, push).await
    }

    /// Tasks, deployments and versions of a function, each newest first.
    pub async fn build_history(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
    ) -> Result<(Vec<TaskView>, Vec<Deployment>, Vec<Version>)> {
        self.functions.record(workspace, id).await?;
        Ok((
            self.builds.list_of_function(actor, workspace, id).await?,
            self.deployments.list(id).await?,
            self.builds.versions(id).await?,
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

/// `registry/repository` with a tag; `https://` before it is dropped.
pub fn push_target(registry_url: &str, tag: &str, with_credentials: bool) -> Result<PushTarget> {
    let registry_url = registry_url
        .trim()
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    let tag = tag.trim().to_owned();
    ImageRef::parse(&registry_url).map_err(|_| {
        Error::validation(
            "registry_url",
            "Write a registry as host/repository, as in registry.example.com/team/app.",
        )
    })?;
    let tag_fits = tag.len() <= 128
        && tag
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
        && !tag.starts_with(['.', '-']);
    if tag_fits {
        Ok(PushTarget {
            registry_url,
            tag,
            with_credentials,
        })
    } else {
        Err(Error::validation(
            "tag",
            "A tag holds at most 128 letters, digits, dots, underscores and hyphens.",
        ))
    }
}

struct CheckedSettings {
    name: Name,
    description: Description,
    methods: HttpMethods,
    memory: Memory,
    timeout: Timeout,
    environment: Environment,
    hosts: Vec<OutboundHost>,
}

impl CheckedSettings {
    fn parse(form: &SettingsForm) -> Result<Self> {
        let number = |field: &str, text: &str, default: u32| match text.trim() {
            "" => Ok(default),
            text => text
                .parse()
                .map_err(|_| Error::validation(field, "Enter a whole number.")),
        };
        let methods: Result<Vec<_>> = form
            .methods
            .iter()
            .map(|method| HttpMethod::parse(method))
            .collect();
        let rows = form
            .environment
            .iter()
            .filter(|row| !row.name.trim().is_empty())
            .map(|row| (row.name.trim().to_owned(), row.value.clone()));
        let hosts: Result<Vec<_>> = form
            .allowed_outbound_hosts
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(OutboundHost::parse)
            .collect();
        Ok(Self {
            name: Name::parse(&form.name)?,
            description: Description::parse(&form.description)?,
            methods: HttpMethods::parse(methods?)?,
            memory: Memory::parse(number(
                "memory",
                &form.memory,
                Memory::default().megabytes(),
            )?)?,
            timeout: Timeout::parse(number(
                "timeout",
                &form.timeout,
                Timeout::default().seconds(),
            )?)?,
            environment: Environment::parse(rows.chain(parse_block(&form.environment_block)?))?,
            hosts: hosts?,
        })
    }
}

/// A `.env` block: `NAME=value`, `export NAME=value`, `#` comments, values optionally in quotes.
fn parse_block(block: &str) -> Result<Vec<(String, String)>> {
    let mut variables = Vec::new();
    for line in block
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, value) = line.split_once('=').ok_or_else(|| {
            Error::validation(
                "environmentVariables",
                "Write each line of the block as NAME=value.",
            )
        })?;
        let value = value.trim();
        let unquoted = ['"', '\'']
            .into_iter()
            .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(value);
        variables.push((name.trim().to_owned(), unquoted.to_owned()));
    }
    Ok(variables)
}

fn parse_request(form: TestForm) -> Result<TestRequest> {
    let method = if form.method.trim().is_empty() {
        HttpMethod::Get
    } else {
        HttpMethod::parse(&form.method).map_err(|error| error.with_field("method"))?
    };
    Ok(TestRequest {
        method: Method::from_bytes(method.as_str().as_bytes()).unwrap_or(Method::GET),
        path: form.path,
        query: form.query,
        headers: parse_headers(&form.headers)?,
        body: Bytes::from(form.body),
    })
}

/// One header a line.
fn parse_headers(text: &str) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let wrong = || {
            Error::validation(
                "headers",
                "Write each header on a line of its own, as in accept: application/json.",
            )
        };
        let (name, value) = line.split_once(':').ok_or_else(wrong)?;
        headers.append(
            HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?,
            HeaderValue::from_str(value.trim()).map_err(|_| wrong())?,
        );
    }
    Ok(headers)
}

/// Browsers send line breaks of forms as CR LF.
fn normalized(code: String) -> String {
    if code.contains('\r') {
        code.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_env_block_is_read() {
        let variables =
            parse_block("# comment\nexport A=1\nB=\"two words\"\n\nC='x=y'\n").expect("readable");
        let expected = [("A", "1"), ("B", "two words"), ("C", "x=y")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables, expected);
        assert!(parse_block("no equals sign").is_err());
    }

    #[test]
    fn a_tag_that_could_be_an_option_is_refused() {
        assert!(push_target("registry.example.com/a", "-x", false).is_err());
        assert!(
            push_target("https://registry.example.com/a/", "v1.0", false)
                .is_ok_and(|target| target.registry_url == "registry.example.com/a")
        );
    }
}
