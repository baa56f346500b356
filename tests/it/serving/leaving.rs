//! A server between the signal to stop and the moment from which it takes nothing more.

use std::time::{Duration, Instant};

use crate::support::app::TestApp;

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_server_that_leaves_answers_and_keeps_no_connection() {
    // Ended by a second signal.
    let mut app = TestApp::start_with(&[("BLUE_FAAS_DRAIN", "3600")]);
    let before = app.get("/api/workspaces").await;
    assert_eq!(before.header("connection"), "");
    app.terminate();
    let deadline = Instant::now() + PATIENCE;
    while app.get("/health/ready").await.status == 200 {
        assert!(Instant::now() < deadline, "it stays ready");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    app.get("/health/live").await.with_status(200);
    for answer in [
        app.get("/api/workspaces").await,
        app.post("/api/workspaces", &serde_json::json!({"name": "Late"}))
            .await,
        app.call("no-such-app", "/").await,
    ] {
        assert!(answer.status.as_u16() < 500, "{}", answer.text());
        assert_eq!(answer.header("connection"), "close", "{}", answer.text());
    }
    app.terminate();
    assert!(app.ended(PATIENCE).await, "in order");
    // Without its patience, or the test would wait for it.
    app.start_again_with(&[]);
    let kept = app.get("/api/workspaces").await.with_status(200);
    assert_eq!(kept[0]["name"], "Late", "what it took up it kept: {kept}");
}
