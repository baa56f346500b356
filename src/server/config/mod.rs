//! Settings: environment variables and a `.env` file, read once at start (SPEC §8). A wrong value stops the start with one line that names it.

mod arguments;
mod build;
mod cluster;
mod env_file;
mod observe;
mod parse;
mod storage;

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::deployment::Namespace;

pub use arguments::{Arguments, Command, TableCommand, TemplateFormat};
pub use build::{BuildSettings, EnginePair};
pub use cluster::ClusterSettings;
pub use observe::{LogsEngine, MetricsEngine, ObserveSettings};
pub use storage::{BlobsEngine, StorageSettings, StoreEngine};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    Development,
    Production,
}

#[derive(Clone, Debug)]
pub struct LogSettings {
    pub environment: Environment,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub level: String,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector that spans go to. What else OpenTelemetry's variables say, its SDK reads.
    pub traces: Option<String>,
}

#[derive(Clone, Debug)]
pub struct ListenSettings {
    /// `BLUE_FAAS_ADDR`
    pub console: SocketAddr,
    /// `BLUE_FAAS_FUNCTIONS_ADDR`
    pub functions: SocketAddr,
    /// `BLUE_FAAS_PUBLIC_URL`: the console as users reach it; its host passes the Host check.
    pub public_url: Option<String>,
    /// `BLUE_FAAS_FUNCTIONS_URL`: functions as users reach them; `{app}` stands for the app name.
    pub functions_url: Option<String>,
    /// `CORS_ORIGINS`, as browsers send them.
    pub cors_origins: Vec<String>,
    /// `BLUE_FAAS_SITE`: the built front end.
    pub site: PathBuf,
    /// `BLUE_FAAS_MAX_BODY`, bytes.
    pub max_body: usize,
    /// `BLUE_FAAS_MAX_UPLOAD`, bytes.
    pub max_upload: usize,
    /// `BLUE_FAAS_METRICS_ADDR`: the server's own figures, for Prometheus. They name no user, function or content, so any address will do.
    pub metrics: Option<SocketAddr>,
    /// `BLUE_FAAS_DRAIN`: from the signal to stop until no request is taken any more, so that who routes hears of it first.
    pub drain: Duration,
    /// Without accounts, whether another address than loopback was allowed by `BLUE_FAAS_INSECURE=yes`.
    pub insecure: bool,
}

#[derive(Clone, Debug)]
pub struct RunSettings {
    /// `BLUE_FAAS_NAMESPACES`; the first is that of deployments for which nobody chose one.
    pub namespaces: Vec<Namespace>,
    /// `BLUE_FAAS_INVOKE_ALLOWED_HOSTS`
    pub invoke_allowed_hosts: Vec<String>,
    /// `BLUE_FAAS_MAX_CONCURRENCY`: per function and in all.
    pub per_function: usize,
    pub concurrency: usize,
    /// `BLUE_FAAS_WORKERS`
    pub workers: usize,
}

#[derive(Clone, Debug)]
pub struct KeepSettings {
    /// `BLUE_FAAS_DATA_DIR`
    pub data_dir: PathBuf,
    /// `BLUE_FAAS_RETENTION_DAYS`
    pub days: u32,
    /// `BLUE_FAAS_KEEP_VERSIONS`
    pub versions: usize,
    /// `BLUE_FAAS_MAX_DATA`, bytes.
    pub max_data: Option<u64>,
}

/// Everything that can be set.
#[derive(Clone, Debug)]
pub struct Config {
    pub log: LogSettings,
    pub listen: ListenSettings,
    pub storage: StorageSettings,
    pub observe: ObserveSettings,
    pub build: BuildSettings,
    pub cluster: ClusterSettings,
    pub run: RunSettings,
    pub keep: KeepSettings,
}

