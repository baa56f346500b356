//! Calls of functions: through the functions listener, by `/invoke` and by `/test`. Each one is an execution.

mod candidate;
mod completed;
mod direct;
mod draft;
mod listener;
mod queue;
mod record;
mod remote;
mod request;

use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::deployments::Deployments;
use super::deployments::routes::{Route, Routes};
use super::effects::Effects;
use super::executions::recorder::Recorder;
use super::functions::Functions;
use super::{figures, new_id};
use crate::model::deployment::AppName;
use crate::model::error::{Error, ErrorKind};
use crate::model::execution::{Execution, Trigger};
use crate::port::platform::{Call, CallFailure, Caller, Outcome, Platform, while_wanted};
use crate::port::trace;

pub(in crate::service) use candidate::Candidate;
pub use completed::Completed;
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

/// What calls need of the others.
pub struct InvocationParts {
    pub platform: Arc<dyn Platform>,
    pub routes: Arc<Routes>,
    pub functions: Arc<Functions>,
    pub deployments: Arc<Deployments>,
    pub recorder: Recorder,
    pub remote: RemoteCaller,
    pub effects: Effects,
}

pub struct Invocations {
    platform: Arc<dyn Platform>,
    routes: Arc<Routes>,
    functions: Arc<Functions>,
    deployments: Arc<Deployments>,
    recorder: Recorder,
    remote: RemoteCaller,
    effects: Effects,
    limits: CallLimits,
    all: FairQueue,
    /// Calls of other addresses: one may lead back here, and wait for a place of `all`.
    elsewhere: FairQueue,
    /// Places to make drafts in: each computes for a moment.
    drafts: Semaphore,
    /// Calls of the listener that nobody waits for: the answer has begun, or the caller left.
    apart: TaskTracker,
}

impl Invocations {
    pub fn new(parts: InvocationParts, limits: CallLimits) -> Arc<Self> {
        Arc::new(Self {
            platform: parts.platform,
            routes: parts.routes,
            functions: parts.functions,
            deployments: parts.deployments,
            recorder: parts.recorder,
            remote: parts.remote,
            effects: parts.effects,
            limits,
            all: FairQueue::new(limits.concurrency),
            elsewhere: FairQueue::new(limits.concurrency),
            drafts: Semaphore::new(DRAFTS),
            apart: TaskTracker::new(),
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
        caller: Option<Caller>,
    ) -> (Execution, Outcome) {
        if let Some(traceparent) = trace::traceparent() {
            call.headers.insert(trace::TRACEPARENT, traceparent);
        }
        let (id, at) = new_id::execution();
        let begin = Instant::now();
        let places = places(&route.concurrency, &self.all, route.app_name.as_str());
        let outcome = match while_wanted(caller.as_ref(), places).await {
            Some(Some(_places)) => {
                let _in_progress = figures::call_in_progress();
                let app = &route.app_name;
                let span = tracing::debug_span!("platform call", %app, trigger = trigger.as_str());
                let calling = self.platform.call(app, call.clone(), caller);
                calling.instrument(span).await
            }
            Some(None) => Outcome::failed(CallFailure::Overloaded),
            None => Outcome::failed(CallFailure::CallerLeft { ran: false }),
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
}

/// One of a function's places, and one of all.
async fn places<'a>(
    own: &'a Semaphore,
    all: &FairQueue,
    function: &str,
) -> Option<(SemaphorePermit<'a>, Turn)> {
    let _waiting = figures::call_waiting();
    let both = async { Some((own.acquire().await.ok()?, all.enter(function).await?)) };
    tokio::time::timeout(QUEUE_TIME, both).await.ok().flatten()
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
            "The body is larger than the {} KiB that are passed on (BLUE_FAAS_MAX_BODY). Send less, or store it elsewhere and send its address.",
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
        CallFailure::OutOfMemory
        | CallFailure::ResponseTooLarge
        | CallFailure::CallerLeft { .. } => {
            Error::new(ErrorKind::Upstream, text).with_operation("FUNCTION_ERROR")
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
