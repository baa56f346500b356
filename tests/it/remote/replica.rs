//! Servers' build engines over one store, started and stopped as servers are.

use async_trait::async_trait;
use blue_faas::adapter::blobs::filesystem::FilesystemBlobs;
use blue_faas::adapter::builder::remote::{RemoteBuilder, RemoteConfig};
use blue_faas::adapter::builder_service::BuilderService;
use blue_faas::adapter::store::sqlite::SqliteStore;
use blue_faas::model::deployment::Namespace;
use blue_faas::model::function::{
    Code, Environment, Function, HttpMethods, InstanceReuse, Memory, Timeout,
};
use blue_faas::model::id::WorkspaceId;
use blue_faas::model::workspace::Name;
use blue_faas::port::blobs::Blobs;
use blue_faas::port::builder::{Builder, RegistryCredentials};
use blue_faas::port::keys;
use blue_faas::port::platform::Platform;
use blue_faas::port::store::{
    Condition, Item, Key, Page, Query, Store, StoreError, TablePage, Update, Write,
};
use blue_faas::service::actor::Actor;
use blue_faas::service::builds::record::{PushTarget, TaskRecord};
use blue_faas::service::builds::{BuildUpload, Builds, EngineSettings};
use blue_faas::service::deployments::Deployments;
use blue_faas::service::deployments::routes::Routes;
use blue_faas::service::effects::Effects;
use blue_faas::service::functions::{Functions, NewFunction, SourceUpload};
use blue_faas::service::statistics::Statistics;
use blue_faas::service::table::Table;
use blue_faas::service::workspaces::Workspaces;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub const HANDLER: &str = "from spin_sdk.http import IncomingHandler as BaseHandler, Request, Response\n\n\nclass IncomingHandler(BaseHandler):\n    def handle_request(self, request: Request) -> Response:\n        return Response(200, {}, b\"\")\n";
/// Of a loaded machine, for what takes a tenth of a second otherwise.
pub const PATIENCE: Duration = Duration::from_mins(2);

/// What servers share.
pub struct Shared {
    pub table: Table,
    store: Arc<dyn Store>,
    blobs: Arc<dyn Blobs>,
    platform: Arc<dyn Platform>,
    url: String,
    folder: tempfile::TempDir,
}

impl Shared {
    pub fn new(platform: Arc<dyn Platform>, url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store: Arc<dyn Store> = Arc::new(SharedStore(
            SqliteStore::open(folder.path()).expect("a store"),
        ));
        let blobs = FilesystemBlobs::open(&folder.path().join("blobs")).expect("blobs");
        Self {
            table: Table::new(store.clone()),
            store,
            blobs: Arc::new(blobs),
            platform,
            url: url.to_owned(),
            folder,
        }
    }

    /// Whether any file holds this text.
    pub fn holds(&self, text: &str) -> bool {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let content = std::fs::read(&path).expect("readable");
                let mut windows = content.windows(text.len());
                if windows.any(|window| window == text.as_bytes()) {
                    return true;
                }
            }
        }
        false
    }

    /// As when the server that works on it, or has its credentials, does not come to renew its lease.
    pub async fn end_lease(&self, task: &TaskRecord) {
        let key = keys::task(&task.workspace_id, &task.task_id);
        let update = Update::new(key)
            .set("lease_until", 0)
            .set("credentials_until", 0)
            .when(Condition::Exists);
        let ended: Option<TaskRecord> = self.table.try_update(update).await.unwrap();
        assert!(ended.is_some());
    }
}

/// SQLite, told to be what several servers write to: leases are then what keeps them apart.
struct SharedStore(SqliteStore);

#[async_trait]
impl Store for SharedStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.0.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.0.query(query).await
    }

    async fn scan(&self, after: Option<&Key>) -> Result<TablePage, StoreError> {
        self.0.scan(after).await
    }

    async fn write(&self, write: Write) -> Result<(), StoreError> {
        self.0.write(write).await
    }

    async fn update(&self, update: Update) -> Result<Item, StoreError> {
        self.0.update(update).await
    }

    async fn transact(&self, writes: Vec<Write>, token: Option<&str>) -> Result<(), StoreError> {
        self.0.transact(writes, token).await
    }

    async fn purge_expired(&self, now_seconds: i64, limit: usize) -> Result<usize, StoreError> {
        self.0.purge_expired(now_seconds, limit).await
    }

    fn is_exclusive(&self) -> bool {
        false
    }

    fn version(&self, _pk: &str) -> Option<u64> {
        None
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.0.check().await
    }

    async fn disk_usage(&self) -> Option<u64> {
        self.0.disk_usage().await
    }
}

