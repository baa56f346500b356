//! Calls through the functions listener, and which version takes each.

use futures::future::BoxFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{FunctionRequest, Invocations, call_error};
use crate::model::error::Result;
use crate::model::execution::{Execution, ExecutionStatus, Trigger};
use crate::port::platform::{Answer, Begun, CallFailure, Caller, Outcome};
use crate::service::deployments::routes::Route;
use crate::service::deployments::trial::{Taker, Trial};

/// What a caller of a function's address gets.
pub struct Answered {
    /// The version that took the call.
    pub version: Option<u32>,
    /// The function's own answer, or an error in the product's format.
    pub result: Result<FunctionAnswer>,
}

pub enum FunctionAnswer {
    Whole(Answer),
    /// Its end is still to come.
    Begun(Begun),
}

/// Who waits for the answer.
#[derive(Clone)]
struct Waiting {
    /// Where an answer goes that begins before it ends, with the version that gives it.
    beginnings: mpsc::Sender<(Option<u32>, Begun)>,
    left: CancellationToken,
}

/// Who took a call, and what came of it.
type Called = (Arc<Route>, Execution, Outcome);

impl Invocations {
    /// Answers as soon as the function's answer has begun. Its caller may drop this, which ends the call; it is recorded all the same.
    pub async fn call(self: &Arc<Self>, route: &Arc<Route>, request: FunctionRequest) -> Answered {
        // `waiting` stays until the end: the last sender, dropped earlier, would wake this task once more, on another thread.
        let (beginnings, mut begun) = mpsc::channel(1);
        let left = CancellationToken::new();
        let waiting = Waiting {
            beginnings,
            left: left.clone(),
        };
        let (invocations, route, waits) = (self.clone(), route.clone(), waiting.clone());
        let call = async move {
            let (taker, execution, outcome) = match &route.canary {
                Some(trial) => {
                    let called = invocations.call_on_trial(&route, trial, request, &waits);
                    called.await
                }
                None => invocations.call_one(&route, request, &waits).await,
            };
            invocations.recorder.record(route.owner(), execution).await;
            (taker, outcome)
        };
        let mut under_way = UnderWay {
            call: Some(Box::pin(call)),
            left,
            apart: &self.apart,
        };
        tokio::select! {
            biased;
            (taker, outcome) = &mut under_way => Answered {
                version: taker.version,
                result: outcome
                    .result
                    .map(FunctionAnswer::Whole)
                    .map_err(|failure| call_error(&failure, &taker.configuration)),
            },
            Some((version, begun)) = begun.recv() => {
                // The call goes on, and is recorded at its end.
                under_way.part();
                let result = Ok(FunctionAnswer::Begun(begun));
                Answered { version, result }
            }
        }
    }

    /// Waits for the calls that nobody waits for.
    pub async fn finish_apart(&self) {
        self.apart.close();
        self.apart.wait().await;
    }

    async fn call_one(
        &self,
        route: &Arc<Route>,
        request: FunctionRequest,
        waiting: &Waiting,
    ) -> Called {
        let call = self.call_of(route, request);
        let (version, beginnings) = (route.version, waiting.beginnings.clone());
        let caller = Caller {
            on_begin: Arc::new(move |begun| {
                let _ = beginnings.try_send((version, begun));
            }),
            left: waiting.left.clone(),
        };
        let (execution, outcome) = self.run(route, call, Trigger::Http, Some(caller)).await;
        (route.clone(), execution, outcome)
    }

    async fn call_on_trial(
        &self,
        route: &Arc<Route>,
        trial: &Arc<Trial>,
        request: FunctionRequest,
        waiting: &Waiting,
    ) -> Called {
        if trial.draw() == Taker::Canary
            && let Some(canary) = self.routes.get(&trial.rule.app_name)
        {
            let called = self.call_one(&canary, request.clone(), waiting).await;
            // One that was taken down since it was drawn has run nothing: the call goes to what serves.
            if !matches!(called.2.result, Err(CallFailure::NotDeployed)) {
                self.count(route, trial, Taker::Canary, &called);
                return called;
            }
        }
        let called = self.call_one(route, request, waiting).await;
        self.count(route, trial, Taker::Serving, &called);
        called
    }

    /// Counts a call that ran to its end, and ends a canary that fails too often.
    fn count(
        &self,
        route: &Route,
        trial: &Arc<Trial>,
        taker: Taker,
        (_, execution, outcome): &Called,
    ) {
        if matches!(
            outcome.result,
            Err(CallFailure::Overloaded | CallFailure::CallerLeft { .. })
        ) {
            return;
        }
        if !trial.count(taker, execution.status == ExecutionStatus::Error) {
            return;
        }
        // The caller does not wait for the store: no call goes to the canary from here on.
        let (deployments, trial) = (self.deployments.clone(), trial.clone());
        let app = route.app_name.clone();
        tokio::spawn(async move {
            if let Err(error) = deployments.return_canary(&app).await {
                tracing::warn!(%app, %error, "the end of a canary could not be written; the next call tries again");
                trial.could_not_end();
            }
        });
    }
}

/// A call that its caller waits for. Dropped before its end, it is told that nobody does any more, and goes on by itself to be recorded.
struct UnderWay<'a> {
    call: Option<BoxFuture<'static, (Arc<Route>, Outcome)>>,
    left: CancellationToken,
    apart: &'a TaskTracker,
}

impl UnderWay<'_> {
    fn part(&mut self) {
        // Without a runtime the server has ended.
        if let (Some(call), Ok(runtime)) = (self.call.take(), Handle::try_current()) {
            self.apart.spawn_on(call, &runtime);
        }
    }
}

impl Future for UnderWay<'_> {
    type Output = (Arc<Route>, Outcome);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(call) = &mut self.call else {
            return Poll::Pending;
        };
        let ended = ready!(call.as_mut().poll(context));
        self.call = None;
        Poll::Ready(ended)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.call.is_some() {
            self.left.cancel();
            self.part();
        }
    }
}
