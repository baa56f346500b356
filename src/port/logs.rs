//! Live log lines of a function.

use async_trait::async_trait;

use crate::model::error::Result;
use crate::model::id::FunctionId;
use crate::model::metrics::LogLine;

/// Implementations MUST answer within two seconds or fail, newest first over all of the function's streams.
#[async_trait]
pub trait LogSource: Send + Sync + 'static {
    /// At most `limit` lines, only those after `after` (nanoseconds since the epoch) when it is given.
    async fn lines(
        &self,
        function: &FunctionId,
        limit: usize,
        after: Option<i64>,
    ) -> Result<Vec<LogLine>>;

    /// Cheap proof that it answers; the text says what is wrong.
    async fn check(&self) -> std::result::Result<(), String>;
}
