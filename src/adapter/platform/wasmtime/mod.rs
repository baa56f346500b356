//! Runs functions on this machine, by wasmtime: loads and deploys here, computes in worker processes.

mod compile;
mod functions;
mod incremental;
mod native;
mod pool;
mod protocol;
mod settings;
mod turns;
mod worker;

use async_trait::async_trait;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

pub use self::compile::compile_artifact;
use self::functions::BaseFunctions;
use self::native::{NativeCache, failed};
use self::pool::{Loadable, Pool, PoolConfig, Program, WeakProgram};
use self::settings::Settings;
use self::turns::Turns;
pub use self::worker::serve_calls;
use crate::adapter::snapshot::{Bases, Compiler};
use crate::model::deployment::{AppName, DeployOptions, Namespace};
use crate::model::id::FunctionId;
use crate::model::platform::PlatformKind;
use crate::model::version::{Artifact, Configuration};
use crate::port::blobs::Blobs;
use crate::port::key_values::KeyValues;
use crate::port::platform::{
    Call, CallFailure, Caller, Deployed, Outcome, Platform, PlatformError, Release, Unserved,
    while_wanted,
};

/// How long a call waits for a free instance at most, before it is refused.
const MAX_QUEUE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub struct WasmtimeConfig {
    /// Where native code is kept; made with access for this user only. It can be deleted while no server runs.
    pub native_dir: PathBuf,
    /// The `blue-faas` binary, which compiles as `blue-faas compile-artifact <wasm> <native> <cache>` and runs calls as
    /// `blue-faas worker <instances> <directory>…`.
    pub program: PathBuf,
    /// Where users reach the functions listener; `{app}` in it stands for the app name, else that is appended to the path.
    pub functions_url: String,
    pub namespaces: Vec<Namespace>,
    /// Calls that are under way at once, of all functions.
    pub max_instances: usize,
    /// Processes that compute, each on one core.
    pub workers: usize,
    /// After which one is replaced: whatever leaks, leaks no further.
    pub calls_per_worker: u64,
}

/// What serves under a name.
struct App {
    namespace: Namespace,
    program: Program,
    settings: Arc<Settings>,
}

/// The embedded platform.
pub struct WasmtimePlatform {
    functions_url: String,
    namespaces: Vec<Namespace>,
    native: Arc<NativeCache>,
    functions: BaseFunctions,
    pool: Pool,
    apps: RwLock<HashMap<AppName, Arc<App>>>,
    /// Loaded programs by the artifact's SHA-256, so that apps with the same one share its code.
    programs: Mutex<HashMap<String, WeakProgram>>,
    /// Deployments and deletions of one app take effect in the order in which they came.
    turns: Turns,
    instances: Semaphore,
}

impl WasmtimePlatform {
    /// Starts the workers in the background; needs a runtime.
    pub fn new(
        config: WasmtimeConfig,
        blobs: Arc<dyn Blobs>,
        key_values: Arc<dyn KeyValues>,
        bases: Arc<Bases>,
    ) -> Result<Self, PlatformError> {
        let claimed = Compiler::claim(config.program.clone(), &config.native_dir);
        let compiler = claimed.map_err(|error| {
            PlatformError::Failed(format!(
                "cannot use {}: {error}",
                config.native_dir.display()
            ))
        })?;
        let directories = vec![
            compiler.directory().to_owned(),
            bases.directory().to_owned(),
        ];
        let native = NativeCache::new(compiler, bases.native_key().to_owned(), blobs.clone());
        let pool = PoolConfig {
            program: config.program,
            workers: config.workers.max(1),
            max_calls: config.calls_per_worker,
            max_instances: config.max_instances.max(1),
            directories,
        };
        Ok(Self {
            functions_url: config.functions_url.trim_end_matches('/').to_owned(),
            namespaces: config.namespaces,
            native: Arc::new(native),
            functions: BaseFunctions::new(bases, blobs),
            pool: Pool::start(pool, key_values),
            apps: RwLock::default(),
            programs: Mutex::default(),
            turns: Turns::default(),
            instances: Semaphore::new(config.max_instances.max(1)),
        })
    }

