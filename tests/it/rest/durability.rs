//! What was answered is there after the server was killed.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::app::TestApp;
use crate::support::builders::{a_function, a_workspace, text};

#[tokio::test]
async fn an_answered_change_survives_a_kill() {
    let mut app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let large = format!("#{}\n", "x".repeat(100_000));
    let function = a_function()
        .with_code(&large)
        .create(&app, &workspace)
        .await;
    let changed = app
        .patch(
            &function.path(),
            &json!({"name": "Renamed", "status": "disabled"}),
        )
        .await
        .with_status(200);
    let before = workspace.read(&app).await;
    app.kill();
    app.start_again();
    assert_eq!(function.read(&app).await, changed);
    assert_eq!(workspace.read(&app).await, before);
}

#[tokio::test]
async fn of_writers_that_a_kill_interrupts_nothing_answered_is_lost() {
    let mut app = TestApp::start();
    let workspace = a_workspace().create(&app).await;
    let address = format!("{}{}", app.console(), workspace.functions());
    let answered = std::sync::Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(write_until_refused(address.clone(), answered.clone())))
        .collect();
    while answered.load(Ordering::Relaxed) < 40 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    app.kill();
    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("the writer ends"));
    }
    app.start_again();
    let listed = app
        .get(&format!("{}?fields=summary", workspace.functions()))
        .await
        .with_status(200);
    let there: Vec<String> = listed
        .as_array()
        .expect("a list")
        .iter()
        .map(|function| text(function, "id"))
        .collect();
    for id in &acknowledged {
        assert!(there.contains(id), "{id} was answered and is lost");
    }
    // A write that was under way may have landed, whole or not at all.
    assert!(there.len() <= acknowledged.len() + 4);
    assert_eq!(workspace.read(&app).await["functionCount"], there.len());
}

/// Creates functions until the server is gone. Answers the ids of those that it acknowledged.
async fn write_until_refused(
    address: String,
    answered: std::sync::Arc<AtomicUsize>,
) -> Vec<String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let mut ids = Vec::new();
    loop {
        let new = a_function().request();
        let Ok(response) = client.post(&address).json(&new).send().await else {
            return ids;
        };
        assert_eq!(response.status(), 201);
        let Ok(created) = response.json::<Value>().await else {
            return ids;
        };
        ids.push(text(&created, "id"));
        answered.fetch_add(1, Ordering::Relaxed);
    }
}
