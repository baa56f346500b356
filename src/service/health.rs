//! Whether what the server depends on answers.

use std::sync::Arc;
use tokio_util::sync::CancellationToken;

use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::logs::LogSource;
use crate::port::metrics::MetricSource;
use crate::port::platform::Platform;
use crate::port::store::Store;

/// One dependency.
pub struct Check {
    pub name: &'static str,
    /// Without it no request can be answered.
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
        let failed = |text: String| {
            tracing::warn!(cause = %text, "a dependency does not answer");
            "failing".to_owned()
        };
        let (store, blobs, builder, platform, logs, metrics) = tokio::join!(
            self.store.check(),
            self.blobs.check(),
            self.builder.check(),
            self.platform.check(),
            self.logs.check(),
            self.metrics.check()
        );
        let leaving = self.leaving.is_cancelled();
        vec![
            Check {
                name: "server",
                required: true,
                failure: leaving.then(|| "stopping".to_owned()),
            },
            Check {
                name: "store",
                required: true,
                failure: store.err().map(|error| failed(error.to_string())),
            },
            Check {
                name: "blobs",
                required: true,
                failure: blobs.err().map(|error| failed(error.to_string())),
            },
            Check {
                name: "builder",
                required: false,
                failure: builder.err().map(failed),
            },
            Check {
                name: "platform",
                required: true,
                failure: platform.err().map(|error| failed(error.to_string())),
            },
            Check {
                name: "logs",
                required: false,
                failure: logs.err().map(failed),
            },
            Check {
                name: "metrics",
                required: false,
                failure: metrics.err().map(failed),
            },
        ]
    }
}
