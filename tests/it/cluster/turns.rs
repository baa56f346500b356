//! Deployments that meet another one, a change, a deletion, a caller who leaves or a server that ends.

use serde_json::{Value, json};
use std::time::Duration;

use super::{IMAGE, deployed, start, until};
use crate::support::app::{Settings, TestApp};
use crate::support::builders::{Function, a_function, a_workspace, text};
use crate::support::cluster::FakeCluster;
use crate::support::emulator::Emulator;
use crate::support::s3::S3Server;

const SECOND: &str = "registry.example/faas:v2";
const THIRD: &str = "registry.example/faas:v3";
/// What does not happen has this long to happen.
const WHILE: Duration = Duration::from_secs(1);

/// Two servers on one table, before one cluster.
struct Replicas {
    cluster: FakeCluster,
    servers: [TestApp; 2],
    _emulator: Emulator,
    _s3: S3Server,
}

impl Replicas {
    async fn start() -> Self {
        let (emulator, s3) = (Emulator::dynoxide(), S3Server::start());
        let cluster = FakeCluster::start().await;
        let mut settings = emulator.settings().await.to_vec();
        // The bucket's credentials stand last: the table takes any.
        settings.extend(s3.settings());
        settings.extend(cluster.settings());
        let settings: Settings = settings.leak();
        Self {
            cluster,
            servers: [TestApp::start_with(settings), TestApp::start_with(settings)],
            _emulator: emulator,
            _s3: s3,
        }
    }
}

fn order(function: &Function, image: &str) -> Value {
    json!({"app_name": "payment-approve", "namespace": "default", "image_ref": image, "function_id": function.id})
}

/// Until the Builder Service has been asked so often.
async fn asked(cluster: &FakeCluster, times: usize) {
    until("the rollout began", async || {
        cluster.world().deploys.len() >= times
    })
    .await;
}

fn hold(cluster: &FakeCluster, image: &str) {
    cluster.world().held_image = Some(image.to_owned());
}

fn let_go(cluster: &FakeCluster) {
    cluster.world().held_image = None;
}

/// Status and image of a function's deployments, newest first.
async fn history(app: &TestApp, function: &Function) -> Vec<(String, String)> {
    let path = format!("/api/v1/functions/{}/deployments", function.id);
    let list = app.get(&path).await.with_status(200);
    let rows = list.as_array().expect("a list").iter();
    rows.map(|row| (text(row, "status"), text(row, "image_ref")))
        .collect()
}

