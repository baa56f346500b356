//! Calls by the API: `/invoke` and `/test`. One whose caller leaves goes on to its end.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;
use std::time::Instant;

use super::{
    Completed, Invocations, TestRequest, disabled, local_request, places, record, remote, too_large,
};
use crate::model::callable_hosts::cluster_host;
use crate::model::deployment::{AppName, Namespace};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::execution::{Execution, Trigger};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::platform::PlatformKind;
use crate::port::platform::{Call, CallFailure, Outcome};
use crate::service::actor::Actor;
use crate::service::console::DEFAULT_NAMESPACE;
use crate::service::deployments::routes::Route;
use crate::service::executions::recorder::Owner;
use crate::service::functions::FunctionRecord;
use crate::service::new_id;

impl Invocations {
    /// The test call of older clients: POST, whatever methods the function has. A function that fails is recorded and answered as an error.
    pub async fn invoke(
        self: &Arc<Self>,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        body: Bytes,
    ) -> Result<Completed> {
        let mut headers = HeaderMap::new();
        if !body.is_empty() {
            headers.insert(
                http::header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        let request = TestRequest {
            method: Method::POST,
            path: "/".to_owned(),
            query: String::new(),
            headers,
            body,
        };
        let completed = self
            .call_function(workspace, id, request, Trigger::Invoke)
            .await?;
        match &completed.answer {
            Ok(_) => Ok(completed),
            Err(failure) => Err(invoke_error(failure, &completed.execution)),
        }
    }

    /// A full request; a function that fails is an execution whose status is `error`.
    pub async fn test(
        self: &Arc<Self>,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        request: TestRequest,
    ) -> Result<Completed> {
        self.call_function(workspace, id, request, Trigger::Test)
            .await
    }

    async fn call_function(
        self: &Arc<Self>,
        workspace: &WorkspaceId,
        id: &FunctionId,
        request: TestRequest,
        trigger: Trigger,
    ) -> Result<Completed> {
        let (invocations, workspace, id) = (self.clone(), workspace.clone(), id.clone());
        let call = async move {
            let called = invocations.call_and_record(workspace, id, request, trigger);
            called.await
        };
        self.effects.run(call).await
    }

    async fn call_and_record(
        &self,
        workspace: WorkspaceId,
        id: FunctionId,
        request: TestRequest,
        trigger: Trigger,
    ) -> Result<Completed> {
        if request.body.len() > self.limits.max_body {
            return Err(too_large(self.limits.max_body));
        }
        let function = self.functions.record(&workspace, &id).await?;
        if function.disabled {
            return Err(disabled());
        }
        let request_body = request.body.clone();
        let route = function
            .app_name
            .as_ref()
            .and_then(|app| self.routes.get(app));
        let (execution, outcome) = match (&function.invocation_url, route) {
            (Some(url), route) if !route.as_ref().is_some_and(|route| self.is_own(url, route)) => {
                self.call_remote(&function, url, request, trigger).await?
            }
            (_, Some(route)) => {
                let call = self.call_of(&route, local_request(route.app_name.as_str(), request)?);
                self.run(&route, call, trigger, None).await
            }
            (_, None) => {
                let url = self.first_address(&function).ok_or_else(not_deployed)?;
                self.call_remote(&function, &url, request, trigger).await?
            }
        };
        let owner = Owner::Function {
            workspace,
            function: id,
        };
        self.recorder
            .record_durably(owner, execution.clone())
            .await?;
        Ok(Completed::new(execution, &request_body, outcome))
    }

    /// Whether a URL is where the route itself leads.
    fn is_own(&self, url: &str, route: &Route) -> bool {
        let bare = |url: &str| {
            let url = url.split_once("://").map_or(url, |(_, place)| place);
            url.trim_end_matches('/').to_owned()
        };
        let namespace = Namespace::parse(DEFAULT_NAMESPACE);
        let public = namespace.map(|namespace| self.platform.endpoint(&route.app_name, &namespace));
        let own = [public.ok(), route.endpoint.clone()];
        own.into_iter().flatten().any(|own| bare(&own) == bare(url))
    }

    /// Where the first system deployed a function that has not been deployed since.
    fn first_address(&self, function: &FunctionRecord) -> Option<String> {
        function.last_deployed?;
        let kind = self.platform.kind();
        let named = function.app_name.clone();
        let app = named.or_else(|| AppName::from_text(function.name.as_str()))?;
        (kind == PlatformKind::Cluster).then(|| {
            let host = cluster_host(kind.app_name(&app).as_str(), DEFAULT_NAMESPACE);
            format!("http://{host}")
        })
    }

    async fn call_remote(
        &self,
        function: &FunctionRecord,
        url: &str,
        request: TestRequest,
        trigger: Trigger,
    ) -> Result<(Execution, Outcome)> {
        let target = remote::target(url, &request.path, &request.query)?;
        let (id, at) = new_id::execution();
        let begin = Instant::now();
        let mut headers = request.headers;
        // The address's own goes there.
        headers.remove(http::header::HOST);
        let call = Call {
            method: request.method,
            uri: target.as_str().parse().map_err(|_| Error::validation("path", "This path cannot be part of an address. Percent-encode what is not a plain character."))?,
            headers,
            body: request.body,
            timeout: function.timeout.duration(),
            memory: function.memory.bytes(),
            max_body: self.limits.max_body,
        };
        let own = self.remote.places_of(&function.id);
        let places = places(&own, &self.elsewhere, function.id.as_str());
        let outcome = match places.await {
            Some(_places) => self.remote.call(&target, &call).await?,
            None => Outcome::failed(CallFailure::Overloaded),
        };
        let recorded = record::Recorded {
            id,
            at,
            function: function.id.clone(),
            version: None,
            trigger,
            call: &call,
            duration: begin.elapsed(),
            outcome: &outcome,
        };
        Ok((record::execution(recorded), outcome))
    }
}

fn not_deployed() -> Error {
    Error::new(
        ErrorKind::NotDeployed,
        "This function is not deployed yet. Deploy it, then call it.",
    )
}

fn invoke_error(failure: &CallFailure, execution: &Execution) -> Error {
    let text = format!(
        "{} (execution {})",
        execution.error.as_deref().unwrap_or_default(),
        execution.id
    );
    match failure {
        CallFailure::TimedOut => Error::new(ErrorKind::Timeout, text),
        CallFailure::NotDeployed => Error::new(ErrorKind::NotDeployed, text),
        CallFailure::Overloaded => Error::overloaded(text),
        CallFailure::Unreachable(_) | CallFailure::CallerLeft { .. } => {
            Error::new(ErrorKind::Invocation, text)
        }
        CallFailure::OutOfMemory | CallFailure::ResponseTooLarge | CallFailure::Trapped(_) => {
            Error::new(ErrorKind::Internal, text).with_operation("EXECUTION_ERROR")
        }
    }
}