    /// A place for a call, when there is one in time.
    async fn instance(&self, call: &Call) -> Option<SemaphorePermit<'_>> {
        let wait = MAX_QUEUE.min(call.timeout);
        let instance = tokio::time::timeout(wait, self.instances.acquire()).await;
        instance.ok()?.ok()
    }

    fn app(&self, name: &AppName) -> Option<Arc<App>> {
        self.apps
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    fn set_app(&self, name: AppName, app: App) {
        self.apps
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, Arc::new(app));
    }

    fn loaded(&self, sha256: &str) -> Option<Program> {
        self.programs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(sha256)
            .and_then(WeakProgram::upgrade)
    }

    /// The artifact as a program: shared with other apps, else loaded, else compiled first.
    async fn program(&self, artifact: &Artifact) -> Result<Program, PlatformError> {
        if let Some(program) = self.loaded(&artifact.sha256) {
            return Ok(program);
        }
        let mut found = self.load(artifact).await?;
        if found.is_none() {
            // Damaged since it was prepared; that is noticed once, the second file is new.
            found = self.load(artifact).await?;
        }
        let program = found.ok_or_else(|| {
            PlatformError::Failed(
                "a native file is damaged as soon as it is written: check the disk".to_owned(),
            )
        })?;
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        programs.retain(|_, program| program.upgrade().is_some());
        programs.insert(artifact.sha256.clone(), program.downgrade());
        Ok(program)
    }

    async fn load(&self, artifact: &Artifact) -> Result<Option<Program>, PlatformError> {
        if artifact.is_image() {
            return self.functions.load(artifact, &self.pool).await.map(Some);
        }
        self.native.prepare(artifact).await?;
        let (native, sha256) = (self.native.clone(), artifact.sha256.clone());
        let verified = tokio::task::spawn_blocking(move || native.verified(&sha256));
        let native = verified.await.map_err(failed)?;
        Ok(native.map(|native| self.pool.program(Loadable::Component { native })))
    }
}

#[async_trait]
impl Platform for WasmtimePlatform {
    fn kind(&self) -> PlatformKind {
        PlatformKind::Embedded
    }

    async fn prepare(&self, artifact: &Artifact) -> Result<(), PlatformError> {
        if artifact.is_image() {
            self.functions.prepare(artifact).await
        } else {
            self.native.prepare(artifact).await
        }
    }

    fn is_warm(&self) -> bool {
        let bases = self.functions.bases.is_warm();
        bases.unwrap_or_else(|| self.native.is_warm())
    }

    async fn deploy(&self, release: Release) -> Result<Deployed, PlatformError> {
        if !self.namespaces.contains(&release.namespace) {
            return Err(PlatformError::UnknownNamespace(
                release.namespace.to_string(),
            ));
        }
        let Some(artifact) = &release.artifact else {
            return Err(PlatformError::Unrunnable(format!(
                "{} was not built by this server, which runs only what it has built. Build the function here and deploy that image.",
                release.image_ref
            )));
        };
        let _turn = self.turns.enter(release.app_name.as_str()).await;
        let program = self.program(artifact).await?;
        let owner = release
            .function_id
            .as_ref()
            .map_or_else(|| format!("app:{}", release.app_name), ToString::to_string);
        let settings = Arc::new(Settings::new(&release.configuration, owner));
        self.pool
            .prove(&program, &settings, release.configuration.memory.bytes())
            .await
            .map_err(|error| unrunnable(&error))?;
        let endpoint = self.endpoint(&release.app_name, &release.namespace);
        let app = App {
            namespace: release.namespace,
            program,
            settings,
        };
        self.set_app(release.app_name.clone(), app);
        Ok(Deployed {
            app_name: release.app_name,
            endpoint: Some(endpoint),
            warnings: warnings(&release.options),
        })
    }

    async fn resume(
        &self,
        release: Release,
        _endpoint: Option<String>,
    ) -> Result<(), PlatformError> {
        self.deploy(release).await.map(drop)
    }

    async fn find_endpoint(
        &self,
        app: &AppName,
        namespace: &Namespace,
    ) -> Result<Option<String>, PlatformError> {
        Ok(Some(self.endpoint(app, namespace)))
    }

