//! Two servers on one table change apps of one cluster over a bad network, at the same moment and against each other. What happens follows from
//! seeds, as far as the network is concerned.

use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::until;
use crate::support::answer::Answer;
use crate::support::app::{Settings, TestApp};
use crate::support::builders::{Function, Workspace, a_function, a_workspace};
use crate::support::chaos::Chaos;
use crate::support::cluster::FakeCluster;
use crate::support::emulator::Emulator;

/// Apps, each of which has a story; `make soak` has 500.
const STORIES: u64 = 24;
const SIDE_BY_SIDE: usize = 8;
const STEPS: usize = 5;
/// Of a hundred requests to the Builder Service and the Kubernetes API.
const FAULTS: u32 = 25;

struct Setting {
    cluster: FakeCluster,
    chaos: Chaos,
    servers: [TestApp; 2],
    workspace: Workspace,
    _emulator: Emulator,
}

impl Setting {
    async fn start() -> Self {
        let (cluster, emulator) = (FakeCluster::start().await, Emulator::dynoxide());
        let chaos = Chaos::before(&cluster.url(), 1).await;
        let mut settings = emulator.settings().await.to_vec();
        settings.extend(cluster.settings());
        let url: &'static str = chaos.url.clone().leak();
        for (name, value) in &mut settings {
            if ["BUILDER_SERVICE_URL", "BLUE_FAAS_KUBERNETES_URL"].contains(name) {
                *value = url;
            }
        }
        let settings: Settings = settings.leak();
        let servers = [(); 2].map(|()| TestApp::start_with(settings));
        let workspace = a_workspace().create(&servers[0]).await;
        Self {
            cluster,
            chaos,
            servers,
            workspace,
            _emulator: emulator,
        }
    }
}

/// One app, its function, and what becomes of them.
struct Story {
    random: StdRng,
    app: String,
    function: Function,
    images: usize,
    deleted: bool,
}

impl Story {
    async fn begin(setting: &Setting, seed: u64) -> Self {
        let server = &setting.servers[0];
        let function = a_function().named(&format!("App {seed}"));
        Self {
            random: StdRng::seed_from_u64(seed),
            app: format!("app{seed}"),
            function: function.create(server, &setting.workspace).await,
            images: 0,
            deleted: false,
        }
    }