impl Config {
    /// The error is one line that names the variable.
    pub fn from_arguments(arguments: &Arguments) -> Result<Self, String> {
        check_auth(&arguments.auth)?;
        let console = parse::address("BLUE_FAAS_ADDR", &arguments.addr)?;
        let functions = parse::address("BLUE_FAAS_FUNCTIONS_ADDR", &arguments.functions_addr)?;
        let insecure = arguments.insecure.as_deref() == Some("yes");
        for (name, address) in [
            ("BLUE_FAAS_ADDR", console),
            ("BLUE_FAAS_FUNCTIONS_ADDR", functions),
        ] {
            if !address.ip().is_loopback() && !insecure {
                return Err(format!(
                    "{name}: {address} can be reached by others and there are no accounts yet. Listen on 127.0.0.1, or set BLUE_FAAS_INSECURE=yes where something else keeps strangers out."
                ));
            }
        }
        let (per_function, concurrency) =
            parse::pair("BLUE_FAAS_MAX_CONCURRENCY", &arguments.max_concurrency)?;
        let environment = parse::environment(&arguments.environment)?;
        let default_origins = match environment {
            Environment::Development => vec![
                "http://localhost:3000".to_owned(),
                "http://localhost:5173".to_owned(),
            ],
            Environment::Production => Vec::new(),
        };
        Ok(Self {
            log: LogSettings {
                environment,
                level: parse::level(&arguments.log_level)?,
                traces: arguments
                    .otlp_endpoint
                    .as_deref()
                    .filter(|url| !url.is_empty())
                    .map(|url| parse::url("OTEL_EXPORTER_OTLP_ENDPOINT", url))
                    .transpose()?,
            },
            listen: ListenSettings {
                console,
                functions,
                public_url: arguments
                    .public_url
                    .as_deref()
                    .map(|url| parse::url("BLUE_FAAS_PUBLIC_URL", url))
                    .transpose()?,
                functions_url: arguments
                    .functions_url
                    .as_deref()
                    .map(|url| parse::url("BLUE_FAAS_FUNCTIONS_URL", url))
                    .transpose()?,
                cors_origins: arguments
                    .cors_origins
                    .as_deref()
                    .map(|text| parse::origins("CORS_ORIGINS", text))
                    .transpose()?
                    .unwrap_or(default_origins),
                site: arguments.site.clone().unwrap_or_else(parse::default_site),
                max_body: parse::size("BLUE_FAAS_MAX_BODY", &arguments.max_body)? as usize,
                max_upload: parse::size("BLUE_FAAS_MAX_UPLOAD", &arguments.max_upload)? as usize,
                metrics: arguments
                    .metrics_addr
                    .as_deref()
                    .map(|address| parse::address("BLUE_FAAS_METRICS_ADDR", address))
                    .transpose()?,
                drain: parse::pause("BLUE_FAAS_DRAIN", &arguments.drain)?,
                insecure,
            },
            storage: StorageSettings::from_arguments(arguments)?,
            observe: ObserveSettings::from_arguments(arguments)?,
            build: BuildSettings::from_arguments(arguments)?,
            cluster: ClusterSettings::from_arguments(arguments)?,
            run: RunSettings {
                namespaces: parse::namespaces(&arguments.namespaces)?,
                invoke_allowed_hosts: parse::list(
                    "BLUE_FAAS_INVOKE_ALLOWED_HOSTS",
                    arguments
                        .invoke_allowed_hosts
                        .as_deref()
                        .unwrap_or_default(),
                )?,
                per_function,
                concurrency,
                workers: match &arguments.workers {
                    Some(workers) => parse::count("BLUE_FAAS_WORKERS", workers)?,
                    None => std::thread::available_parallelism().map_or(1, NonZero::get),
                },
            },
            keep: KeepSettings {
                data_dir: arguments.data_dir.clone(),
                days: parse::count("BLUE_FAAS_RETENTION_DAYS", &arguments.retention_days)? as u32,
                versions: parse::count("BLUE_FAAS_KEEP_VERSIONS", &arguments.keep_versions)?,
                max_data: arguments
                    .max_data
                    .as_deref()
                    .map(|text| parse::size("BLUE_FAAS_MAX_DATA", text))
                    .transpose()?,
            },
        })
    }
}

/// What this version has; the other is refused with the reason.
fn check_auth(text: &str) -> Result<(), String> {
    match text {
        "off" => Ok(()),
        "on" => Err("BLUE_FAAS_AUTH: on is not in this version. Use off.".to_owned()),
        other => Err(format!(
            "BLUE_FAAS_AUTH: \"{other}\" is not known. Use off."
        )),
    }
}