/// One server's services, without its listeners.
pub struct Replica {
    pub builds: Arc<Builds>,
    pub functions: Arc<Functions>,
    pub workspaces: Arc<Workspaces>,
    stop: CancellationToken,
    running: AbortOnDropHandle<()>,
}

impl Replica {
    pub fn start(shared: &Shared) -> Self {
        let service = BuilderService::new(&shared.url).expect("an address");
        let config = RemoteConfig {
            poll_interval: Duration::from_millis(2),
            patience: PATIENCE,
            timeout: PATIENCE,
            max_unpacked: 1024 * 1024,
            max_files: 100,
        };
        let builder: Arc<dyn Builder> = Arc::new(RemoteBuilder::new(Arc::new(service), config));
        let table = Table::new(shared.store.clone());
        let statistics = Statistics::new(table.clone());
        let workspaces = Workspaces::new(table.clone(), statistics.clone());
        let platform = &shared.platform;
        let routes = Routes::new(table.clone(), platform.clone(), 1);
        let functions = Functions::new(
            table.clone(),
            shared.blobs.clone(),
            builder.clone(),
            statistics,
            workspaces.clone(),
            routes.clone(),
            Effects::default(),
        );
        let deployments = Deployments::new(
            table.clone(),
            platform.clone(),
            routes,
            Effects::default(),
            Namespace::parse("default").expect("a namespace"),
        );
        let settings = EngineSettings {
            parallelism: 1,
            timeout: PATIENCE,
            warm_up: false,
            registry: None,
        };
        let builds = Builds::new(
            table,
            shared.blobs.clone(),
            builder,
            platform.clone(),
            workspaces.clone(),
            functions.clone(),
            deployments,
            settings,
        );
        let stop = CancellationToken::new();
        let running = tokio::spawn(builds.clone().run(stop.clone()));
        Self {
            builds,
            functions,
            workspaces,
            stop,
            running: AbortOnDropHandle::new(running),
        }
    }

    /// In order: what it works on is given back.
    pub async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("the engine ends");
    }

    pub async fn a_function(&self) -> Function {
        let actor = Actor::anonymous();
        let workspace = WorkspaceId::parse("ws-default").unwrap();
        self.workspaces.ensure(&actor, &workspace).await.unwrap();
        let new = NewFunction {
            name: Name::parse("hello").unwrap(),
            description: None,
            memory: Memory::default(),
            timeout: Timeout::default(),
            http_methods: HttpMethods::default(),
            environment: Environment::default(),
            allowed_outbound_hosts: Vec::new(),
            instance_reuse: InstanceReuse::default(),
            invocation_url: None,
            deploy_on_save: false,
            disabled: false,
            last_deployed: None,
            code: Code::parse(HANDLER).unwrap(),
            package: None,
        };
        let created = self.functions.create(&actor, &workspace, new).await;
        created.unwrap().0
    }

    /// Builds and pushes a function's source.
    pub async fn submit(&self, function: &Function) -> TaskRecord {
        self.build(function, Some(target(false)), None).await
    }

    pub async fn build(
        &self,
        function: &Function,
        push: Option<PushTarget>,
        credentials: Option<RegistryCredentials>,
    ) -> TaskRecord {
        let upload = BuildUpload {
            workspace: None,
            function: Some(function.id.clone()),
            app_name: None,
            upload: SourceUpload {
                file_name: "app.py".to_owned(),
                content: HANDLER.into(),
            },
            push,
            credentials,
        };
        let actor = Actor::anonymous();
        self.builds.build_upload(&actor, upload).await.unwrap()
    }

    pub async fn record(&self, task: &TaskRecord) -> TaskRecord {
        let actor = Actor::anonymous();
        let found = self.builds.get(&actor, &task.task_id, None).await;
        found.expect("the task is there")
    }

    /// The task, once this holds of it.
    pub async fn when(&self, task: &TaskRecord, holds: impl Fn(&TaskRecord) -> bool) -> TaskRecord {
        let begun = Instant::now();
        loop {
            let now = self.record(task).await;
            if holds(&now) {
                return now;
            }
            assert!(begun.elapsed() < PATIENCE, "never comes about: {now:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub fn target(with_credentials: bool) -> PushTarget {
    let target = PushTarget::parse("registry.example.com/team/app", "sha256", with_credentials);
    target.unwrap()
}
