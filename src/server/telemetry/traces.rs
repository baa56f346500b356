//! Spans to a collector, by OTLP over HTTP. Off unless the settings name one; then spans are neither made nor counted.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// `collector` is a base address, as in `http://otel-collector:4318`. Nothing is sent yet: it may be away.
    pub fn open(collector: &str) -> Result<Self, String> {
        let failed = |cause: &dyn std::fmt::Display| {
            format!("OTEL_EXPORTER_OTLP_ENDPOINT: spans cannot be sent there: {cause}")
        };
        // An error means that a provider is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::blocking::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|cause| failed(&cause))?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(format!("{collector}/v1/traces"))
            .build()
            .map_err(|cause| failed(&cause))?;
        let mut resource = Resource::builder();
        // The standard variable goes before our own name.
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() {
            resource = resource.with_service_name("blue-faas");
        }
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(provider))
    }

    /// Our own spans. Those of libraries say nothing to whoever looks for a slow request.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("blue-faas"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_target("blue_faas", Level::DEBUG))
    }

    pub fn finish(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans could not be sent");
        }
    }
}
