//! Which adapters stand behind the ports. With `main.rs` the only place that names one.

mod engines;
mod observe;
pub(super) mod storage;
pub mod table;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::config::{Config, EnginePair};
use super::stop::Stop;
use super::{console, functions_listener, listen, metrics};
use crate::adapter::remote::http::HttpFunctions;
use crate::model::platform::PlatformKind;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::platform::Platform;
use crate::port::remote::RemoteFunctions;
use crate::port::store::Store;
use crate::service::Services;
use crate::service::builds::Builds;
use crate::service::deployments::Deployments;
use crate::service::deployments::routes::Routes;
use crate::service::effects::Effects;
use crate::service::executions::{Executions, Recorder};
use crate::service::functions::Functions;
use crate::service::health::Health;
use crate::service::idempotency::Idempotency;
use crate::service::invocations::{CallLimits, InvocationParts, Invocations, RemoteCaller};
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

/// Until what callers no longer wait for is recorded.
const MAX_FAREWELL: Duration = Duration::from_secs(2);

/// Until deployments, saves, deletions and calls by the API have ended, after the time that calls under way have: together longer than a rollout takes.
const MAX_EFFECTS: Duration = Duration::from_secs(40);

/// The technologies behind the ports.
struct Adapters {
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    builder: Arc<dyn Builder>,
    platform: Arc<dyn Platform>,
    functions: Arc<dyn RemoteFunctions>,
    key_values: Arc<StoredKeyValues>,
}

async fn adapters(config: &Config) -> Result<Adapters, String> {
    let store = storage::open_store(config).await?;
    let blobs = storage::open_blobs(config).await?;
    let (store, blobs) = metrics::watch(config, store, blobs);
    let key_values = StoredKeyValues::new(Table::new(store.clone()), blobs.clone());
    let functions = Arc::new(HttpFunctions::new(config.cluster.proxy.as_deref())?);
    let (builder, platform) = engines::open(config, &blobs, &key_values, functions.clone())?;
    Ok(Adapters {
        store,
        blobs,
        builder,
        platform,
        functions,
        key_values,
    })
}

/// The services and what has to run beside them.
struct Composed {
    services: Services,
    routes: Arc<Routes>,
    recorder: Recorder,
    effects: Effects,
}

fn compose(config: &Config, adapters: Adapters, stop: &Stop) -> Result<Composed, String> {
    let Adapters {
        store,
        blobs,
        builder,
        platform,
        functions: remote_functions,
        key_values,
    } = adapters;
    let table = Table::new(store.clone());
    let effects = Effects::default();
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
        effects.clone(),
    );
    let deployments = Deployments::new(
        table.clone(),
        platform.clone(),
        routes.clone(),
        effects.clone(),
        config.run.namespaces[0].clone(),
    );
    let recorder = Recorder::start(table.clone(), statistics.clone(), config.keep.days);
    let engine = engines::settings(&config.build);
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
    let remote = RemoteCaller::new(
        remote_functions,
        engines::callable_hosts(config),
        config.run.per_function,
    );
    let limits = CallLimits {
        max_body: config.listen.max_body,
        concurrency: config.run.concurrency,
    };
    let parts = InvocationParts {
        platform: platform.clone(),
        routes: routes.clone(),
        functions: functions.clone(),
        deployments: deployments.clone(),
        recorder: recorder.clone(),
        remote,
        effects: effects.clone(),
    };
    let invocations = Invocations::new(parts, limits);
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
        effects: effects.clone(),
    };
    let retention = Retention::new(
        parts,
        RetentionSettings {
            days: config.keep.days,
            versions: config.keep.versions,
            max_data: config.keep.max_data,
            owns_artifacts: matches!(config.build.pair, EnginePair::Embedded { .. }),
        },
    );
    let executions = Executions::new(table.clone(), workspaces.clone(), functions.clone());
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
    let idempotency = Idempotency::new(table.clone(), blobs.clone());
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
        idempotency,
        overviews: Arc::new(Kept::new(KEPT_OVERVIEWS)),
    };
    Ok(Composed {
        services,
        routes,
        recorder,
        effects,
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
            effects,
        } = self.composed;
        let builds = tokio::spawn(services.builds.clone().run(stop.clone()));
        let retention = tokio::spawn(services.retention.clone().run(stop.clone()));
        let following = tokio::spawn(follow(routes, services.clone(), stop.clone()));
        let wait = self.config.cluster.endpoint_wait;
        let completing = tokio::spawn(complete_endpoints(services.clone(), wait, stop.clone()));
        let functions =
            functions_listener::router(services.invocations.clone(), &self.config.listen);
        let invocations = services.invocations.clone();
        let console = console::router(services, &self.config.listen, stop.clone());
        tokio::join!(
            listen::serve("console", self.console, console, self.stop.clone()),
            listen::serve("functions", self.functions, functions, self.stop)
        );
        // Their callers are gone by now, which ends them.
        let _ = tokio::time::timeout(MAX_FAREWELL, invocations.finish_apart()).await;
        let _ = tokio::join!(builds, following, completing);
        let finished = tokio::time::timeout(MAX_EFFECTS, effects.finish());
        if finished.await.is_err() {
            tracing::warn!(
                "a deployment, a deletion or a call by the API was still under way when the server stopped"
            );
        }
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
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            () = stop.cancelled() => return,
        }
        if let Err(error) = routes.follow_table().await {
            tracing::warn!(%error, "the table of apps could not be read");
        }
    }
}

/// What was deployed to a cluster before it had an endpoint gets one here, also after a restart.
async fn complete_endpoints(services: Services, wait: Duration, stop: CancellationToken) {
    if services.deployments.platform_kind() == PlatformKind::Embedded {
        return;
    }
    while stop
        .run_until_cancelled(tokio::time::sleep(wait))
        .await
        .is_some()
    {
        if let Err(error) = services.deployments.complete_endpoints().await {
            tracing::warn!(%error, "the endpoints of apps could not be completed");
        }
    }
}
