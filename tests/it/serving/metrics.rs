//! The server's own figures, and that they move with what happens.

use http::Method;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::a_workspace;
use crate::support::figures::{parse, scrape, sum, text};

#[tokio::test]
async fn figures_move_with_what_happens() {
    const REQUESTS: &str = "blue_faas_http_request_duration_seconds_count";
    let app = TestApp::start_with(&[("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0")]);
    let before = scrape(&app).await;
    assert!(sum(&before, "blue_faas_build_info", &[]) > 0.0);
    assert!(sum(&before, "process_resident_memory_bytes", &[]) > 1e6);
    for silent in [
        "blue_faas_function_calls_waiting",
        "blue_faas_builds_waiting",
        "blue_faas_worker_restarts_total",
    ] {
        assert!(before.keys().any(|(name, _)| name == silent), "{silent}");
        assert!(sum(&before, silent, &[]).abs() < 0.5, "{silent}");
    }

    let workspace = a_workspace().create(&app).await;
    workspace.read(&app).await;
    app.get("/api/workspaces/ws-none")
        .await
        .refused(404, "NOT_FOUND");
    let strange = Method::from_bytes(b"BREW").expect("a method");
    Answer::of(app.request(strange, "/api/workspaces")).await;
    app.call("no-such-app", "/a/b")
        .await
        .refused(404, "NOT_FOUND");
    let after = scrape(&app).await;

    let route = ("route", "/api/workspaces/{ws}");
    for (labels, expected) in [
        (vec![route, ("method", "GET"), ("status", "2xx")], 1.0),
        (vec![route, ("method", "GET"), ("status", "4xx")], 1.0),
        (vec![("method", "POST"), ("status", "2xx")], 1.0),
        (vec![("method", "other"), ("status", "4xx")], 1.0),
        (vec![("listener", "functions"), ("status", "4xx")], 1.0),
    ] {
        let moved = sum(&after, REQUESTS, &labels) - sum(&before, REQUESTS, &labels);
        assert!((moved - expected).abs() < 0.5, "{moved} of {labels:?}");
    }
    let written = [("operation", "transact"), ("result", "ok")];
    assert!(
        sum(
            &after,
            "blue_faas_store_operation_duration_seconds_count",
            &written
        ) > sum(
            &before,
            "blue_faas_store_operation_duration_seconds_count",
            &written
        )
    );
    // What users made is in no label.
    assert!(!after.keys().any(|(_, labels)| {
        labels
            .values()
            .any(|value| value.contains(&workspace.id) || value.contains("ws-none"))
    }));
}

/// Prometheus's own judgement, of the format and of the names.
#[tokio::test]
async fn promtool_finds_no_fault() {
    let app = TestApp::start_with(&[("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0")]);
    app.get("/health/ready").await.with_status(200);
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    let mut figures = promtool.stdin.take().expect("a pipe");
    figures
        .write_all(text(&app).await.as_bytes())
        .expect("it reads");
    drop(figures);
    let judged = promtool.wait_with_output().expect("it ends");
    let faults = [judged.stdout, judged.stderr].concat();
    assert_eq!(String::from_utf8_lossy(&faults), "");
    assert!(judged.status.success());
}

#[tokio::test]
async fn without_the_setting_there_are_no_figures() {
    let app = TestApp::start();
    assert_eq!(app.get("/metrics").await.status, 404);
}

/// A worker process of a server.
fn worker_of(app: &TestApp) -> Option<i32> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            // The parent is the second field after the name, which may hold anything but its last bracket.
            let after = stat.rsplit(')').next().unwrap_or_default();
            let parent = after.split_whitespace().nth(1);
            let is_worker = command.split(|byte| *byte == 0).nth(1) == Some(b"worker".as_slice());
            is_worker && parent == Some(app.pid().to_string().as_str())
        })
}

#[tokio::test]
async fn a_worker_that_ends_is_counted() {
    let app = TestApp::start_with(&[("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0")]);
    let deadline = Instant::now() + Duration::from_mins(1);
    let mut killed = false;
    loop {
        if !killed && let Some(worker) = worker_of(&app) {
            killed = kill(Pid::from_raw(worker), Signal::SIGKILL).is_ok();
        }
        let figures = scrape(&app).await;
        // One that had not said yet that it is ready counts as failed.
        let ended: f64 = ["ended", "failed"]
            .iter()
            .map(|reason| {
                sum(
                    &figures,
                    "blue_faas_worker_restarts_total",
                    &[("reason", *reason)],
                )
            })
            .sum();
        if ended > 0.0 {
            break;
        }
        assert!(Instant::now() < deadline, "killed: {killed}, not counted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(killed);
}

#[tokio::test]
async fn a_service_that_is_away_is_seen() {
    // Nothing listens there.
    let app = TestApp::start_with(&[
        ("BLUE_FAAS_METRICS_ADDR", "127.0.0.1:0"),
        ("BLUE_FAAS_LOGS", "loki"),
        ("LOKI_SERVICE_URL", "http://127.0.0.1:9"),
    ]);
    for _ in 0..5 {
        app.get("/health/ready").await.with_status(200);
    }
    let figures = scrape(&app).await;
    let loki = ("upstream", "loki");
    let failed = [loki, ("result", "unreachable")];
    let failures = sum(
        &figures,
        "blue_faas_upstream_request_duration_seconds_count",
        &failed,
    );
    // From the third on it is left alone.
    assert!((failures - 3.0).abs() < 0.5, "{failures}");
    let open = sum(&figures, "blue_faas_upstream_breaker_open", &[loki]);
    assert!((open - 1.0).abs() < 0.5, "{open}");
}

#[test]
#[should_panic(expected = "outside of its family")]
fn the_parser_notices_a_sample_of_another_family() {
    parse("# HELP a b\n# TYPE a gauge\nc 1\n");
}
