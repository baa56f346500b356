//! Which adapters stand behind the ports. With `main.rs` the only place that names one.

mod observe;
pub(super) mod storage;
pub mod table;

use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::Config;
use super::stop::Stop;
use super::{console, functions_listener, listen, metrics};
use crate::adapter::builder::embedded::{ComponentizeBuilder, ComponentizeConfig};
use crate::adapter::platform::wasmtime::{WasmtimeConfig, WasmtimePlatform};
use crate::adapter::snapshot::Bases;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::platform::Platform;
use crate::port::store::Store;
use crate::service::Services;
use crate::service::builds::{Builds, EngineSettings};
use crate::service::deployments::Deployments;
use crate::service::deployments::routes::Routes;
use crate::service::executions::{Executions, Recorder};
use crate::service::functions::Functions;
use crate::service::health::Health;
use crate::service::invocations::{CallLimits, Invocations, RemoteCaller, RemotePolicy};
use crate::service::kept::Kept;
use crate::service::key_values::StoredKeyValues;
use crate::service::observe::Observe;
use crate::service::replays::Replays;
use crate::service::retention::{Retention, RetentionParts, RetentionSettings};
use crate::service::spin_apps::SpinApps;
use crate::service::statistics::Statistics;
use crate::service::table::Table;
use crate::service::versions::Versions;
use crate::service::workspaces::Workspaces;

/// Workspaces whose overview is kept in memory until something in it changes; a few kilobytes each.
const KEPT_OVERVIEWS: usize = 256;

/// A leak of a kilobyte a call would be a gigabyte by then.
const CALLS_PER_WORKER: u64 = 1_000_000;

/// Until what callers no longer wait for is recorded.
const MAX_FAREWELL: std::time::Duration = std::time::Duration::from_secs(2);

/// The technologies behind the ports.
struct Adapters {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    builder: Arc<dyn Builder>,
    platform: Arc<dyn Platform>,
    key_values: Arc<StoredKeyValues>,
}

async fn adapters(config: &Config) -> Result<Adapters, String> {
    let data = &config.keep.data_dir;
    let store = storage::open_store(config).await?;
    let blobs = storage::open_blobs(config).await?;
    let (store, blobs) = metrics::watch(config, store, blobs);
    let program = std::env::current_exe()
        .map_err(|cause| format!("the path of this program is not known: {cause}"))?;
    let bases = Bases::open(&data.join("cache/bases"), program.clone(), blobs.clone())?;
    let bases = Arc::new(bases);
    let builder = ComponentizeBuilder::new(
        ComponentizeConfig {
            venv: config.build.venv.clone(),
            snapshot: config.build.snapshot,
            work_dir: data.join("work"),
            cache_dir: data.join("cache/builder"),
            timeout: config.build.timeout,
            max_unpacked: config.build.max_unpacked,
            max_files: 10_000,
            pip_index_url: config.build.pip_index_url.clone(),
            push_hosts: config.build.push_hosts.clone(),
        },
        blobs.clone(),
        bases.clone(),
    );
    let key_values = StoredKeyValues::new(Table::new(store.clone()), blobs.clone());
    let platform = WasmtimePlatform::new(
        WasmtimeConfig {
            native_dir: data.join("cache/native"),
            program,
            functions_url: config
                .listen
                .functions_url
                .clone()
                .unwrap_or_else(|| local_url(config.listen.functions)),
            namespaces: config.run.namespaces.clone(),
            max_instances: config.run.concurrency,
            workers: config.run.workers,
            calls_per_worker: CALLS_PER_WORKER,
        },
        blobs.clone(),
        key_values.clone(),
        bases,
    )
    .map_err(|cause| cause.to_string())?;
    Ok(Adapters {
        store,
        blobs,
        builder: Arc::new(builder),
        platform: Arc::new(platform),
        key_values,
    })
}

/// How this machine's users reach an address: one that stands for all interfaces is no destination.
fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

/// The services and what has to run beside them.
struct Composed {
    services: Services,
    routes: Arc<Routes>,
    recorder: Recorder,
}

