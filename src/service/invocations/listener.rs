//! Calls through the functions listener, and which version takes each.

use std::sync::Arc;
use tokio::sync::mpsc;

use super::{FunctionRequest, Invocations, call_error};
use crate::model::error::Result;
use crate::model::execution::{Execution, ExecutionStatus, Trigger};
use crate::port::platform::{Answer, Begun, CallFailure, OnBegin, Outcome};
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

/// Where an answer goes that begins before it ends, with the version that gives it.
type Beginnings = mpsc::Sender<(Option<u32>, Begun)>;

/// Who took a call, and what came of it.
type Called = (Arc<Route>, Execution, Outcome);

impl Invocations {
    /// Answers as soon as the function's answer has begun. Its caller may drop this, which ends the call.
    pub async fn call(self: &Arc<Self>, route: &Arc<Route>, request: FunctionRequest) -> Answered {
        // `beginnings` stays until the end: the last sender, dropped earlier, would wake this task once more, on another thread.
        let (beginnings, mut begun) = mpsc::channel(1);
        let (invocations, route, starts) = (self.clone(), route.clone(), beginnings.clone());
        let mut call = Box::pin(async move {
            let (taker, execution, outcome) = match &route.canary {
                Some(trial) => {
                    let called = invocations.call_on_trial(&route, trial, request, &starts);
                    called.await
                }
                None => invocations.call_one(&route, request, &starts).await,
            };
            invocations.recorder.record(route.owner(), execution).await;
            (taker, outcome)
        });
        tokio::select! {
            biased;
            (taker, outcome) = &mut call => Answered {
                version: taker.version,
                result: outcome
                    .result
                    .map(FunctionAnswer::Whole)
                    .map_err(|failure| call_error(&failure, &taker.configuration)),
            },
            Some((version, begun)) = begun.recv() => {
                // The call goes on, and is recorded at its end.
                self.streams.spawn(call);
                let result = Ok(FunctionAnswer::Begun(begun));
                Answered { version, result }
            }
        }
    }

    /// Waits for the calls whose answers have begun.
    pub async fn finish_streams(&self) {
        self.streams.close();
        self.streams.wait().await;
    }

    async fn call_one(
        &self,
        route: &Arc<Route>,
        request: FunctionRequest,
        beginnings: &Beginnings,
    ) -> Called {
        let call = self.call_of(route, request);
        let (version, beginnings) = (route.version, beginnings.clone());
        let on_begin: OnBegin = Arc::new(move |begun| {
            let _ = beginnings.try_send((version, begun));
        });
        let (execution, outcome) = self.run(route, call, Trigger::Http, Some(on_begin)).await;
        (route.clone(), execution, outcome)
    }

    async fn call_on_trial(
        &self,
        route: &Arc<Route>,
        trial: &Arc<Trial>,
        request: FunctionRequest,
        beginnings: &Beginnings,
    ) -> Called {
        if trial.draw() == Taker::Canary
            && let Some(canary) = self.routes.get(&trial.rule.app_name)
        {
            let called = self.call_one(&canary, request.clone(), beginnings).await;
            // One that was taken down since it was drawn has run nothing: the call goes to what serves.
            if !matches!(called.2.result, Err(CallFailure::NotDeployed)) {
                self.count(route, trial, Taker::Canary, &called);
                return called;
            }
        }
        let called = self.call_one(route, request, beginnings).await;
        self.count(route, trial, Taker::Serving, &called);
        called
    }

    /// Counts a call that ran, and ends a canary that fails too often.
    fn count(
        &self,
        route: &Route,
        trial: &Arc<Trial>,
        taker: Taker,
        (_, execution, outcome): &Called,
    ) {
        if matches!(outcome.result, Err(CallFailure::Overloaded)) {
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
