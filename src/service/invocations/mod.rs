//! Calls of functions: through the functions listener, by `/invoke` and by `/test`. Each one is an execution.

mod candidate;
mod draft;
mod listener;
mod queue;
mod record;
mod remote;
mod request;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::actor::Actor;
use super::console::DEFAULT_NAMESPACE;
use super::deployments::Deployments;
use super::deployments::routes::{Route, Routes};
use super::executions::recorder::{Owner, Recorder};
use super::functions::{FunctionRecord, Functions};
use super::{figures, new_id};
use crate::model::callable_hosts::cluster_host;
use crate::model::deployment::{AppName, Namespace};
use crate::model::error::{Error, ErrorKind, Result};
use crate::model::execution::{Execution, Trigger};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::platform::PlatformKind;
use crate::port::platform::{Call, CallFailure, OnBegin, Outcome, Platform};
use crate::port::trace;

pub(in crate::service) use candidate::Candidate;
pub use listener::FunctionAnswer;
use queue::{FairQueue, Turn};
pub use remote::RemoteCaller;
pub(in crate::service) use request::local_request;
pub use request::{FunctionRequest, TestRequest, add_spin_headers};

/// How long a call waits for a place when a function is at its limit.
const QUEUE_TIME: Duration = Duration::from_secs(3);
/// Drafts that are made at the same time.
const DRAFTS: usize = 2;

/// Limits of calls.
#[derive(Clone, Copy, Debug)]
pub struct CallLimits {
    /// Bytes of a request or response body.
    pub max_body: usize,
    /// Calls at the same time, over all functions.
    pub concurrency: usize,
}

pub struct Invocations {
    platform: Arc<dyn Platform>,
    routes: Arc<Routes>,
    functions: Arc<Functions>,
    deployments: Arc<Deployments>,
    recorder: Recorder,
    remote: RemoteCaller,
    limits: CallLimits,
    all: FairQueue,
    /// Places to make drafts in: each computes for a moment.
    drafts: tokio::sync::Semaphore,
    /// Calls whose answers have begun.
    streams: TaskTracker,
}

impl Invocations {
    pub fn new(
        platform: Arc<dyn Platform>,
        routes: Arc<Routes>,
        functions: Arc<Functions>,
        deployments: Arc<Deployments>,
        recorder: Recorder,
        remote: RemoteCaller,
        limits: CallLimits,
    ) -> Arc<Self> {
        Arc::new(Self {
            platform,
            routes,
            functions,
            deployments,
            recorder,
            remote,
            limits,
            all: FairQueue::new(limits.concurrency),
            drafts: tokio::sync::Semaphore::new(DRAFTS),
            streams: TaskTracker::new(),
        })
    }

    pub fn max_body(&self) -> usize {
        self.limits.max_body
    }

    pub fn route(&self, app: &AppName) -> Option<Arc<Route>> {
        self.routes.get(app)
    }

    fn call_of(&self, route: &Route, request: FunctionRequest) -> Call {
        Call {
            method: request.method,
            uri: request.uri,
            headers: request.headers,
            body: request.body,
            timeout: route.configuration.timeout.duration(),
            memory: route.configuration.memory.bytes(),
            max_body: self.limits.max_body,
        }
    }

    async fn run(
        &self,
        route: &Route,
        mut call: Call,
        trigger: Trigger,
        on_begin: Option<OnBegin>,
    ) -> (Execution, Outcome) {
        if let Some(traceparent) = trace::traceparent() {
            call.headers.insert(trace::TRACEPARENT, traceparent);
        }
        let (id, at) = new_id::execution();
        let begin = Instant::now();
        let outcome = match self.places(route).await {
            Some(_places) => {
                let _in_progress = figures::call_in_progress();
                let app = &route.app_name;
                let span = tracing::debug_span!("platform call", %app, trigger = trigger.as_str());
                let calling = self.platform.call(app, call.clone(), on_begin);
                calling.instrument(span).await
            }
            None => Outcome::failed(CallFailure::Overloaded),
        };
        let recorded = record::Recorded {
            id,
            at,
            function: route.recorded_as(),
            version: route.version,
            trigger,
            call: &call,
            duration: begin.elapsed(),
            outcome: &outcome,
        };
        (record::execution(recorded), outcome)
    }

