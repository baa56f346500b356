//! A call that was recorded, as whoever made it by the API gets it.

use bytes::Bytes;

use super::record::is_cut;
use crate::model::execution::Execution;
use crate::port::platform::{CallFailure, Outcome};

/// Of long bodies the record keeps previews; who called gets the answer whole.
pub struct Completed {
    /// As it is recorded.
    pub execution: Execution,
    /// Whether the request's body in it is a preview.
    pub is_request_cut: bool,
    /// The answer's body, or why there is none.
    pub answer: Result<Bytes, CallFailure>,
}

impl Completed {
    pub(super) fn new(execution: Execution, request_body: &Bytes, outcome: Outcome) -> Self {
        Self {
            is_request_cut: execution.truncated && is_cut(request_body),
            execution,
            answer: outcome.result.map(|answer| answer.body),
        }
    }
}
