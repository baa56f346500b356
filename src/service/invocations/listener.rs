//! Calls through the functions listener, and which version takes each.

use std::sync::Arc;

use super::{FunctionRequest, Invocations, call_error};
use crate::model::error::Result;
use crate::model::execution::{Execution, ExecutionStatus, Trigger};
use crate::port::platform::{Answer, CallFailure, Outcome};
use crate::service::deployments::routes::Route;
use crate::service::deployments::trial::{Taker, Trial};

/// What a caller of a function's address gets.
pub struct Answered {
    /// The version that took the call.
    pub version: Option<u32>,
    /// The function's own answer, or an error in the product's format.
    pub result: Result<Answer>,
}

impl Invocations {
    pub async fn call(&self, route: &Arc<Route>, request: FunctionRequest) -> Answered {
        let (taker, execution, outcome) = match &route.canary {
            Some(trial) => self.call_on_trial(route, trial, request).await,
            None => self.call_one(route, request).await,
        };
        self.recorder.record(route.owner(), execution).await;
        Answered {
            version: taker.version,
            result: outcome
                .result
                .map_err(|failure| call_error(&failure, &taker.configuration)),
        }
    }

    async fn call_one(
        &self,
        route: &Arc<Route>,
        request: FunctionRequest,
    ) -> (Arc<Route>, Execution, Outcome) {
        let call = self.call_of(route, request);
        let (execution, outcome) = self.run(route, call, Trigger::Http).await;
        (route.clone(), execution, outcome)
    }

    async fn call_on_trial(
        &self,
        route: &Arc<Route>,
        trial: &Arc<Trial>,
        request: FunctionRequest,
    ) -> (Arc<Route>, Execution, Outcome) {
        if trial.draw() == Taker::Canary
            && let Some(canary) = self.routes.get(&trial.rule.app_name)
        {
            let called = self.call_one(&canary, request.clone()).await;
            // One that was taken down since it was drawn has run nothing: the call goes to what serves.
            if !matches!(called.2.result, Err(CallFailure::NotDeployed)) {
                self.count(route, trial, Taker::Canary, &called);
                return called;
            }
        }
        let called = self.call_one(route, request).await;
        self.count(route, trial, Taker::Serving, &called);
        called
    }

    /// Counts a call that ran, and ends a canary that fails too often.
    fn count(
        &self,
        route: &Route,
        trial: &Arc<Trial>,
        taker: Taker,
        (_, execution, outcome): &(Arc<Route>, Execution, Outcome),
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
