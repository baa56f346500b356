//! Replays and checks, as the console's forms ask for them.

use super::forms::normalized;
use crate::model::error::{Error, Result};
use crate::model::function::Code;
use crate::model::id::{ExecutionId, FunctionId, WorkspaceId};
use crate::model::replay::{Check, Replayed};
use crate::service::Services;
use crate::service::actor::Actor;
use crate::service::functions::Draft;
use crate::service::paging::PageQuery;
use crate::service::replays::{CheckRequest, Methods, Target};

impl Services {
    /// `target` is `serving` or a version's number.
    pub async fn replay_from_form(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
        execution: &ExecutionId,
        target: &str,
    ) -> Result<Replayed> {
        let target =
            match target {
                "serving" => Target::Serving,
                number => Target::Version(number.parse().map_err(|_| {
                    Error::validation("target", "Choose a version, or what serves.")
                })?),
            };
        self.replays
            .replay(actor, workspace, function, execution, target)
            .await
    }

    pub async fn check_draft(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
        code: String,
        all_methods: bool,
    ) -> Result<Check> {
        let check = CheckRequest {
            target: Target::Draft(Draft::Code(Code::parse(normalized(code))?)),
            last: None,
            methods: if all_methods {
                Methods::All
            } else {
                Methods::Safe
            },
        };
        self.replays.check(actor, workspace, function, check).await
    }

    /// The newest 100, newest first.
    pub async fn version_numbers(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        function: &FunctionId,
    ) -> Result<Vec<u32>> {
        self.functions.record(workspace, function).await?;
        let part = PageQuery::default();
        let versions = self.builds.versions(function, &part).await?;
        Ok(versions.map(|version| version.number).rows)
    }
}
