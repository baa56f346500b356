//! The command line: every variable with its default, for `blue-faas --help`.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

use super::env_file;

/// Turns a Python function into an HTTP endpoint: write, build to WebAssembly, deploy, invoke, watch.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Settings are environment variables, or lines of a .env file in the working directory. Not set means the default."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Where the console and the API listen
    #[arg(long, env = "BLUE_FAAS_ADDR", default_value = "127.0.0.1:3000")]
    pub addr: String,
    /// Where functions answer: an origin of their own
    #[arg(
        long,
        env = "BLUE_FAAS_FUNCTIONS_ADDR",
        default_value = "127.0.0.1:3001"
    )]
    pub functions_addr: String,
    /// Where the server's own figures are, for Prometheus: /metrics [default: nowhere]
    #[arg(long, env = "BLUE_FAAS_METRICS_ADDR")]
    pub metrics_addr: Option<String>,
    /// Seconds from the signal to stop until no request is taken; the server is not ready meanwhile
    #[arg(long, env = "BLUE_FAAS_DRAIN", default_value = "0")]
    pub drain: String,
    /// The console as users reach it, behind a proxy
    #[arg(long, env = "BLUE_FAAS_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Functions as users reach them; {app} stands for the app name
    #[arg(long, env = "BLUE_FAAS_FUNCTIONS_URL")]
    pub functions_url: Option<String>,
    /// yes: listen on other addresses than loopback although there are no accounts
    #[arg(long, env = "BLUE_FAAS_INSECURE")]
    pub insecure: Option<String>,
    /// Database, code, artifacts
    #[arg(long, env = "BLUE_FAAS_DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// Python environment with componentize-py, spin-sdk and mypy [default: blue-faas/venv in the user's cache]
    #[arg(long, env = "BLUE_FAAS_VENV")]
    pub venv: Option<PathBuf>,
    /// The built front end [default: site beside the executable, else target/site]
    #[arg(long, env = "BLUE_FAAS_SITE")]
    pub site: Option<PathBuf>,
    /// development | production: log format, CORS default
    #[arg(long, env = "ENVIRONMENT", default_value = "development")]
    pub environment: String,
    /// TRACE | DEBUG | INFO | WARN | ERROR
    #[arg(long, env = "LOG_LEVEL", default_value = "INFO")]
    pub log_level: String,
    /// Collector of traces, OTLP over HTTP, as in http://otel-collector:4318 [default: no traces]
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    pub otlp_endpoint: Option<String>,
    /// Origins that may call the API from a browser, a JSON list [default: localhost:3000 and 5173 in development]
    #[arg(long, env = "CORS_ORIGINS")]
    pub cors_origins: Option<String>,
    /// sqlite | dynamodb: where records are kept
    #[arg(long, env = "BLUE_FAAS_STORE", default_value = "sqlite")]
    pub store: String,
    /// files | s3: where code, sources and artifacts are kept
    #[arg(long, env = "BLUE_FAAS_BLOBS", default_value = "files")]
    pub blobs: String,
    /// Region of the table and the bucket
    #[arg(long, env = "AWS_REGION", default_value = "ap-northeast-2")]
    pub aws_region: String,
    /// The table, with BLUE_FAAS_STORE=dynamodb
    #[arg(
        long,
        env = "DYNAMODB_TABLE_NAME",
        default_value = "sfbank-blue-FaaSData"
    )]
    pub dynamodb_table_name: String,
    /// The bucket, with BLUE_FAAS_BLOBS=s3
    #[arg(
        long,
        env = "S3_BUCKET_NAME",
        default_value = "sfbank-blue-functions-code-bucket"
    )]
    pub s3_bucket_name: String,
    /// Another server than AWS that speaks its protocols
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
    /// The same for DynamoDB alone
    #[arg(long, env = "AWS_ENDPOINT_URL_DYNAMODB")]
    pub aws_endpoint_url_dynamodb: Option<String>,
    /// The same for S3 alone
    #[arg(long, env = "AWS_ENDPOINT_URL_S3")]
    pub aws_endpoint_url_s3: Option<String>,
    /// snapshot | componentize: how sources become artifacts here | remote: by the Builder Service
    #[arg(long, env = "BLUE_FAAS_BUILDER", default_value = "snapshot")]
    pub builder: String,
    /// embedded | spinapp: where functions run; spinapp goes with remote, and remote with spinapp
    #[arg(long, env = "BLUE_FAAS_PLATFORM", default_value = "embedded")]
    pub platform: String,
    /// The Builder Service, as in http://builder:8000
    #[arg(long, env = "BUILDER_SERVICE_URL")]
    pub builder_service_url: Option<String>,
    /// The registry of images that nobody named one for, with BLUE_FAAS_BUILDER=remote
    #[arg(long, env = "ECR_REGISTRY_URL")]
    pub ecr_registry_url: Option<String>,
    /// The repository in it
    #[arg(long, env = "ECR_REPOSITORY")]
    pub ecr_repository: Option<String>,
    /// How often the Builder Service is asked about a build, as in 5s or 500ms
    #[arg(long, env = "BLUE_FAAS_POLL_INTERVAL", default_value = "5s")]
    pub poll_interval: String,
    /// The Kubernetes API, with BLUE_FAAS_PLATFORM=spinapp [default: that of the cluster this server runs in]
    #[arg(long, env = "BLUE_FAAS_KUBERNETES_URL")]
    pub kubernetes_url: Option<String>,
    /// Folder with token and ca.crt of the service account
    #[arg(
        long,
        env = "BLUE_FAAS_KUBERNETES_ACCOUNT",
        default_value = "/var/run/secrets/kubernetes.io/serviceaccount"
    )]
    pub kubernetes_account: PathBuf,
    /// HTTP proxy that reaches the cluster's services, for a server outside of it
    #[arg(long, env = "BLUE_FAAS_CLUSTER_PROXY")]
    pub cluster_proxy: Option<String>,
    /// After a deployment without an endpoint, how long until that is asked for again, and how often
    #[arg(long, env = "BLUE_FAAS_ENDPOINT_WAIT", default_value = "5s")]
    pub endpoint_wait: String,
    /// What Kubernetes tells its pods
    #[arg(long, env = "KUBERNETES_SERVICE_HOST", hide = true)]
    pub kubernetes_service_host: Option<String>,
    #[arg(long, env = "KUBERNETES_SERVICE_PORT", hide = true)]
    pub kubernetes_service_port: Option<String>,
    /// embedded | loki: where live lines come from
    #[arg(long, env = "BLUE_FAAS_LOGS", default_value = "embedded")]
    pub logs: String,
    /// Loki, as in http://loki:3100
    #[arg(long, env = "LOKI_SERVICE_URL")]
    pub loki_service_url: Option<String>,
    /// embedded | prometheus: where CPU figures come from
    #[arg(long, env = "BLUE_FAAS_METRICS", default_value = "embedded")]
    pub metrics: String,
    /// Prometheus, as in http://prometheus:9090
    #[arg(long, env = "PROMETHEUS_SERVICE_URL")]
    pub prometheus_service_url: Option<String>,
    /// off (on comes with accounts)
    #[arg(long, env = "BLUE_FAAS_AUTH", default_value = "off")]
    pub auth: String,
    /// Namespaces that exist, a comma-separated list
    #[arg(long, env = "BLUE_FAAS_NAMESPACES", default_value = "default")]
    pub namespaces: String,
    /// Hosts that an invocation URL may name, a comma-separated list
    #[arg(long, env = "BLUE_FAAS_INVOKE_ALLOWED_HOSTS")]
    pub invoke_allowed_hosts: Option<String>,
    /// Registries that images are pushed to, a comma-separated list
    #[arg(long, env = "BLUE_FAAS_PUSH_HOSTS")]
    pub push_hosts: Option<String>,
    /// Package index for requirements.txt
    #[arg(long, env = "BLUE_FAAS_PIP_INDEX_URL")]
    pub pip_index_url: Option<String>,
    /// Builds at the same time [default: 1, or 16 with BLUE_FAAS_BUILDER=remote]
    #[arg(long, env = "BLUE_FAAS_BUILD_PARALLELISM")]
    pub build_parallelism: Option<String>,
    /// Seconds a build may take
    #[arg(long, env = "BLUE_FAAS_BUILD_TIMEOUT", default_value = "600")]
    pub build_timeout: String,
    /// on | off: compile the Python runtime at the first start, ahead of the first build
    #[arg(long, env = "BLUE_FAAS_WARM_UP", default_value = "on")]
    pub warm_up: String,
    /// Largest body of a call and its answer
    #[arg(long, env = "BLUE_FAAS_MAX_BODY", default_value = "6MiB")]
    pub max_body: String,
    /// Largest upload
    #[arg(long, env = "BLUE_FAAS_MAX_UPLOAD", default_value = "50MiB")]
    pub max_upload: String,
    /// Largest unpacked package
    #[arg(long, env = "BLUE_FAAS_MAX_UNPACKED", default_value = "200MiB")]
    pub max_unpacked: String,
    /// Calls at the same time: per function,in all
    #[arg(long, env = "BLUE_FAAS_MAX_CONCURRENCY", default_value = "32,256")]
    pub max_concurrency: String,
    /// Processes that functions run in [default: one per core]
    #[arg(long, env = "BLUE_FAAS_WORKERS")]
    pub workers: Option<String>,
    /// Days that executions and tasks are kept
    #[arg(long, env = "BLUE_FAAS_RETENTION_DAYS", default_value = "30")]
    pub retention_days: String,
    /// Versions kept per function
    #[arg(long, env = "BLUE_FAAS_KEEP_VERSIONS", default_value = "10")]
    pub keep_versions: String,
    /// Bytes on disk at most; unused artifacts and the oldest executions go first [default: no limit]
    #[arg(long, env = "BLUE_FAAS_MAX_DATA")]
    pub max_data: Option<String>,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Asks a running server whether it is well; exits with 1 when it is not
    Healthcheck,
    /// Writes everything that the store and the blobs hold to an archive, secrets included
    Export {
        /// The archive, a zip; it must not be there yet
        file: PathBuf,
    },
    /// Reads an archive into the store and the blobs that the settings name
    Import {
        file: PathBuf,
        /// Into a store that has items: they stay as they are, what is missing is added
        #[arg(long)]
        merge: bool,
    },
    /// Looks after the DynamoDB table that the settings name
    #[command(subcommand)]
    Table(TableCommand),
    /// Compiles a component to native code; the server runs this in a child process
    #[command(hide = true)]
    CompileArtifact {
        wasm: PathBuf,
        native: PathBuf,
        cache: PathBuf,
    },
    /// Compiles the program that all functions share; the server runs this in a child process
    #[command(hide = true)]
    PrepareBase { wasm: PathBuf, folder: PathBuf },
    /// Runs calls of functions; the server runs this in child processes
    #[command(hide = true)]
    Worker {
        instances: usize,
        directories: Vec<PathBuf>,
    },
}

impl Command {
    /// Whether the server runs it itself, in folders that may hold a project's files.
    fn is_child(&self) -> bool {
        match self {
            Self::Healthcheck | Self::Table(_) | Self::Export { .. } | Self::Import { .. } => false,
            Self::CompileArtifact { .. } | Self::PrepareBase { .. } | Self::Worker { .. } => true,
        }
    }
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum TableCommand {
    /// Makes the table, on demand and with the removal of expired items; one that is there is left as it is
    Create,
    /// Makes what the first system left in the table findable: workspaces, functions, tasks; safe to run again, and beside servers
    Backfill,
    /// Prints the table as a template, with point-in-time recovery and protection from deletion
    Print {
        #[arg(long)]
        format: TemplateFormat,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TemplateFormat {
    Cloudformation,
    Terraform,
}

impl Arguments {
    /// What the command line, the environment and, for a server or whoever asks one, the `.env` file say.
    ///
    /// # Errors
    /// A `.env` file that cannot be read.
    pub fn read() -> Result<Self, String> {
        let arguments = Self::parse();
        let is_child = arguments.command.as_ref().is_some_and(Command::is_child);
        if is_child {
            return Ok(arguments);
        }
        env_file::load()?;
        Ok(Self::parse())
    }
}
