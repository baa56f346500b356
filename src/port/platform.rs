//! Where deployed functions run.

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::model::deployment::{AppName, DeployOptions, ImageRef, Namespace};
use crate::model::execution::Level;
use crate::model::id::{DeploymentId, FunctionId};
use crate::model::platform::PlatformKind;
use crate::model::version::{Artifact, Configuration};

/// What to run under an app name.
#[derive(Clone, Debug)]
pub struct Release {
    pub deployment_id: DeploymentId,
    pub app_name: AppName,
    pub namespace: Namespace,
    pub function_id: Option<FunctionId>,
    /// A function that others know by this id, and we do not: no more than a label.
    pub claimed_by: Option<FunctionId>,
    pub version: Option<u32>,
    pub image_ref: ImageRef,
    /// Absent when only the registry holds the image.
    pub artifact: Option<Artifact>,
    pub configuration: Configuration,
    pub options: DeployOptions,
}

impl Release {
    /// What pods are labelled with, and so logs and metrics are found by: none where Kubernetes would refuse it.
    pub fn label(&self) -> Option<&FunctionId> {
        let id = self.function_id.as_ref().or(self.claimed_by.as_ref());
        id.filter(|id| {
            let (id, is_end) = (id.as_str(), |end: char| end.is_ascii_alphanumeric());
            id.len() <= 63 && id.starts_with(is_end) && id.ends_with(is_end)
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// The name the platform gave the app: what is stored, shown and used from now on.
    pub app_name: AppName,
    /// Where the platform answers; `None` while it is not known yet.
    pub endpoint: Option<String>,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub method: Method,
    /// Scheme, host, path (without the app's prefix) and query as the function sees them.
    pub uri: http::Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Wall-clock time of this call at most.
    pub timeout: Duration,
    /// Memory of this call at most, in bytes.
    pub memory: usize,
    /// Response body at most, in bytes.
    pub max_body: usize,
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// An answer whose end is still to come.
#[derive(Debug)]
pub struct Begun {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The whole body, piece by piece; its last item is an error when the call fails before the end.
    pub body: mpsc::UnboundedReceiver<Result<Bytes, BrokenOff>>,
}

#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the function failed before its answer was complete")]
pub struct BrokenOff;

/// Takes an answer that begins long before it ends, once.
pub type OnBegin = Arc<dyn Fn(Begun) + Send + Sync>;

/// Who waits for a call. Clones are of the same.
#[derive(Clone)]
pub struct Caller {
    pub on_begin: OnBegin,
    /// Cancelled when nobody waits any more for an answer that has not begun.
    pub left: CancellationToken,
}

/// Waits for as long as the caller does; `None` when that one left.
pub async fn while_wanted<T>(
    caller: Option<&Caller>,
    waiting: impl Future<Output = T>,
) -> Option<T> {
    let Some(caller) = caller else {
        return Some(waiting.await);
    };
    tokio::select! {
        biased;
        done = waiting => Some(done),
        () = caller.left.cancelled() => None,
    }
}

/// A program that serves under no name.
#[derive(Clone, Debug)]
pub enum Unserved {
    /// As [`Builder::draft`](super::builder::Builder::draft) makes it.
    Draft(Bytes),
    /// A version's; prepare it first.
    Artifact(Artifact),
}

/// Why a function gave no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFailure {
    /// No such app runs here.
    NotDeployed,
    TimedOut,
    OutOfMemory,
    /// The response was longer than allowed.
    ResponseTooLarge,
    /// It ended without answering, or trapped; the text is for its developer.
    Trapped(String),
    /// Too many calls at once; none of it ran.
    Overloaded,
    /// The platform could not reach it.
    Unreachable(String),
    /// The caller left before there was an answer, which ended the call; `ran` when some of it may have run.
    CallerLeft {
        ran: bool,
    },
}

impl CallFailure {
    /// Of an answer with a status below 200: passed on, it would make the caller's connection one that nobody speaks HTTP on.
    pub fn announced(status: StatusCode) -> Self {
        Self::Trapped(format!(
            "The function answered with {}, which stands before an answer and is none. Answer with a status of 200 or above.",
            status.as_u16()
        ))
    }
}

/// What a call used; `None` where the platform cannot tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub cpu: Option<Duration>,
    /// Peak linear memory in bytes.
    pub memory: Option<u64>,
    /// Until the instance began to run, from when it was taken up.
    pub start: Option<Duration>,
    /// From then on.
    pub run: Option<Duration>,
    pub page_faults: Option<u64>,
}

/// What a call gave and used.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub result: Result<Answer, CallFailure>,
    /// Lines written to stdout (`Info`) and stderr (`Error`), bounded, oldest first.
    pub lines: Vec<(Level, String)>,
    pub lines_truncated: bool,
    pub usage: Usage,
}

impl Outcome {
    /// Of a call of which nothing else is known.
    pub fn of(result: Result<Answer, CallFailure>) -> Self {
        Self {
            result,
            lines: Vec::new(),
            lines_truncated: false,
            usage: Usage::default(),
        }
    }

