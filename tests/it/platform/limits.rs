//! What one call may take.

use blue_faas::model::deployment::AppName;
use blue_faas::model::execution::Level;
use blue_faas::port::platform::{Call, CallFailure, Caller, Platform as _};
use http::StatusCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, answer, failure, get, lines, text};
use crate::support::components::build;

#[tokio::test]
async fn a_function_that_takes_too_much_memory_fails_alone() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/hog").await;
    assert_eq!(answer(&outcome).status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(lines(&outcome, Level::Error).last(), Some(&"MemoryError"));
    let peak = outcome.usage.memory.expect("measured");
    assert!((100 << 20..=128 << 20).contains(&peak), "{peak}");

    let outcome = fixture
        .send(
            "routes",
            Call {
                memory: 1 << 20,
                ..get("/state")
            },
        )
        .await;
    assert_eq!(failure(&outcome), &CallFailure::OutOfMemory);
    assert_eq!(text(&fixture.call("routes", "/state").await), "1");
}

#[tokio::test]
async fn an_endless_loop_and_a_long_sleep_end_in_time() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for path in ["/loop", "/sleep?s=60"] {
        let begun = Instant::now();
        let outcome = fixture
            .send(
                "routes",
                Call {
                    timeout: Duration::from_millis(300),
                    ..get(path)
                },
            )
            .await;
        assert_eq!(failure(&outcome), &CallFailure::TimedOut, "{path}");
        let took = begun.elapsed();
        assert!(
            (Duration::from_millis(290)..Duration::from_secs(30)).contains(&took),
            "{path} {took:?}"
        );
    }
}

#[tokio::test]
async fn who_leaves_ends_an_endless_loop() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let left = CancellationToken::new();
    let caller = Caller {
        on_begin: Arc::new(|_| panic!("nothing begins")),
        left: left.clone(),
    };
    let call = Call {
        timeout: Duration::from_hours(1),
        ..get("/loop")
    };
    let app = AppName::parse("routes").expect("valid");
    let calling = fixture.platform.call(&app, call, Some(caller));
    let leaving = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        left.cancel();
    };
    let both = async { tokio::join!(calling, leaving) };
    let ended = tokio::time::timeout(Duration::from_mins(2), both).await;
    let (outcome, ()) = ended.expect("long before its timeout");
    assert_eq!(failure(&outcome), &CallFailure::CallerLeft { ran: true });
}

#[tokio::test]
async fn endless_loops_do_not_keep_others_from_answering() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let looping = |_| {
        fixture.send(
            "routes",
            Call {
                timeout: Duration::from_secs(3),
                ..get("/loop")
            },
        )
    };
    let loops = futures::future::join_all((0..8).map(looping));
    let others = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        for _ in 0..3 {
            let outcome = fixture
                .send(
                    "routes",
                    Call {
                        timeout: Duration::from_millis(2_500),
                        ..get("/state")
                    },
                )
                .await;
            assert_eq!(text(&outcome), "1");
        }
    };
    let (outcomes, ()) = futures::future::join(loops, others).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| failure(outcome) == &CallFailure::TimedOut)
    );
}

#[tokio::test]
async fn sleeping_takes_wall_time_and_no_cpu_time() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let begun = Instant::now();
    let outcome = fixture.call("routes", "/sleep?s=0.4").await;
    assert_eq!(text(&outcome), "awake");
    assert!(begun.elapsed() >= Duration::from_millis(400));
    assert!(
        outcome
            .usage
            .cpu
            .is_some_and(|cpu| cpu < Duration::from_millis(200)),
        "{:?}",
        outcome.usage.cpu
    );
}

#[tokio::test]
async fn an_answer_is_as_long_as_allowed_and_no_longer() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let call = || Call {
        max_body: 300_000,
        ..get("/big?n=300000")
    };
    assert_eq!(
        answer(&fixture.send("routes", call()).await).body.len(),
        300_000
    );
    let outcome = fixture
        .send(
            "routes",
            Call {
                max_body: 299_999,
                ..call()
            },
        )
        .await;
    assert_eq!(failure(&outcome), &CallFailure::ResponseTooLarge);
}

#[tokio::test]
async fn deep_nesting_fails_alone() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let outcome = fixture.call("routes", "/deep").await;
    assert_eq!(answer(&outcome).status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(
        lines(&outcome, Level::Error)
            .last()
            .is_some_and(|line| line.starts_with("RecursionError")),
        "{:?}",
        outcome.lines
    );
}

#[tokio::test]
async fn a_call_that_is_given_up_ends() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    for _ in 0..80 {
        let given_up = tokio::time::timeout(
            Duration::from_millis(5),
            fixture.call("routes", "/sleep?s=60"),
        )
        .await;
        assert!(given_up.is_err());
    }
    // There are 64 instances: had the others kept theirs, none would be free.
    assert_eq!(text(&fixture.call("routes", "/state").await), "1");
}

#[tokio::test]
async fn more_calls_than_instances_wait_or_are_refused() {
    let fixture = Fixture::new();
    fixture.deploy("routes", &build("routes")).await;
    let sleep = |_| {
        fixture.send(
            "routes",
            Call {
                timeout: Duration::from_secs(4),
                ..get("/sleep?s=60")
            },
        )
    };
    let sleepers = futures::future::join_all((0..64).map(sleep));
    let late = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let refused = fixture
            .send(
                "routes",
                Call {
                    timeout: Duration::from_millis(200),
                    ..get("/state")
                },
            )
            .await;
        let waited = fixture
            .send(
                "routes",
                Call {
                    timeout: Duration::from_secs(30),
                    ..get("/state")
                },
            )
            .await;
        (refused, waited)
    };
    let (slept, (refused, waited)) = futures::future::join(sleepers, late).await;
    assert!(
        slept
            .iter()
            .all(|outcome| failure(outcome) == &CallFailure::TimedOut)
    );
    assert_eq!(failure(&refused), &CallFailure::Overloaded);
    assert_eq!(text(&waited), "1");
}
