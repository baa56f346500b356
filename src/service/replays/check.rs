//! The last recorded requests, made again on one version or draft before it is deployed.

use futures::StreamExt as _;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

use super::{Replays, Target, request};
use crate::model::comparison::Differences;
use crate::model::error::{Error, Result};
use crate::model::execution::{Execution, ExecutionFilter, Trigger};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::replay::{Check, CheckRow, RecordedRequest, Verdict};
use crate::service::actor::Actor;
use crate::service::functions::FunctionRecord;
use crate::service::invocations::{Candidate, FunctionRequest};

/// Requests of one check.
const MOST: u32 = 50;
const DEFAULT: u32 = 20;
/// Requests that run at the same time.
const PARALLEL: usize = 2;
/// How long a check runs its requests.
const TIME: Duration = Duration::from_mins(1);
/// Pages of executions read for one check at most: those that are passed over cost as much as the others, and a page may hold none that count.
const PAGES: usize = 5;
const PAGE: u32 = 100;

/// Which requests a check makes again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Methods {
    /// GET and HEAD: those that are meant to change nothing.
    #[default]
    Safe,
    All,
}

impl Methods {
    fn allow(self, method: &str) -> bool {
        self == Self::All || matches!(method, "GET" | "HEAD")
    }
}

#[derive(Clone, Debug)]
pub struct CheckRequest {
    pub target: Target,
    /// 1–50; 20 when absent.
    pub last: Option<u32>,
    pub methods: Methods,
}

/// A recorded call, and what it takes to make it again.
struct Candidacy {
    original: Execution,
    request: Result<(RecordedRequest, FunctionRequest)>,
}

impl Replays {
    /// Makes the newest requests again that can be; those that cannot are in the answer, with the reason.
    pub async fn check(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &FunctionId,
        check: CheckRequest,
    ) -> Result<Check> {
        let last = check.last.unwrap_or(DEFAULT);
        if !(1..=MOST).contains(&last) {
            let message = format!("Choose a number between 1 and {MOST}.");
            return Err(Error::validation("last", message));
        }
        let function = self.functions.record(workspace, id).await?;
        let candidate = self.candidate(&function, check.target).await?;
        let (requests, looked_at) = self
            .newest(actor, &function, last as usize, check.methods)
            .await?;
        let deadline = Instant::now() + TIME;
        let runs = requests
            .into_iter()
            .map(|one| self.check_one(&function, candidate.clone(), one, deadline));
        let rows = futures::stream::iter(runs)
            .buffered(PARALLEL)
            .collect()
            .await;
        Ok(Check::new(rows, looked_at))
    }

    /// So many that can be made again, newest first, with those in between that cannot; and how many were read.
    async fn newest(
        &self,
        actor: &Actor,
        function: &FunctionRecord,
        last: usize,
        methods: Methods,
    ) -> Result<(Vec<Candidacy>, usize)> {
        let (mut found, mut repeatable, mut read) = (Vec::new(), 0, 0);
        let mut filter = ExecutionFilter {
            limit: Some(PAGE),
            ..ExecutionFilter::default()
        };
        for _ in 0..PAGES {
            let page = self
                .executions
                .list(actor, &function.workspace_id, &function.id, &filter)
                .await?;
            for original in page.executions {
                read += 1;
                if !methods.allow(&original.method) {
                    continue;
                }
                let request = RecordedRequest::of(&original).and_then(|recorded| {
                    let request = request::function_request(function, &recorded)?;
                    Ok((recorded, request))
                });
                repeatable += usize::from(request.is_ok());
                found.push(Candidacy { original, request });
                // As many that cannot be made again are enough to see why.
                if repeatable == last || found.len() == 2 * last {
                    return Ok((found, read));
                }
            }
            if page.next.is_none() {
                break;
            }
            filter.cursor = page.next;
        }
        Ok((found, read))
    }

    async fn check_one(
        &self,
        function: &FunctionRecord,
        candidate: Candidate,
        one: Candidacy,
        deadline: Instant,
    ) -> CheckRow {
        let original = one.original;
        let (altered, verdict) = match one.request {
            Err(error) => (
                Vec::new(),
                Verdict::NotRepeatable {
                    field: error.field.unwrap_or_default(),
                    reason: error.message,
                },
            ),
            Ok((recorded, request)) => {
                let run =
                    self.invocations
                        .run_candidate(function, candidate, request, Trigger::Replay);
                // What has begun goes on to its end, so nothing begins when the time is over.
                let ran = if Instant::now() < deadline {
                    timeout_at(deadline, run).await.ok()
                } else {
                    None
                };
                let ran = ran.map(|ran| ran.map(|completed| completed.execution));
                (recorded.altered, verdict(&original, ran))
            }
        };
        CheckRow {
            original: (&original).into(),
            method: original.method,
            path: original.path,
            query: original.query,
            altered,
            verdict,
        }
    }
}

/// `ran` is `None` without an answer in time.
fn verdict(original: &Execution, ran: Option<Result<Execution>>) -> Verdict {
    match ran {
        Some(Ok(replay)) => {
            let (differences, replay) = (
                Differences::between(original, &replay).count(),
                (&replay).into(),
            );
            if differences == 0 {
                Verdict::Same { replay }
            } else {
                Verdict::Different {
                    replay,
                    differences,
                }
            }
        }
        Some(Err(error)) => Verdict::NotRun {
            reason: error.message,
        },
        None => Verdict::NotRun {
            reason: format!(
                "The check ended after {} s, before this request had its answer. Check fewer.",
                TIME.as_secs()
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_without_an_answer_in_time_did_not_run() {
        let original: Execution = serde_json::from_value(json!({
            "id": "e-1", "functionId": "fn-1", "timestamp": "2026-11-20T14:02:11+09:00", "status": "success", "duration": 1.0, "statusCode": 200,
            "logs": [], "level": "info", "trigger": "http", "method": "GET", "path": "/", "requestSize": 0, "responseSize": 0
        }))
        .expect("an execution");
        let Verdict::NotRun { reason } = verdict(&original, None) else {
            panic!("it did not run");
        };
        assert!(reason.contains("60 s"), "{reason}");
        let refused = Some(Err(Error::overloaded("busy")));
        let reason = "busy".to_owned();
        assert_eq!(verdict(&original, refused), Verdict::NotRun { reason });
    }
}