fn row(status: &str, image: &str) -> (String, String) {
    (status.to_owned(), image.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_of_one_name_on_two_servers_take_turns() {
    let replicas = Replicas::start().await;
    let (cluster, [one, other]) = (&replicas.cluster, &replicas.servers);
    let workspace = a_workspace().create(one).await;
    let function = a_function().create(one, &workspace).await;
    for (rollouts, images) in [(1, [IMAGE, SECOND]), (3, [THIRD, IMAGE])] {
        hold(cluster, images[0]);
        let (first, second) = (order(&function, images[0]), order(&function, images[1]));
        let (first, second, ()) = tokio::join!(
            one.post("/api/v1/deploy", &first),
            async {
                asked(cluster, rollouts).await;
                other.post("/api/v1/deploy", &second).await
            },
            async {
                asked(cluster, rollouts).await;
                tokio::time::sleep(WHILE).await;
                assert_eq!(cluster.world().deploys.len(), rollouts, "one at a time");
                let_go(cluster);
            }
        );
        first.with_status(200);
        second.with_status(200);
        assert_eq!(cluster.image("paymentapprove").as_deref(), Some(images[1]));
        assert_eq!(
            history(other, &function).await[..2],
            [row("active", images[1]), row("superseded", images[0])]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_turn_of_a_server_that_is_gone_is_taken_over() {
    let mut replicas = Replicas::start().await;
    let workspace = a_workspace().create(&replicas.servers[0]).await;
    let function = a_function().create(&replicas.servers[0], &workspace).await;
    hold(&replicas.cluster, IMAGE);
    let first = order(&function, IMAGE);
    let path = "/api/v1/deploy";
    tokio::select! {
        answer = replicas.servers[0].post(path, &first) => panic!("{}", answer.text()),
        () = asked(&replicas.cluster, 1) => {}
    }
    replicas.servers[0].kill();
    let second = order(&function, SECOND);
    let answer = replicas.servers[1].post(path, &second).await;
    answer.with_status(200);
    assert_eq!(
        replicas.cluster.image("paymentapprove").as_deref(),
        Some(SECOND)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_get_a_turn_is_told_so_and_changes_nothing() {
    let replicas = Replicas::start().await;
    let (cluster, [one, other]) = (&replicas.cluster, &replicas.servers);
    let function = deployed(one, &[]).await;
    hold(cluster, SECOND);
    let (second, third) = (order(&function, SECOND), order(&function, THIRD));
    let (first, ()) = tokio::join!(one.post("/api/v1/deploy", &second), async {
        asked(cluster, 2).await;
        let refusal = other.post("/api/v1/deploy", &third).await;
        let refusal = refusal.refused(409, "CONFLICT");
        assert!(refusal.message.contains("under way"), "{refusal:?}");
        let_go(cluster);
    });
    first.with_status(200);
    assert_eq!(cluster.world().deploys.len(), 2);
    assert_eq!(
        history(other, &function).await,
        [row("active", SECOND), row("superseded", IMAGE)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_deleted_during_a_deployment_leaves_nothing() {
    for first in [IMAGE, SECOND] {
        let (cluster, app) = start().await;
        // Its first deployment, or its second.
        let function = if first == IMAGE {
            let workspace = a_workspace().create(&app).await;
            a_function().create(&app, &workspace).await
        } else {
            deployed(&app, &[]).await
        };
        let rollouts = cluster.world().deploys.len() + 1;
        hold(&cluster, first);
        let order = order(&function, first);
        let (deploying, deleted, ()) = tokio::join!(
            app.post("/api/v1/deploy", &order),
            async {
                asked(&cluster, rollouts).await;
                app.delete(&function.path()).await
            },
            async {
                asked(&cluster, rollouts).await;
                tokio::time::sleep(WHILE).await;
                let_go(&cluster);
            }
        );
        deploying.refused(409, "CONFLICT");
        deleted.with_status(204);
        let world = cluster.world();
        assert!(
            world.spin_apps.is_empty() && world.scalers.is_empty() && world.services.is_empty(),
            "{:?}",
            world.spin_apps
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_saved_during_a_deployment_hold_and_do_not_undo_it() {
    let (cluster, app) = start().await;
    let settings = [("environmentVariables", json!({"LEVEL": "debug"}))];
    let function = deployed(&app, &settings).await;
    hold(&cluster, SECOND);
    let order = order(&function, SECOND);
    let (answer, ()) = tokio::join!(app.post("/api/v1/deploy", &order), async {
        asked(&cluster, 2).await;
        let change =
            json!({"environmentVariables": {"LEVEL": "info"}, "httpMethods": ["GET", "PUT"]});
        app.patch(&function.path(), &change).await.with_status(200);
        let_go(&cluster);
    });
    answer.with_status(200);
    let called = app.call("paymentapprove", "/echo").await.json();
    assert_eq!(
        called["variables"],
        json!([{"name": "level", "value": "info"}])
    );
    let request = app.function_request(http::Method::PUT, "paymentapprove", "/");
    let called = crate::support::answer::Answer::of(request).await;
    assert_eq!(called.text(), format!("Hello from {SECOND}"));
    assert_eq!(cluster.world().deploys.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_ends_in_order_when_its_caller_leaves_and_its_server_stops() {
    let (cluster, mut app) = start().await;
    let function = deployed(&app, &[]).await;
    hold(&cluster, SECOND);
    let second = order(&function, SECOND);
    tokio::select! {
        answer = app.post("/api/v1/deploy", &second) => panic!("{}", answer.text()),
        () = asked(&cluster, 2) => {}
    }
    // The caller is gone by now.
    tokio::time::sleep(WHILE).await;
    app.terminate();
    tokio::time::sleep(WHILE).await;
    let_go(&cluster);
    assert!(app.ended(Duration::from_mins(1)).await);
    app.start_again();
    assert_eq!(
        history(&app, &function).await,
        [row("active", SECOND), row("superseded", IMAGE)]
    );
    assert_eq!(
        app.call("paymentapprove", "/").await.text(),
        format!("Hello from {SECOND}")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_moves_leaves_nothing_in_the_namespace_before() {
    let replicas = Replicas::start().await;
    let (cluster, [one, other]) = (&replicas.cluster, &replicas.servers);
    let function = deployed(one, &[]).await;
    cluster.world().held_deletions = Some(0);
    let mut moved = order(&function, SECOND);
    moved["namespace"] = "team".into();
    let answer = one.post("/api/v1/deploy", &moved).await.with_status(200);
    assert_eq!(answer["endpoint"], "paymentapprove.team.svc.cluster.local");
    until("the app before is being taken down", async || {
        cluster.world().held_deletions > Some(0)
    })
    .await;
    // Back, on the other server: not before that is over.
    let back = order(&function, THIRD);
    let (answer, ()) = tokio::join!(other.post("/api/v1/deploy", &back), async {
        tokio::time::sleep(WHILE).await;
        assert_eq!(cluster.world().deploys.len(), 2);
        cluster.world().held_deletions = None;
    });
    answer.with_status(200);
    until("only the newest is there", async || {
        let world = cluster.world();
        let names = [&world.spin_apps, &world.scalers, &world.services];
        names.iter().all(|objects| {
            objects.len() == 1 && objects.keys().all(|(namespace, _)| namespace == "default")
        })
    })
    .await;
    for server in [one, other] {
        until("it is called there", async || {
            server.call("paymentapprove", "/").await.text() == format!("Hello from {THIRD}")
        })
        .await;
    }
}

#[tokio::test]
async fn a_namespace_that_cannot_be_left_now_is_left_later() {
    let (cluster, mut app) = start().await;
    let function = deployed(&app, &[]).await;
    cluster.world().held_deletions = Some(0);
    let mut moved = order(&function, SECOND);
    moved["namespace"] = "team".into();
    app.post("/api/v1/deploy", &moved).await.with_status(200);
    until("the app before is being taken down", async || {
        cluster.world().held_deletions > Some(0)
    })
    .await;
    app.kill();
    cluster.world().held_deletions = None;
    // What the server before asked for is not done.
    let key = |namespace: &str| (namespace.to_owned(), "paymentapprove".to_owned());
    assert!(cluster.world().spin_apps.contains_key(&key("default")));
    app.start_again();
    until("the namespace before is empty", async || {
        let world = cluster.world();
        !world.spin_apps.contains_key(&key("default"))
            && !world.services.contains_key(&key("default"))
    })
    .await;
    assert!(cluster.world().spin_apps.contains_key(&key("team")));
    assert_eq!(
        app.call("paymentapprove", "/").await.text(),
        format!("Hello from {SECOND}")
    );
}
