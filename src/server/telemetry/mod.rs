//! Logging of the server itself.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::config::{Environment, LogSettings};

/// Lines for people in development, JSON in production; both on stderr.
pub fn init(settings: &LogSettings) {
    let level = settings.level.as_str();
    let filter = EnvFilter::new(format!(
        "{level},hyper=warn,wasmtime=warn,cranelift=warn,regalloc2=warn,h2=warn,rustls=warn"
    ));
    let registry = tracing_subscriber::registry().with(filter);
    match settings.environment {
        Environment::Development => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(std::io::stderr)
                    .with_target(false),
            )
            .init(),
        Environment::Production => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .with_writer(std::io::stderr),
            )
            .init(),
    }
}