fn compose(config: &Config, adapters: Adapters, stop: &Stop) -> Result<Composed, String> {
    let Adapters {
        store,
        blobs,
        builder,
        platform,
        key_values,
    } = adapters;
    let table = Table::new(store.clone());
    let statistics = Statistics::new(table.clone());
    let workspaces = Workspaces::new(table.clone(), statistics.clone());
    let routes = Routes::new(table.clone(), platform.clone(), config.run.per_function);
    let functions = Functions::new(
        table.clone(),
        blobs.clone(),
        builder.clone(),
        statistics.clone(),
        workspaces.clone(),
        routes.clone(),
    );
    let deployments = Deployments::new(table.clone(), platform.clone(), routes.clone());
    let recorder = Recorder::start(table.clone(), statistics.clone(), config.keep.days);
    let engine = EngineSettings {
        parallelism: config.build.parallelism,
        timeout: config.build.timeout,
        warm_up: config.build.warm_up,
    };
    let builds = Builds::new(
        table.clone(),
        blobs.clone(),
        builder.clone(),
        platform.clone(),
        workspaces.clone(),
        functions.clone(),
        deployments.clone(),
        engine,
    );
    let versions = Versions::new(
        table.clone(),
        functions.clone(),
        builds.clone(),
        deployments.clone(),
    );
    let remote = RemoteCaller::new(RemotePolicy {
        allowed_hosts: config.run.invoke_allowed_hosts.clone(),
    })
    .map_err(|cause| cause.to_string())?;
    let limits = CallLimits {
        max_body: config.listen.max_body,
        concurrency: config.run.concurrency,
    };
    let invocations = Invocations::new(
        platform.clone(),
        routes.clone(),
        functions.clone(),
        deployments.clone(),
        recorder.clone(),
        remote,
        limits,
    );
    let parts = RetentionParts {
        store: store.clone(),
        blobs: blobs.clone(),
        platform: platform.clone(),
        workspaces: workspaces.clone(),
        functions: functions.clone(),
        builds: builds.clone(),
        deployments: deployments.clone(),
        key_values,
        recorder: recorder.clone(),
    };
    let retention = Retention::new(
        parts,
        RetentionSettings {
            days: config.keep.days,
            versions: config.keep.versions,
            max_data: config.keep.max_data,
        },
    );
    let executions = Executions::new(table.clone(), functions.clone());
    let logs = observe::logs(&config.observe.logs, store.clone())?;
    let cpu = observe::metrics(&config.observe.metrics, store.clone())?;
    let observe = Observe::new(
        functions.clone(),
        statistics.clone(),
        logs.clone(),
        cpu.clone(),
        executions.clone(),
    );
    let spin_apps = SpinApps::new(
        workspaces.clone(),
        functions.clone(),
        builds.clone(),
        builder.clone(),
        blobs.clone(),
    );
    let health = Arc::new(Health {
        store,
        blobs,
        builder,
        logs,
        metrics: cpu,
        platform: platform.clone(),
        leaving: stop.leaving().clone(),
    });
    let replays = Replays::new(
        table,
        platform,
        functions.clone(),
        executions.clone(),
        invocations.clone(),
    );
    let services = Services {
        workspaces,
        functions,
        builds,
        deployments,
        versions,
        executions,
        invocations,
        observe,
        replays,
        statistics,
        retention,
        spin_apps,
        health,
        overviews: Arc::new(Kept::new(KEPT_OVERVIEWS)),
    };
    Ok(Composed {
        services,
        routes,
        recorder,
    })
}

/// A server that is ready to answer.
pub struct Server {
    config: Config,
    composed: Composed,
    stop: Stop,
    console: TcpListener,
    functions: TcpListener,
    metrics: Option<metrics::Listener>,
}

impl Server {
    /// Opens everything and listens; nothing answers yet. The error is one line for whoever starts the server.
    pub async fn start(mut config: Config, stop: Stop) -> Result<Self, String> {
        let bind = async |name: &str, address| {
            TcpListener::bind(address)
                .await
                .map_err(|cause| format!("{name}: {address} cannot be listened on: {cause}"))
        };
        let console = bind("BLUE_FAAS_ADDR", config.listen.console).await?;
        let functions = bind("BLUE_FAAS_FUNCTIONS_ADDR", config.listen.functions).await?;
        // With port 0 the system chose; addresses in answers must name what it chose.
        config.listen.console = console.local_addr().map_err(|cause| cause.to_string())?;
        config.listen.functions = functions.local_addr().map_err(|cause| cause.to_string())?;
        let metrics = metrics::Listener::open(&config.listen).await?;
        let composed = compose(&config, adapters(&config).await?, &stop)?;
        composed
            .routes
            .follow_table()
            .await
            .map_err(|error| format!("the deployed functions cannot be started: {error}"))?;
        let recovered = composed.services.retention.recover_functions().await;
        recovered
            .map_err(|error| format!("what the server before left cannot be read: {error}"))?;
        Ok(Self {
            config,
            composed,
            stop,
            console,
            functions,
            metrics,
        })
    }

    pub fn console_address(&self) -> SocketAddr {
        self.config.listen.console
    }

    pub fn functions_address(&self) -> SocketAddr {
        self.config.listen.functions
    }

    /// Where its figures are, if anywhere.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(metrics::Listener::address)
    }

    pub fn services(&self) -> Services {
        self.composed.services.clone()
    }

    /// Serves until it is stopped; calls under way finish and what was recorded is written.
    pub async fn run(self) {
        let stop = self.stop.stopped().clone();
        let figures = self.metrics.map(metrics::Listener::serve);
        let Composed {
            services,
            routes,
            recorder,
        } = self.composed;
        let builds = tokio::spawn(services.builds.clone().run(stop.clone()));
        let retention = tokio::spawn(services.retention.clone().run(stop.clone()));
        let following = tokio::spawn(follow(routes, services.clone(), stop.clone()));
        let functions =
            functions_listener::router(services.invocations.clone(), &self.config.listen);
        let invocations = services.invocations.clone();
        let console = console::router(services, &self.config.listen);
        tokio::join!(
            listen::serve("console", self.console, console, self.stop.clone()),
            listen::serve("functions", self.functions, functions, self.stop)
        );
        // Their callers are gone by now, which ends them.
        let _ = tokio::time::timeout(MAX_FAREWELL, invocations.finish_streams()).await;
        let _ = tokio::join!(builds, following);
        retention.abort();
        recorder.flush().await;
        // Up to here, so that the last figures can be read.
        drop(figures);
    }
}

/// Other replicas' deployments answer here within two seconds. An exclusive store has no other replicas.
async fn follow(routes: Arc<Routes>, services: Services, stop: CancellationToken) {
    if services.deployments.is_exclusive() {
        return;
    }
    loop {
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = routes.follow_table().await {
            tracing::warn!(%error, "the table of apps could not be read");
        }
    }
}