    pub fn failed(failure: CallFailure) -> Self {
        Self::of(Err(failure))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    #[error("Namespace '{0}' not found")]
    UnknownNamespace(String),
    /// Something else has the app's name; the message says what.
    #[error("{0}")]
    Taken(String),
    /// What the platform said against it, in full, and what helps.
    #[error("{0}")]
    Refused(String),
    /// The platform cannot be asked now; the same may work later.
    #[error("{0}")]
    Unavailable(String),
    /// The same of a deployment that may appear all the same, where nothing was before.
    #[error("{0}")]
    Unconfirmed(String),
    /// The image or its artifact cannot be run; the message says why and what to do.
    #[error("{0}")]
    Unrunnable(String),
    #[error("the platform failed: {0}")]
    Failed(String),
}

/// Runs functions. Implementations MUST
///
/// - replace a release without a failed request: calls under way finish on the old one, and the old one serves until the new one can;
/// - leave what serves untouched when `deploy` fails;
/// - give every call a fresh instance, with nothing of another call in it;
/// - hold memory, time and body limits of each call, and keep a function from files, the environment of the server and hosts it may not call;
/// - never compile on `call`.
///
/// A platform that hands functions to a cluster has those of isolation, memory and hosts held there.
#[async_trait]
pub trait Platform: Send + Sync + 'static {
    fn kind(&self) -> PlatformKind;

    /// Makes an artifact ready to start at once; called in a build, off every request. Doing it twice is cheap.
    async fn prepare(&self, artifact: &Artifact) -> Result<(), PlatformError>;

    /// Whether a program was prepared on this machine before, so that the next one takes the usual time.
    fn is_warm(&self) -> bool;

    /// Starts or replaces; answers when the new release takes the calls.
    async fn deploy(&self, release: Release) -> Result<Deployed, PlatformError>;

    /// Lets this server's calls reach what was deployed before, by it or another one, at `endpoint` if that was known. Elsewhere nothing changes.
    async fn resume(&self, release: Release, endpoint: Option<String>)
    -> Result<(), PlatformError>;

    /// The endpoint of an app that was deployed without one; `None` while it has none.
    async fn find_endpoint(
        &self,
        app: &AppName,
        namespace: &Namespace,
    ) -> Result<Option<String>, PlatformError>;

    /// Applies new limits, environment and hosts to what serves, without a new deployment.
    async fn configure(
        &self,
        app: &AppName,
        namespace: &Namespace,
        configuration: Configuration,
    ) -> Result<(), PlatformError>;

    /// A missing app is fine. What serves under its name in another namespace stays.
    async fn delete(&self, app: &AppName, namespace: &Namespace) -> Result<(), PlatformError>;

    /// Answers when the call has ended. An answer that takes its time is given to the `caller` as well, once it has begun; whoever drops that
    /// body ends the call, whose outcome is then what had been answered. A caller who leaves before ends it too: with
    /// [`CallFailure::CallerLeft`] and the lines printed until then, if those can be had at once. Without a `caller` it goes on to its end.
    async fn call(&self, app: &AppName, call: Call, caller: Option<Caller>) -> Outcome;

    /// One call of a program beside what serves, in the function's name; for a kind that runs those.
    async fn run_program(
        &self,
        program: Unserved,
        function: &FunctionId,
        configuration: &Configuration,
        call: Call,
    ) -> Outcome;

    /// Where an app answers for users of this platform.
    fn endpoint(&self, app: &AppName, namespace: &Namespace) -> String;

    /// Namespaces that exist; `None` when the platform cannot tell.
    fn namespaces(&self) -> Option<Vec<Namespace>>;

    /// Bytes of machine-local caches that can be made again.
    async fn cache_usage(&self) -> Option<u64>;

    /// Drops cached programs of artifacts other than these (hexadecimal SHA-256).
    async fn collect(&self, keep: &std::collections::HashSet<String>)
    -> Result<u64, PlatformError>;

    async fn check(&self) -> Result<(), PlatformError>;
}
