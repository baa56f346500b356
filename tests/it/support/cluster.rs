//! A FAKE cluster, since there is none to be had here: the Builder Service as its documentation describes it, the requests to the Kubernetes
//! API that SpinApps need, what the operator makes of a SpinApp, and functions that answer. All on one port: requests for a service of the
//! cluster come as to a proxy, with the service's address in them.

mod builder;
mod functions;
mod kubernetes;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Router, body::Body};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use tempfile::TempDir;
use tower::ServiceExt as _;

use super::app::Settings;

/// What Kubernetes knows this server by.
const TOKEN: &str = "first-token";

/// How often what is held looks whether it may go on.
const POLL: std::time::Duration = std::time::Duration::from_millis(10);

/// Namespace and name.
type Name = (String, String);

#[derive(Default)]
pub struct World {
    pub spin_apps: BTreeMap<Name, Value>,
    pub scalers: BTreeMap<Name, Value>,
    pub services: BTreeMap<Name, Value>,
    /// Bodies of the deploy requests, as they came.
    pub deploys: Vec<Value>,
    /// Patches of SpinApps, as they came.
    pub patches: Vec<Value>,
    pub tasks: BTreeMap<String, builder::Task>,
    pub token: String,
    /// Apps get their service only when [`FakeCluster::open_services`] is called.
    pub services_wait: bool,
    /// The next deployments answer this instead.
    pub deploy_answer: Option<(u16, Value)>,
    /// The next deployments are done, and answer this.
    pub done_answer: Option<(u16, Value)>,
    /// Whether anything is well is never answered.
    pub is_silent: bool,
    /// Deployments of this image have come and are not done yet.
    pub held_image: Option<String>,
    /// Deletions by the Kubernetes API that have come and are not done yet; `None` when they are not held.
    pub held_deletions: Option<usize>,
    /// The Kubernetes API answers 503.
    pub kubernetes_is_away: bool,
    /// Calls of `/slow` that have come.
    pub slow_calls: usize,
}

pub struct FakeCluster {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    /// The folder of the service account.
    account: TempDir,
}

impl FakeCluster {
    pub async fn start() -> Self {
        Self::start_at("127.0.0.1:0").await
    }

    pub async fn start_at(address: &str) -> Self {
        let world = World {
            token: TOKEN.to_owned(),
            ..World::default()
        };
        let world = Arc::new(Mutex::new(world));
        let account = tempfile::tempdir().expect("a folder");
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let served = Served {
            world: world.clone(),
            services: router(world.clone()),
        };
        let app = Router::new().fallback(handle).with_state(served);
        tokio::spawn(async move { axum::serve(listener, app).await });
        let cluster = Self {
            address,
            world,
            account,
        };
        cluster.rotate_token(TOKEN);
        cluster
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test has panicked holding it")
    }

    /// As the kubelet does every hour: the one before is no longer accepted.
    pub fn rotate_token(&self, token: &str) {
        std::fs::write(self.account.path().join("token"), token).expect("a token");
        token.clone_into(&mut self.world().token);
    }

    /// Lets services appear that waited.
    pub fn open_services(&self) {
        let mut world = self.world();
        world.services_wait = false;
        let apps: Vec<Name> = world.spin_apps.keys().cloned().collect();
        for name in apps {
            world.services.insert(name.clone(), service(&name));
        }
    }

    /// The image of an app in the namespace `default`.
    pub fn image(&self, app: &str) -> Option<String> {
        let world = self.world();
        let found = world.spin_apps.get(&("default".to_owned(), app.to_owned()));
        Some(found?["spec"]["image"].as_str()?.to_owned())
    }

    /// A server's settings for this cluster.
    pub fn settings(&self) -> Settings {
        let url: &'static str = self.url().leak();
        let account = self.account.path().to_string_lossy().into_owned().leak();
        let settings = vec![
            ("BLUE_FAAS_BUILDER", "remote"),
            ("BLUE_FAAS_PLATFORM", "spinapp"),
            ("BUILDER_SERVICE_URL", url),
            ("BLUE_FAAS_KUBERNETES_URL", url),
            ("BLUE_FAAS_KUBERNETES_ACCOUNT", account),
            ("BLUE_FAAS_CLUSTER_PROXY", url),
            ("BLUE_FAAS_ENDPOINT_WAIT", "100ms"),
            ("BLUE_FAAS_POLL_INTERVAL", "100ms"),
            ("ECR_REGISTRY_URL", "registry.example"),
            ("ECR_REPOSITORY", "faas"),
            ("BLUE_FAAS_MAX_BODY", "256KiB"),
        ];
        settings.leak()
    }
}

#[derive(Clone)]
struct Served {
    world: Arc<Mutex<World>>,
    services: Router,
}

fn router(world: Arc<Mutex<World>>) -> Router {
    Router::new()
        .route("/health", get(is_well))
        .route("/version", get(is_well))
        .route("/api/v1/deploy", post(builder::deploy))
        .route("/api/v1/build", post(builder::build_and_push))
        .route("/api/v1/push", post(builder::push))
        .route("/api/v1/build-and-push", post(builder::build_and_push))
        .route("/api/v1/tasks/{task}", get(builder::task))
        .route(
            "/apis/{group}/{version}/namespaces/{namespace}/{kind}/{name}",
            kubernetes::object(),
        )
        .route(
            "/api/{version}/namespaces/{namespace}/{kind}/{name}",
            kubernetes::core_object(),
        )
        .with_state(world)
}

async fn is_well(State(world): State<Arc<Mutex<World>>>) -> axum::Json<Value> {
    let is_silent = world.lock().expect("not poisoned").is_silent;
    if is_silent {
        std::future::pending::<()>().await;
    }
    axum::Json(json!({"status": "healthy", "major": "1"}))
}

/// As to a proxy: for a service. Else for the Builder Service or the Kubernetes API.
async fn handle(State(served): State<Served>, request: Request) -> Response {
    if request.uri().authority().is_some() {
        return functions::answer(&served.world, request).await;
    }
    let answered: Result<Response, std::convert::Infallible> =
        served.services.oneshot(request.map(Body::new)).await;
    answered.expect("a router does not fail")
}

/// What the operator makes for a SpinApp.
fn service((namespace, name): &Name) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "ownerReferences": [{"apiVersion": "core.spinkube.dev/v1alpha1", "kind": "SpinApp", "name": name}]},
        "spec": {"selector": {"core.spinkube.dev/app-name": name}, "ports": [{"port": 80}]},
    })
}
