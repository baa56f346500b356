//! Whether what the server depends on answers.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

use crate::model::platform::PlatformKind;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::logs::LogSource;
use crate::port::metrics::MetricSource;
use crate::port::platform::Platform;
use crate::port::store::Store;

/// Whoever asks waits 2 s (the chart's readiness probe), whatever hangs.
const PATIENCE: Duration = Duration::from_secs(1);

/// One dependency.
pub struct Check {
    pub name: &'static str,
    /// Without it this server can answer no request, or call no function.
    pub required: bool,
    pub failure: Option<String>,
}

pub struct Health {
    pub store: Arc<dyn Store>,
    pub blobs: Arc<dyn Blobs>,
    pub builder: Arc<dyn Builder>,
    pub platform: Arc<dyn Platform>,
    pub logs: Arc<dyn LogSource>,
    pub metrics: Arc<dyn MetricSource>,
    /// Cancelled when the server is about to stop.
    pub leaving: CancellationToken,
}

impl Health {
    pub async fn check(&self) -> Vec<Check> {
        // A cluster's API is needed to deploy. Calls go to the functions themselves.
        let serves_itself = self.platform.kind() == PlatformKind::Embedded;
        let server = Check {
            name: "server",
            required: true,
            failure: self.leaving.is_cancelled().then(|| "stopping".to_owned()),
        };
        let (store, blobs, builder, platform, logs, metrics) = tokio::join!(
            asked("store", true, self.store.check()),
            asked("blobs", true, self.blobs.check()),
            asked("builder", false, self.builder.check()),
            asked("platform", serves_itself, self.platform.check()),
            asked("logs", false, self.logs.check()),
            asked("metrics", false, self.metrics.check())
        );
        vec![server, store, blobs, builder, platform, logs, metrics]
    }
}

async fn asked<E: Display>(
    name: &'static str,
    required: bool,
    answer: impl Future<Output = Result<(), E>>,
) -> Check {
    let cause = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("it did not answer within {} s", PATIENCE.as_secs())),
    };
    if let Some(cause) = &cause {
        tracing::warn!(dependency = name, %cause, "a dependency fails");
    }
    Check {
        name,
        required,
        failure: cause.map(|_| "failing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_what_does_not_answer() {
        let silent = std::future::pending::<Result<(), String>>();
        let check = asked("builder", false, silent).await;
        assert_eq!(check.failure.as_deref(), Some("failing"));
        let well = asked("store", true, std::future::ready(Ok::<(), String>(())));
        assert_eq!(well.await.failure, None);
    }
}
