//! Functions whose instances stay for further calls.

use blue_faas::model::function::{InstanceReuse, SlotReuse};
use blue_faas::model::version::Configuration;
use blue_faas::port::platform::{Call, CallFailure};
use std::sync::Arc;
use std::time::Duration;

use super::fixture::{Fixture, configuration, failure, get, lines, text};
use crate::support::components::build;
use blue_faas::model::execution::Level;

fn reusing(max_requests: u32, max_age: u32, environment: &[(&str, &str)]) -> Configuration {
    let slot = SlotReuse::new(max_requests, max_age).expect("valid");
    Configuration {
        instance_reuse: InstanceReuse::PerSlot(slot),
        ..configuration(256, environment, &[])
    }
}

async fn deployed(configuration: Configuration) -> Fixture {
    let fixture = Fixture::new();
    fixture
        .deploy_with("app", &build("routes"), configuration)
        .await;
    fixture
}

/// Calls of this instance so far, as the function counts them.
async fn count(fixture: &Fixture) -> String {
    let call = Call {
        memory: 256 * 1024 * 1024,
        ..get("/state")
    };
    text(&fixture.send("app", call).await)
}

#[tokio::test]
async fn an_instance_stays_for_as_many_calls_as_it_may() {
    let fixture = deployed(reusing(3, 60, &[])).await;
    let mut counts = Vec::new();
    for _ in 0..7 {
        counts.push(count(&fixture).await);
    }
    assert_eq!(counts, ["1", "2", "3", "1", "2", "3", "1"]);
}

#[tokio::test]
async fn an_instance_that_is_too_old_is_not_used_again() {
    let fixture = deployed(reusing(100, 1, &[])).await;
    assert_eq!(count(&fixture).await, "1");
    assert_eq!(count(&fixture).await, "2");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(count(&fixture).await, "1");
}

#[tokio::test]
async fn calls_at_the_same_time_have_instances_of_their_own() {
    let fixture = Arc::new(deployed(reusing(100, 60, &[])).await);
    let calls = (0..4).map(|_| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let call = Call {
                memory: 256 * 1024 * 1024,
                ..get("/sleep?s=3")
            };
            fixture.send("app", call).await
        })
    });
    for outcome in futures::future::try_join_all(calls)
        .await
        .expect("no panic")
    {
        assert!(outcome.result.is_ok());
        assert!(outcome.usage.run.expect("measured") < Duration::from_millis(5_900));
    }
}

#[tokio::test]
async fn what_a_call_prints_is_its_own() {
    let fixture = deployed(reusing(100, 60, &[])).await;
    let first = fixture.call("app", "/output").await;
    let second = fixture.call("app", "/output").await;
    let printed = lines(&first, Level::Info);
    assert!(!printed.is_empty());
    assert_eq!(printed, lines(&second, Level::Info));
}

#[tokio::test]
async fn new_settings_and_new_code_have_new_instances() {
    let fixture = deployed(reusing(100, 60, &[("A", "1")])).await;
    assert_eq!(count(&fixture).await, "1");
    assert_eq!(count(&fixture).await, "2");
    let app = blue_faas::model::deployment::AppName::parse("app").expect("valid");
    use blue_faas::port::platform::Platform as _;
    fixture
        .platform
        .configure(
            &app,
            &super::fixture::namespace(),
            reusing(100, 60, &[("A", "2")]),
        )
        .await
        .expect("configured");
    assert_eq!(count(&fixture).await, "1");
    fixture
        .platform
        .configure(
            &app,
            &super::fixture::namespace(),
            configuration(256, &[("A", "2")], &[]),
        )
        .await
        .expect("configured");
    assert_eq!(count(&fixture).await, "1");
    assert_eq!(count(&fixture).await, "1");
}

#[tokio::test]
async fn an_instance_serves_thousands_of_calls() {
    let fixture = deployed(reusing(1_000_000, 3_600, &[])).await;
    for _ in 0..2_500 {
        let call = Call {
            memory: 256 * 1024 * 1024,
            ..get("/state")
        };
        let outcome = fixture.send("app", call).await;
        assert!(outcome.result.is_ok(), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_call_that_fails_takes_its_instance_along() {
    let fixture = deployed(reusing(100, 60, &[])).await;
    assert_eq!(count(&fixture).await, "1");
    let call = Call {
        timeout: Duration::from_millis(300),
        memory: 256 * 1024 * 1024,
        ..get("/loop")
    };
    let outcome = fixture.send("app", call).await;
    assert_eq!(failure(&outcome), &CallFailure::TimedOut);
    assert_eq!(count(&fixture).await, "1");
}
