//! Running what is typed, before it is saved: with the function's settings, beside what serves, outside the statistics.

use std::sync::Arc;

use super::{Candidate, Completed, Invocations, QUEUE_TIME, TestRequest, local_request, too_large};
use crate::model::error::{Error, Result};
use crate::model::execution::Trigger;
use crate::model::id::{FunctionId, WorkspaceId};
use crate::port::platform::Unserved;
use crate::service::actor::Actor;
use crate::service::functions::{Draft, FunctionRecord};

impl Invocations {
    /// Runs a draft once. A function that fails is an execution whose status is `error`; a source that cannot run is an error.
    pub async fn run_draft(
        self: &Arc<Self>,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        draft: Draft,
        request: TestRequest,
    ) -> Result<Completed> {
        if request.body.len() > self.limits.max_body {
            return Err(too_large(self.limits.max_body));
        }
        let function = self.functions.record(workspace, id).await?;
        let app = function
            .app_name
            .as_ref()
            .map_or("draft", |app| app.as_str());
        let request = local_request(app, request)?;
        let candidate = self.draft_candidate(&function, draft).await?;
        self.run_candidate(&function, candidate, request, Trigger::Draft)
            .await
    }

    /// Refuses what runs beside what serves, where the platform runs only that.
    pub(in crate::service) fn check_programs(&self) -> Result<()> {
        if self.platform.kind().runs_programs() {
            return Ok(());
        }
        Err(Error::conflict(
            "The cluster runs only what is deployed. Deploy the function to try its code, or run a server with BLUE_FAAS_PLATFORM=embedded for drafts and replays.",
        ))
    }

    /// A draft, ready to run as often as is wanted.
    pub(in crate::service) async fn draft_candidate(
        &self,
        function: &FunctionRecord,
        draft: Draft,
    ) -> Result<Candidate> {
        self.check_programs()?;
        let tree = self.functions.draft_tree(function, draft).await?;
        let busy = || Error::overloaded("Many drafts are being run. Try again in a moment.");
        let place = tokio::time::timeout(QUEUE_TIME, self.drafts.acquire()).await;
        let _place = place.map_err(|_| busy())?.map_err(|_| busy())?;
        Ok(Candidate {
            program: Unserved::Draft(self.functions.draft_program(tree).await?),
            version: None,
            configuration: function.configuration(),
        })
    }
}
