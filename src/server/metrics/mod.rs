//! The server's own figures in Prometheus's text format, on a listener of their own.
//!
//! Whoever measures says so with the macros of the crate `metrics`, which do nothing while nobody reads. Labels have few values: a route's
//! template, never its path; a trigger, never a function.

mod blobs;
mod described;
mod process;
mod store;

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::get;
use http::header;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use self::blobs::MeasuredBlobs;
use self::store::MeasuredStore;
use super::config::{Config, ListenSettings};
use super::listen;
use super::stop::Stop;
use crate::port::blobs::Blobs;
use crate::port::store::Store;
use crate::service::figures::Held;

/// How often what was measured is put into its buckets; until then it takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Seconds. What is asked of the store takes from microseconds on, a call of a function up to its timeout.
const SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    60.0,
];
const STORE_SECONDS: &[f64] = &[
    0.000_025, 0.000_1, 0.000_25, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 3.0,
];
const BUILD_SECONDS: &[f64] = &[
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0,
];

/// Where the figures are read.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    figures: PrometheusHandle,
}

impl Listener {
    /// Listens and begins to measure, if the settings say so; nothing answers yet. The error is one line for whoever starts the server.
    pub async fn open(listen: &ListenSettings) -> Result<Option<Self>, String> {
        let Some(address) = listen.metrics else {
            return Ok(None);
        };
        let failed = |cause: String| {
            format!("BLUE_FAAS_METRICS_ADDR: {address} cannot be listened on: {cause}")
        };
        let socket = TcpListener::bind(address)
            .await
            .map_err(|cause| failed(cause.to_string()))?;
        let address = socket
            .local_addr()
            .map_err(|cause| failed(cause.to_string()))?;
        let figures = begin().map_err(|cause| format!("nothing can be measured: {cause}"))?;
        Ok(Some(Self {
            socket,
            address,
            figures,
        }))
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until what this answers is dropped.
    pub fn serve(self) -> AbortOnDropHandle<()> {
        let router = Router::new()
            .route("/metrics", get(read))
            .with_state(self.figures.clone());
        AbortOnDropHandle::new(tokio::spawn(async move {
            let upkeep = async {
                loop {
                    tokio::time::sleep(UPKEEP).await;
                    self.figures.run_upkeep();
                }
            };
            let answering = listen::serve("metrics", self.socket, router, Stop::default());
            tokio::join!(upkeep, answering);
        }))
    }
}

fn begin() -> Result<PrometheusHandle, metrics_exporter_prometheus::BuildError> {
    let figures = PrometheusBuilder::new()
        .set_buckets(SECONDS)?
        .set_buckets_for_metric(
            Matcher::Full("blue_faas_store_operation_duration_seconds".to_owned()),
            STORE_SECONDS,
        )?
        .set_buckets_for_metric(
            Matcher::Full("blue_faas_build_duration_seconds".to_owned()),
            BUILD_SECONDS,
        )?
        .install_recorder()?;
    described::all();
    Ok(figures)
}

async fn read(State(figures): State<PrometheusHandle>) -> impl IntoResponse {
    let mut text = figures.render();
    process::write(&mut text);
    let format = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, format)], text)
}

/// Store and blobs with their operations measured and traced, where somebody reads that.
pub fn watch(
    config: &Config,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
) -> (Arc<dyn Store>, Arc<dyn Blobs>) {
    if config.listen.metrics.is_some() || config.log.traces.is_some() {
        (
            Arc::new(MeasuredStore::new(store)),
            Arc::new(MeasuredBlobs::new(blobs)),
        )
    } else {
        (store, blobs)
    }
}

/// An open connection of a listener.
pub fn connection(listener: &'static str) -> Held {
    Held::one_of(metrics::gauge!("blue_faas_http_connections", "listener" => listener))
}
