//! What the server says of itself: lines on stderr, and traces where the settings name a collector.

mod lines;
mod traces;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use self::lines::JsonLines;
use self::traces::Traces;
use super::config::{Environment, LogSettings};

/// What has to be sent before the process ends.
pub struct Telemetry {
    traces: Option<Traces>,
}

/// Lines for people in development, JSON in production. The error is one line for whoever starts the server.
pub fn init(settings: &LogSettings) -> Result<Telemetry, String> {
    let level = settings.level.as_str();
    let filter = EnvFilter::new(format!(
        "{level},hyper=warn,wasmtime=warn,cranelift=warn,regalloc2=warn,h2=warn,rustls=warn"
    ));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = match settings.environment {
        Environment::Development => lines.with_target(false).boxed(),
        Environment::Production => JsonLines::layer(lines).boxed(),
    };
    let traces = settings.traces.as_deref().map(Traces::open).transpose()?;
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .with(traces.as_ref().map(Traces::layer))
        .init();
    Ok(Telemetry { traces })
}

impl Telemetry {
    /// Sends what is still here. Outside of the runtime: it waits.
    pub fn finish(self) {
        if let Some(traces) = self.traces {
            traces.finish();
        }
    }
}
