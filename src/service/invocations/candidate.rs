//! Calls of programs that serve nowhere: drafts, and versions that a request is made again on.

use std::sync::Arc;
use std::time::Instant;

use super::{Completed, FunctionRequest, Invocations, QUEUE_TIME, record};
use crate::model::error::{Error, Result};
use crate::model::execution::Trigger;
use crate::model::id::FunctionId;
use crate::model::version::Configuration;
use crate::port::platform::{Call, Unserved};
use crate::service::executions::recorder::Owner;
use crate::service::functions::FunctionRecord;
use crate::service::new_id;

/// A program, and the settings it runs with.
#[derive(Clone, Debug)]
pub(in crate::service) struct Candidate {
    pub program: Unserved,
    pub version: Option<u32>,
    pub configuration: Configuration,
}

impl Invocations {
    /// One call in the function's name, recorded as `trigger`. It takes none of the places that the function's callers have. It goes on to its
    /// end when its caller leaves.
    pub(in crate::service) async fn run_candidate(
        self: &Arc<Self>,
        function: &FunctionRecord,
        candidate: Candidate,
        request: FunctionRequest,
        trigger: Trigger,
    ) -> Result<Completed> {
        let owner = Owner::Function {
            workspace: function.workspace_id.clone(),
            function: function.id.clone(),
        };
        let (invocations, function) = (self.clone(), function.id.clone());
        let run = async move {
            let ran = invocations.run_and_record(owner, function, candidate, request, trigger);
            ran.await
        };
        self.effects.run(run).await
    }

    async fn run_and_record(
        &self,
        owner: Owner,
        function: FunctionId,
        candidate: Candidate,
        request: FunctionRequest,
        trigger: Trigger,
    ) -> Result<Completed> {
        let configuration = candidate.configuration;
        let call = Call {
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            body: request.body,
            timeout: configuration.timeout.duration(),
            memory: configuration.memory.bytes(),
            max_body: self.limits.max_body,
        };
        let busy = || Error::overloaded("Many functions are being called. Try again in a moment.");
        let place = tokio::time::timeout(QUEUE_TIME, self.all.enter(function.as_str())).await;
        let _place = place.map_err(|_| busy())?.ok_or_else(busy)?;
        let (id, at) = new_id::execution();
        let begin = Instant::now();
        let outcome = self
            .platform
            .run_program(candidate.program, &function, &configuration, call.clone())
            .await;
        let execution = record::execution(record::Recorded {
            id,
            at,
            function,
            version: candidate.version,
            trigger,
            call: &call,
            duration: begin.elapsed(),
            outcome: &outcome,
        });
        self.recorder
            .record_durably(owner, execution.clone())
            .await?;
        Ok(Completed::new(execution, &call.body, outcome))
    }
}
