//! The processes that functions run in.

use blue_faas::port::platform::{Call, CallFailure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::fixture::{Fixture, failure, get, text};
use crate::support::components::build;

const KILLED: &str = "its worker process ended (signal: 9 (SIGKILL))";

/// A line of `/proc/{pid}/status`.
fn status(pid: i32, field: &str) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.expect("the field is there")
        .trim_start_matches(':')
        .trim()
        .to_owned()
}

fn slow(seconds: u32) -> Call {
    get(&format!("/sleep?s={seconds}"))
}

#[tokio::test]
async fn a_worker_that_is_killed_fails_its_calls_only_and_is_started_again() {
    let fixture = Arc::new(Fixture::new());
    fixture.deploy("routes", &build("routes")).await;
    // A worker that is not ready yet leaves both calls to the other one.
    for _ in 0..5 {
        let before = fixture.workers();
        if before.len() == 2 && lost_with(&fixture, before[0]).await == 1 {
            for _ in 0..4 {
                assert_eq!(text(&fixture.call("routes", "/state").await), "1");
            }
            let after = fixture.workers();
            assert_eq!(after.len(), 2);
            assert!(!after.contains(&before[0]) && after.contains(&before[1]));
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    panic!("never was one of two calls lost");
}

/// Of two calls at the same time, those that fail when this worker is killed.
async fn lost_with(fixture: &Arc<Fixture>, worker: i32) -> usize {
    // The second goes to the worker that has nothing to do.
    let calls = [(), ()].map(|()| {
        let fixture = fixture.clone();
        tokio::spawn(async move { fixture.send("routes", slow(3)).await })
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    kill(Pid::from_raw(worker), Signal::SIGKILL).expect("killed");
    let mut lost = 0;
    for call in calls {
        let outcome = call.await.expect("no panic");
        if outcome.result.is_err() {
            lost += 1;
            assert_eq!(failure(&outcome), &CallFailure::Trapped(KILLED.to_owned()));
        }
    }
    lost
}

#[tokio::test]
async fn calls_wait_when_all_workers_are_gone() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for worker in fixture.workers() {
        kill(Pid::from_raw(worker), Signal::SIGKILL).expect("killed");
    }
    loop {
        let outcome = fixture.send("routes", get("/state")).await;
        if outcome.result.is_ok() {
            assert_eq!(text(&outcome), "1");
            return;
        }
        // Sent to one that was not yet seen as ended, it is lost with it; where none is left, it waits.
        assert_eq!(failure(&outcome), &CallFailure::Trapped(KILLED.to_owned()));
    }
}

#[tokio::test]
async fn a_worker_that_ends_before_it_reads_a_call_is_told_by_how_it_ended() {
    let fixture = Arc::new(Fixture::new());
    fixture.deploy("routes", &build("routes")).await;
    let workers = fixture.workers().into_iter().map(Pid::from_raw);
    let workers: Vec<_> = workers.collect();
    for worker in &workers {
        kill(*worker, Signal::SIGSTOP).expect("stopped");
    }
    let call = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.send("routes", get("/state")).await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    for worker in workers {
        kill(worker, Signal::SIGKILL).expect("killed");
    }
    let outcome = call.await.expect("no panic");
    assert_eq!(failure(&outcome), &CallFailure::Trapped(KILLED.to_owned()));
}

#[tokio::test]
async fn a_worker_that_hangs_is_replaced() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for worker in fixture.workers() {
        kill(Pid::from_raw(worker), Signal::SIGSTOP).expect("stopped");
    }
    let short = Call {
        timeout: Duration::from_millis(100),
        ..get("/state")
    };
    for _ in 0..2 {
        let outcome = fixture.send("routes", short.clone()).await;
        assert_eq!(failure(&outcome), &CallFailure::TimedOut);
    }
    assert_eq!(text(&fixture.call("routes", "/state").await), "1");
}

#[tokio::test]
async fn a_worker_is_replaced_after_its_calls_and_none_is_lost() {
    let fixture = Arc::new(Fixture::with_calls_per_worker(40));
    fixture.deploy("routes", &build("routes")).await;
    let before = fixture.workers();
    let callers = (0..4).map(|_| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            for _ in 0..50 {
                assert_eq!(text(&fixture.call("routes", "/state").await), "1");
            }
        })
    });
    futures::future::try_join_all(callers)
        .await
        .expect("every call is answered");
    // The ones that are due end with their last call.
    for _ in 0..100 {
        let now = fixture.workers();
        if now.len() == 2 && !now.iter().any(|worker| before.contains(worker)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{before:?} {:?}", fixture.workers());
}

#[tokio::test]
async fn a_worker_has_nothing_that_a_call_does_not_need() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for worker in fixture.workers() {
        // 2: system calls are filtered.
        assert_eq!(status(worker, "Seccomp"), "2");
        assert_eq!(status(worker, "NoNewPrivs"), "1");
        let environment = std::fs::read(format!("/proc/{worker}/environ")).expect("it runs");
        assert_eq!(String::from_utf8_lossy(&environment), "");
        let open = std::fs::read_dir(format!("/proc/{worker}/fd")).expect("it runs");
        let open = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        let open: Vec<_> = open.map(|file| file.display().to_string()).collect();
        // Its two, and the pair that its runtime has for signals.
        let sockets = open.iter().filter(|file| file.starts_with("socket:"));
        let sockets: BTreeSet<_> = sockets.collect();
        assert_eq!(sockets.len(), 4, "{open:?}");
        let files: Vec<_> = open.iter().filter(|file| file.starts_with('/')).collect();
        let native = |file: &str| file.contains("/native/") || file.ends_with("/pagemap");
        assert!(files.iter().all(|file| native(file)), "{files:?}");
    }
}