    async fn places<'a>(
        &'a self,
        route: &'a Route,
    ) -> Option<(tokio::sync::SemaphorePermit<'a>, Turn)> {
        let _waiting = figures::call_waiting();
        let both = async {
            Some((
                route.concurrency.acquire().await.ok()?,
                self.all.enter(route.app_name.as_str()).await?,
            ))
        };
        tokio::time::timeout(QUEUE_TIME, both).await.ok().flatten()
    }

    /// The test call of older clients: POST, whatever methods the function has. A function that fails is recorded and answered as an error.
    pub async fn invoke(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        body: Bytes,
    ) -> Result<Execution> {
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
        let (execution, outcome) = self
            .call_function(workspace, id, request, Trigger::Invoke)
            .await?;
        match outcome.result {
            Ok(_) => Ok(execution),
            Err(failure) => Err(invoke_error(&failure, execution)),
        }
    }

    /// A full request; a function that fails is an execution whose status is `error`.
    pub async fn test(
        &self,
        _actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        request: TestRequest,
    ) -> Result<Execution> {
        self.call_function(workspace, id, request, Trigger::Test)
            .await
            .map(|(execution, _)| execution)
    }

    async fn call_function(
        &self,
        workspace: &WorkspaceId,
        id: &FunctionId,
        request: TestRequest,
        trigger: Trigger,
    ) -> Result<(Execution, Outcome)> {
        if request.body.len() > self.limits.max_body {
            return Err(too_large(self.limits.max_body));
        }
        let function = self.functions.record(workspace, id).await?;
        if function.disabled {
            return Err(disabled());
        }
        let owner = Owner::Function {
            workspace: workspace.clone(),
            function: id.clone(),
        };
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
        self.recorder
            .record_durably(owner, execution.clone())
            .await?;
        Ok((execution, outcome))
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
        let outcome = self.remote.call(&target, &call).await?;
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

pub fn disabled() -> Error {
    Error::new(
        ErrorKind::FunctionDisabled,
        "This function is disabled. Enable it to call it.",
    )
}

pub fn too_large(limit: usize) -> Error {
    Error::new(
        ErrorKind::PayloadTooLarge,
        format!(
            "The body is larger than the {} KiB that are passed on. Send less, or store it elsewhere and send its address.",
            limit / 1024
        ),
    )
}

fn call_error(
    failure: &CallFailure,
    configuration: &crate::model::version::Configuration,
) -> Error {
    let text = record::failure_text(
        failure,
        configuration.timeout.duration(),
        configuration.memory.bytes(),
    );
    match failure {
        CallFailure::NotDeployed => Error::new(ErrorKind::NotFound, text),
        CallFailure::TimedOut => Error::new(ErrorKind::Timeout, text),
        CallFailure::Overloaded => Error::overloaded(text),
        // What a function trapped with is for its developer, who finds it in the execution.
        CallFailure::Trapped(_) | CallFailure::Unreachable(_) => Error::new(
            ErrorKind::Upstream,
            "The function ended without an answer. Its executions show why.",
        )
        .with_operation("FUNCTION_ERROR"),
        CallFailure::OutOfMemory | CallFailure::ResponseTooLarge => {
            Error::new(ErrorKind::Upstream, text).with_operation("FUNCTION_ERROR")
        }
    }
}

fn invoke_error(failure: &CallFailure, execution: Execution) -> Error {
    let text = format!(
        "{} (execution {})",
        execution.error.unwrap_or_default(),
        execution.id
    );
    match failure {
        CallFailure::TimedOut => Error::new(ErrorKind::Timeout, text),
        CallFailure::NotDeployed => Error::new(ErrorKind::NotDeployed, text),
        CallFailure::Overloaded => Error::overloaded(text),
        CallFailure::Unreachable(_) => Error::new(ErrorKind::Invocation, text),
        CallFailure::OutOfMemory | CallFailure::ResponseTooLarge | CallFailure::Trapped(_) => {
            Error::new(ErrorKind::Internal, text).with_operation("EXECUTION_ERROR")
        }
    }
}

/// A 405 with the methods that pass.
pub fn method_not_allowed(route: &Route) -> Error {
    Error::new(
        ErrorKind::MethodNotAllowed,
        format!(
            "This function answers {} only.",
            route.configuration.http_methods.joined()
        ),
    )
}