    async fn configure(
        &self,
        app: &AppName,
        _namespace: &Namespace,
        configuration: Configuration,
    ) -> Result<(), PlatformError> {
        // Nothing is awaited between reading and replacing under the lock, so a deployment at the same time is not undone.
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = apps.get_mut(app) {
            let settings = Arc::new(Settings::new(&configuration, entry.settings.owner.clone()));
            *entry = Arc::new(App {
                namespace: entry.namespace.clone(),
                program: entry.program.clone(),
                settings,
            });
        }
        Ok(())
    }

    async fn delete(&self, app: &AppName, namespace: &Namespace) -> Result<(), PlatformError> {
        let _turn = self.turns.enter(app.as_str()).await;
        let mut apps = self.apps.write().unwrap_or_else(PoisonError::into_inner);
        if apps
            .get(app)
            .is_some_and(|found| found.namespace == *namespace)
        {
            apps.remove(app);
        }
        Ok(())
    }

    async fn call(&self, app: &AppName, call: Call, caller: Option<Caller>) -> Outcome {
        let instance = while_wanted(caller.as_ref(), self.instance(&call)).await;
        let _instance = match instance {
            Some(Some(instance)) => instance,
            Some(None) => return Outcome::failed(CallFailure::Overloaded),
            None => return Outcome::failed(CallFailure::CallerLeft { ran: false }),
        };
        // Looked up after the wait: the release that serves now, not the one that served then.
        let Some(app) = self.app(app) else {
            return Outcome::failed(CallFailure::NotDeployed);
        };
        self.pool
            .run(&app.program, &app.settings, call, caller)
            .await
    }

    async fn run_program(
        &self,
        program: Unserved,
        function: &FunctionId,
        configuration: &Configuration,
        call: Call,
    ) -> Outcome {
        let Some(_instance) = self.instance(&call).await else {
            return Outcome::failed(CallFailure::Overloaded);
        };
        let settings = Arc::new(Settings::new(configuration, function.to_string()));
        let program = match program {
            Unserved::Draft(image) => self.functions.load_encoded(image, &self.pool).await,
            Unserved::Artifact(artifact) => self.program(&artifact).await,
        };
        match program {
            Ok(program) => self.pool.run(&program, &settings, call, None).await,
            Err(error) => Outcome::failed(CallFailure::Unreachable(error.to_string())),
        }
    }

    fn endpoint(&self, app: &AppName, _namespace: &Namespace) -> String {
        app.address_at(&self.functions_url)
    }

    fn namespaces(&self) -> Option<Vec<Namespace>> {
        Some(self.namespaces.clone())
    }

    async fn cache_usage(&self) -> Option<u64> {
        let (native, bases) = (self.native.clone(), self.functions.bases.clone());
        tokio::task::spawn_blocking(move || Some(native.usage().ok()? + bases.usage().ok()?))
            .await
            .ok()
            .flatten()
    }

    async fn collect(&self, keep: &HashSet<String>) -> Result<u64, PlatformError> {
        let (native, keep) = (self.native.clone(), keep.clone());
        let bases = self.functions.bases.clone();
        tokio::task::spawn_blocking(move || Ok(native.collect(&keep)? + bases.collect(&keep)?))
            .await
            .map_err(failed)?
            .map_err(|error: std::io::Error| failed(error))
    }

    async fn check(&self) -> Result<(), PlatformError> {
        let native = self.native.clone();
        tokio::task::spawn_blocking(move || native.check())
            .await
            .map_err(failed)?
            .map_err(PlatformError::Failed)
    }
}

fn unrunnable(error: &str) -> PlatformError {
    PlatformError::Unrunnable(format!("The artifact cannot be run: {error}"))
}

/// Names the options that mean something to Kubernetes only, where they were set.
fn warnings(options: &DeployOptions) -> Vec<String> {
    let set = [
        ("replicas", options.replicas.is_some()),
        ("service_account", options.service_account.is_some()),
        ("cpu_limit", options.cpu_limit.is_some()),
        ("memory_limit", options.memory_limit.is_some()),
        ("cpu_request", options.cpu_request.is_some()),
        ("memory_request", options.memory_request.is_some()),
        ("custom_tolerations", options.custom_tolerations.is_some()),
        ("custom_affinity", options.custom_affinity.is_some()),
    ];
    set.into_iter()
        .filter(|(_, is_set)| *is_set)
        .map(|(name, _)| format!("{name} has no effect: this server runs functions itself, with the memory and timeout of their settings."))
        .collect()
}
