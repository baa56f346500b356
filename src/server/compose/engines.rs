//! The builder and the platform that the settings name.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::adapter::builder::embedded::{ComponentizeBuilder, ComponentizeConfig};
use crate::adapter::builder::remote::{RemoteBuilder, RemoteConfig};
use crate::adapter::builder_service::BuilderService;
use crate::adapter::platform::spinapp::{KubernetesConfig, SpinAppConfig, SpinAppPlatform};
use crate::adapter::platform::wasmtime::{WasmtimeConfig, WasmtimePlatform};
use crate::adapter::snapshot::Bases;
use crate::model::callable_hosts::CallableHosts;
use crate::port::blobs::Blobs;
use crate::port::builder::Builder;
use crate::port::platform::Platform;
use crate::port::remote::RemoteFunctions;
use crate::server::config::{BuildSettings, Config, EnginePair};
use crate::service::builds::EngineSettings;
use crate::service::key_values::StoredKeyValues;

/// A leak of a kilobyte a call would be a gigabyte by then.
const CALLS_PER_WORKER: u64 = 1_000_000;
/// Time for a Builder Service to be started again.
const PATIENCE: Duration = Duration::from_mins(2);
/// Until a Builder Service that is away is given up, the upload, and a deployment.
const AROUND_A_JOB: Duration = Duration::from_mins(10);
/// Files of a package.
const MAX_FILES: usize = 10_000;

type Pair = (Arc<dyn Builder>, Arc<dyn Platform>);

pub(super) fn open(
    config: &Config,
    blobs: &Arc<dyn Blobs>,
    key_values: &Arc<StoredKeyValues>,
    functions: Arc<dyn RemoteFunctions>,
) -> Result<Pair, String> {
    match &config.build.pair {
        EnginePair::Embedded { snapshot } => embedded(config, *snapshot, blobs, key_values),
        EnginePair::Cloud { builder_url } => {
            let service = Arc::new(BuilderService::new(builder_url)?);
            let platform = cloud_platform(config, service.clone(), functions)?;
            Ok((remote_builder(config, service), platform))
        }
    }
}

/// Where functions outside of this server may be.
pub(super) fn callable_hosts(config: &Config) -> CallableHosts {
    CallableHosts {
        listed: config.run.invoke_allowed_hosts.clone(),
        cluster: matches!(config.build.pair, EnginePair::Cloud { .. }),
    }
}

/// How builds are worked on.
pub(super) fn settings(build: &BuildSettings) -> EngineSettings {
    let is_remote = matches!(build.pair, EnginePair::Cloud { .. });
    EngineSettings {
        parallelism: build.parallelism,
        // The builder ends a job in time by itself; what comes before and after it must not be cut short.
        timeout: if is_remote {
            build.timeout + AROUND_A_JOB
        } else {
            build.timeout
        },
        warm_up: build.warm_up && !is_remote,
        registry: build.registry.clone().filter(|_| is_remote),
    }
}

fn remote_builder(config: &Config, service: Arc<BuilderService>) -> Arc<dyn Builder> {
    Arc::new(RemoteBuilder::new(
        service,
        RemoteConfig {
            poll_interval: config.build.poll_interval,
            patience: PATIENCE.min(config.build.timeout),
            timeout: config.build.timeout,
            max_unpacked: config.build.max_unpacked,
            max_files: MAX_FILES,
        },
    ))
}

fn cloud_platform(
    config: &Config,
    service: Arc<BuilderService>,
    functions: Arc<dyn RemoteFunctions>,
) -> Result<Arc<dyn Platform>, String> {
    let cluster = &config.cluster;
    let url = cluster.kubernetes_url.clone().ok_or(
        "BLUE_FAAS_KUBERNETES_URL: BLUE_FAAS_PLATFORM=spinapp needs the address of the Kubernetes API where it does not run in the cluster.",
    )?;
    let platform = SpinAppPlatform::new(
        SpinAppConfig {
            functions_url: functions_url(config),
            kubernetes: KubernetesConfig {
                url,
                account: cluster.account.clone(),
            },
            hosts: callable_hosts(config),
            endpoint_wait: cluster.endpoint_wait,
        },
        service,
        functions,
    )
    .map_err(|cause| format!("BLUE_FAAS_KUBERNETES_ACCOUNT: {cause}"))?;
    Ok(Arc::new(platform))
}

fn embedded(
    config: &Config,
    snapshot: bool,
    blobs: &Arc<dyn Blobs>,
    key_values: &Arc<StoredKeyValues>,
) -> Result<Pair, String> {
    let data = &config.keep.data_dir;
    let program = std::env::current_exe()
        .map_err(|cause| format!("the path of this program is not known: {cause}"))?;
    let bases = Bases::open(&data.join("cache/bases"), program.clone(), blobs.clone())?;
    let bases = Arc::new(bases);
    let builder = ComponentizeBuilder::new(
        ComponentizeConfig {
            venv: config.build.venv.clone(),
            snapshot,
            work_dir: data.join("work"),
            cache_dir: data.join("cache/builder"),
            timeout: config.build.timeout,
            max_unpacked: config.build.max_unpacked,
            max_files: MAX_FILES,
            pip_index_url: config.build.pip_index_url.clone(),
            push_hosts: config.build.push_hosts.clone(),
        },
        blobs.clone(),
        bases.clone(),
    );
    let platform = WasmtimePlatform::new(
        WasmtimeConfig {
            native_dir: data.join("cache/native"),
            program,
            functions_url: functions_url(config),
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
    Ok((Arc::new(builder), Arc::new(platform)))
}

fn functions_url(config: &Config) -> String {
    let url = config.listen.functions_url.clone();
    url.unwrap_or_else(|| local_url(config.listen.functions))
}

/// How this machine's users reach an address: one that stands for all interfaces is no destination.
fn local_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://127.0.0.1:{}", address.port())
    } else {
        format!("http://{address}")
    }
}
