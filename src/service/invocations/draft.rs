//! Running what is typed, before it is saved: with the function's settings, beside what serves, outside the statistics.

use std::time::Instant;

use super::{Invocations, QUEUE_TIME, TestRequest, local_request, record, too_large};
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, Trigger};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::port::platform::Call;
use crate::service::actor::Actor;
use crate::service::executions::recorder::Owner;
use crate::service::functions::Draft;
use crate::service::new_id;

impl Invocations {
    /// Runs a draft once. A function that fails is an execution whose status is `error`; a source that cannot run is an error.
    pub async fn run_draft(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        draft: Draft,
        request: TestRequest,
    ) -> Result<Execution> {
        if request.body.len() > self.limits.max_body {
            return Err(too_large(self.limits.max_body));
        }
        let function = self.functions.record(workspace, id).await?;
        let app = function
            .app_name
            .as_ref()
            .map_or("draft", |app| app.as_str());
        let request = local_request(app, request)?;
        let tree = self.functions.draft_tree(&function, draft).await?;
        let busy = || Error::overloaded("Many drafts are being run. Try again in a moment.");
        let place = tokio::time::timeout(QUEUE_TIME, self.drafts.acquire()).await;
        let place = place.map_err(|_| busy())?.map_err(|_| busy())?;
        let program = self.functions.draft_program(tree).await?;
        drop(place);

        let configuration = function.configuration();
        let call = Call {
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            body: request.body,
            timeout: configuration.timeout.duration(),
            memory: configuration.memory.bytes(),
            max_body: self.limits.max_body,
        };
        let place = tokio::time::timeout(QUEUE_TIME, self.all.enter(function.id.as_str())).await;
        let _place = place.map_err(|_| busy())?.ok_or_else(busy)?;
        let (execution, at) = new_id::execution();
        let begin = Instant::now();
        let outcome = self
            .platform
            .run_program(program, id, &configuration, call.clone())
            .await;
        let execution = record::execution(record::Recorded {
            id: execution,
            at,
            function: id.clone(),
            version: None,
            trigger: Trigger::Draft,
            call: &call,
            duration: begin.elapsed(),
            outcome: &outcome,
        });
        let owner = Owner::Function {
            workspace: workspace.clone(),
            function: id.clone(),
        };
        self.recorder
            .record_durably(owner, execution.clone())
            .await?;
        Ok(execution)
    }
}