    fn server<'a>(&mut self, setting: &'a Setting) -> &'a TestApp {
        &setting.servers[self.random.random_range(0..2)]
    }

    fn image(&mut self) -> String {
        self.images += 1;
        format!("registry.example/{}:v{}", self.app, self.images)
    }

    fn deployment(&mut self) -> Value {
        json!({"app_name": self.app, "namespace": "default", "image_ref": self.image(), "function_id": self.function.id})
    }

    async fn run(&mut self, setting: &Setting) {
        for step in 0..STEPS {
            let (one, other) = (self.server(setting), self.server(setting));
            let (first, second) = (self.deployment(), self.deployment());
            let change = json!({"environmentVariables": {"STEP": step.to_string()}});
            let path = self.function.path();
            match self.random.random_range(0..7) {
                0..3 => deploy(one, &first).await,
                3 | 4 => {
                    tokio::join!(deploy(one, &first), deploy(other, &second));
                }
                5 => accepted(&other.patch(&path, &change).await),
                _ => {
                    let changed = async { accepted(&other.patch(&path, &change).await) };
                    tokio::join!(deploy(one, &first), changed);
                }
            }
        }
        if self.random.random_range(0..3) == 0 {
            let (one, other, last) = (
                self.server(setting),
                self.server(setting),
                self.deployment(),
            );
            let path = self.function.path();
            let delete = async {
                // What could not be taken down is in the way of nothing; only the table can be.
                until("it can be deleted", async || {
                    [204, 404].contains(&one.delete(&path).await.status.as_u16())
                })
                .await;
            };
            tokio::join!(delete, deploy(other, &last));
            self.deleted = true;
        }
    }

    /// Once the network is good again and both servers have looked at what was left.
    async fn end(&mut self, setting: &Setting) {
        let name = ("default".to_owned(), self.app.clone());
        if self.deleted {
            // A deployment that came after the deletion is nobody's, and serves.
            let server = self.server(setting);
            let what = format!("{}, which was deleted, is gone or serves", self.app);
            return until(&what, async || {
                let is_there = setting.cluster.world().spin_apps.contains_key(&name);
                !is_there || server.call(&self.app, "/").await.status == 200
            })
            .await;
        }
        let image = || {
            let world = setting.cluster.world();
            let app = world.spin_apps.get(&name);
            app.map(|app| app["spec"]["image"].clone())
        };
        // A deployment that could not be confirmed is told as failed; it may have come through.
        let path = format!("/api/v1/functions/{}/deployments", self.function.id);
        let server = self.server(setting);
        let deployments = server.get(&path).await.with_status(200);
        let mut possible = Vec::new();
        for deployment in deployments.as_array().expect("a list") {
            possible.push(deployment["image_ref"].clone());
            if deployment["status"] == "active" {
                break;
            }
        }
        let found = image();
        assert!(
            found.as_ref().is_none_or(|image| possible.contains(image)),
            "{}: {found:?} {deployments:#}",
            self.app
        );
        self.is_deployed_at_last(setting, server).await;
    }

    async fn is_deployed_at_last(&mut self, setting: &Setting, server: &TestApp) {
        let request = self.deployment();
        let image = &request["image_ref"];
        until("it can be deployed", async || {
            let answer = server.post("/api/v1/deploy", &request).await;
            accepted(&answer);
            answer.status == 200
        })
        .await;
        let function = self.function.read(server).await;
        assert_eq!(function["status"], "active", "{}: {function}", self.app);
        let name = ("default".to_owned(), self.app.clone());
        let spec = setting.cluster.world().spin_apps[&name]["spec"].clone();
        assert_eq!(spec["image"], *image, "{}", self.app);
        let step = &function["environmentVariables"]["STEP"];
        let variables = spec["variables"].as_array().into_iter().flatten();
        let variables: Vec<&Value> = variables.map(|variable| &variable["value"]).collect();
        assert!(
            variables == [step] || (variables.is_empty() && step.is_null()),
            "{}: {spec} {function}",
            self.app
        );
        let hello = format!("Hello from {}", image.as_str().expect("a text"));
        for server in &setting.servers {
            until("each server calls it", async || {
                server.call(&self.app, "/").await.text() == hello
            })
            .await;
        }
    }
}

async fn deploy(server: &TestApp, request: &Value) {
    accepted(&server.post("/api/v1/deploy", request).await);
}

/// Done, or refused with what a caller can act on; never a mistake of the server's own.
fn accepted(answer: &Answer) {
    let known = [200, 404, 409, 502, 503, 504];
    assert!(
        known.contains(&answer.status.as_u16()),
        "{}: {}",
        answer.status,
        answer.text()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cluster_and_table_agree_however_bad_the_network_was() {
    let stories = std::env::var("BLUE_FAAS_CHAOS_RUNS");
    let stories = stories.map_or(STORIES, |text| text.parse().expect("a number"));
    let mut setting = Setting::start().await;
    let mut told = Vec::new();
    // Only slow at first: whatever goes wrong then is the servers' doing.
    for (faults, seeds) in [(0, 0..stories / 2), (FAULTS, stories / 2..stories)] {
        setting.chaos.set(faults);
        let begun = futures::stream::iter(seeds).map(|seed| {
            let setting = &setting;
            async move {
                let mut story = Story::begin(setting, seed).await;
                story.run(setting).await;
                story
            }
        });
        told.extend(
            begun
                .buffer_unordered(SIDE_BY_SIDE)
                .collect::<Vec<_>>()
                .await,
        );
    }
    setting.chaos.set(0);
    // At its start a server looks at what is left, as it does each minute.
    for server in &mut setting.servers {
        server.stop();
        server.start_again();
    }
    for story in &mut told {
        story.end(&setting).await;
    }
    let kept = told.iter().filter(|story| !story.deleted).count();
    assert!(kept > 0 && kept < told.len());
    let there: Vec<_> = setting.cluster.world().spin_apps.keys().cloned().collect();
    for (_, app) in there {
        let called = setting.servers[0].call(&app, "/").await;
        assert_eq!(called.status, 200, "{app} runs, and nobody knows of it");
    }
}
