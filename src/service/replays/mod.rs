//! Recorded requests, made again on a version or a draft: beside what serves, outside the statistics.

mod check;
mod request;

use std::sync::Arc;

use super::actor::Actor;
use super::deployments::record::AppRecord;
use super::executions::Executions;
use super::functions::{Draft, FunctionRecord, Functions};
use super::invocations::{Candidate, Invocations};
use super::table::{Table, internal};
use crate::model::comparison::Differences;
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::execution::Trigger;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::replay::{RecordedRequest, Replayed};
use crate::model::version::Version;
use crate::port::keys;
use crate::port::platform::{Platform, PlatformError, Unserved};

pub use check::{CheckRequest, Methods};

/// What a request is made again on.
#[derive(Clone, Debug)]
pub enum Target {
    /// What serves now.
    Serving,
    Version(u32),
    Draft(Draft),
}

pub struct Replays {
    table: Table,
    platform: Arc<dyn Platform>,
    functions: Arc<Functions>,
    executions: Arc<Executions>,
    invocations: Arc<Invocations>,
}

impl Replays {
    pub fn new(
        table: Table,
        platform: Arc<dyn Platform>,
        functions: Arc<Functions>,
        executions: Arc<Executions>,
        invocations: Arc<Invocations>,
    ) -> Arc<Self> {
        Arc::new(Self {
            table,
            platform,
            functions,
            executions,
            invocations,
        })
    }

    /// Makes one recorded request again. What it does outside, it does for real.
    pub async fn replay(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
        id: &ExecutionId,
        target: Target,
    ) -> Result<Replayed> {
        let original = self.executions.get(actor, workspace, function, id).await?;
        let recorded = RecordedRequest::of(&original)?;
        let function = self.functions.record(workspace, function).await?;
        let request = request::function_request(&function, &recorded)?;
        let candidate = self.candidate(&function, target).await?;
        let replay = self
            .invocations
            .run_candidate(&function, candidate, request, Trigger::Replay)
            .await?
            .execution;
        Ok(Replayed {
            differences: Differences::between(&original, &replay),
            original,
            replay,
            altered: recorded.altered,
        })
    }

    /// The target, ready to run. A version has the settings that serve now, so that what differs is the code's doing; a draft has those it
    /// would be deployed with.
    async fn candidate(&self, function: &FunctionRecord, target: Target) -> Result<Candidate> {
        self.invocations.check_programs()?;
        let serving = self.serving(function).await?;
        let settings = serving
            .as_ref()
            .map_or_else(|| function.configuration(), |app| app.configuration.clone());
        let (version, artifact) = match target {
            Target::Draft(draft) => {
                return self.invocations.draft_candidate(function, draft).await;
            }
            Target::Version(number) => {
                let key = keys::version(&function.id, number);
                let found: Option<Version> = self.table.get(&key).await?;
                let version = found
                    .ok_or_else(|| Error::not_found("version", number).with_field("version"))?;
                let artifact = version.artifact.ok_or_else(|| {
                    Error::new(
                        ErrorKind::NotDeployed,
                        "This version was built elsewhere and is kept there, so it runs only where it is deployed. Deploy it to try it.",
                    )
                    .with_field("version")
                })?;
                (Some(number), Some(artifact))
            }
            Target::Serving => serving.map_or((None, None), |app| (app.version, app.artifact)),
        };
        let artifact = artifact.ok_or_else(|| {
            Error::new(
                ErrorKind::NotDeployed,
                "Nothing of this function serves here. Name a version, or send the code of a draft.",
            )
        })?;
        self.platform.prepare(&artifact).await.map_err(unrunnable)?;
        Ok(Candidate {
            program: Unserved::Artifact(artifact),
            version,
            configuration: settings,
        })
    }

    async fn serving(&self, function: &FunctionRecord) -> Result<Option<AppRecord>> {
        let Some(app) = &function.app_name else {
            return Ok(None);
        };
        let app: Option<AppRecord> = self.table.get(&keys::app(app)).await?;
        Ok(app.filter(|app| app.function_id.as_ref() == Some(&function.id)))
    }
}

fn unrunnable(error: PlatformError) -> Error {
    match error {
        PlatformError::Unrunnable(reason) => Error::validation("version", reason),
        other => internal("REPLAY_ERROR", other),
    }
}
