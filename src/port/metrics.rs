//! CPU use of a function.

use async_trait::async_trait;

use crate::model::error::Result;
use crate::model::id::FunctionId;
use crate::model::metrics::CpuMetrics;

/// Implementations MUST answer within two seconds or fail; one of two queries failing is not a failure, its half is `None`.
#[async_trait]
pub trait MetricSource: Send + Sync + 'static {
    async fn cpu(&self, function: &FunctionId) -> Result<CpuMetrics>;

    /// Cheap proof that it answers; the text says what is wrong.
    async fn check(&self) -> std::result::Result<(), String>;
}
