//! Answers that take their time.

use blue_faas::model::deployment::AppName;
use blue_faas::port::platform::{Begun, Call, CallFailure, Caller, Outcome, Platform as _};
use bytes::BytesMut;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::fixture::{Fixture, answer, failure, get, text};
use crate::support::components::build;

/// A call under way, and its answer if it begins before it ends.
struct Streamed {
    begun: mpsc::Receiver<Begun>,
    outcome: JoinHandle<Outcome>,
}

impl Streamed {
    async fn call(fixture: &Fixture, call: Call) -> Self {
        fixture.deploy("stream", &build("stream")).await;
        let (sender, begun) = mpsc::channel(1);
        let caller = Caller {
            on_begin: Arc::new(move |begun| sender.try_send(begun).expect("it begins once")),
            left: CancellationToken::new(),
        };
        let platform = fixture.platform.clone();
        let outcome = tokio::spawn(async move {
            let app = AppName::parse("stream").expect("valid");
            platform.call(&app, call, Some(caller)).await
        });
        Self { begun, outcome }
    }

    async fn begun(&mut self) -> Begun {
        self.begun.recv().await.expect("it begins")
    }
}

/// What comes of a body, and whether it is whole.
async fn read(mut begun: Begun) -> (String, bool) {
    let mut content = BytesMut::new();
    while let Some(piece) = begun.body.recv().await {
        match piece {
            Ok(piece) => content.extend_from_slice(&piece),
            Err(_) => return (String::from_utf8_lossy(&content).into_owned(), false),
        }
    }
    (String::from_utf8_lossy(&content).into_owned(), true)
}

#[tokio::test]
async fn an_answer_arrives_as_it_is_written() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=4&ms=1000")).await;
    let mut begun = call.begun().await;
    let at = Instant::now();
    assert_eq!(begun.status, 200);
    assert_eq!(begun.headers["content-type"], "text/event-stream");
    let first = begun.body.recv().await.expect("a piece").expect("whole");
    assert_eq!(first, "0");
    assert!(!call.outcome.is_finished());
    assert_eq!(read(begun).await, ("123".to_owned(), true));
    assert!(at.elapsed() > Duration::from_millis(900), "{at:?}");
    let outcome = call.outcome.await.expect("no panic");
    assert_eq!(text(&outcome), "0123", "the outcome has all of it");
    assert_eq!(
        answer(&outcome).headers["content-type"],
        "text/event-stream"
    );
}

#[tokio::test]
async fn an_answer_that_is_soon_complete_is_whole() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=2&ms=0")).await;
    let outcome = (&mut call.outcome).await.expect("no panic");
    assert_eq!(text(&outcome), "01");
    assert!(call.begun.recv().await.is_none(), "it never began apart");
}

#[tokio::test]
async fn a_long_answer_arrives_complete() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=5&ms=0&size=1000000")).await;
    let begun = call.begun().await;
    let (content, is_whole) = read(begun).await;
    let pieces = "01234"
        .chars()
        .map(|digit| digit.to_string().repeat(1_000_000));
    assert!(is_whole && content == pieces.collect::<String>());
    let outcome = call.outcome.await.expect("no panic");
    assert_eq!(answer(&outcome).body, content.as_bytes());
}

#[tokio::test]
async fn a_failure_after_the_beginning_breaks_the_answer_off() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=2&ms=200&fail=1")).await;
    let begun = call.begun().await;
    let (content, is_whole) = read(begun).await;
    assert!(content.starts_with('0') && !is_whole, "{content}");
    let outcome = call.outcome.await.expect("no panic");
    let reason = "ValueError: in the middle".to_owned();
    assert_eq!(failure(&outcome), &CallFailure::Trapped(reason));
}

#[tokio::test]
async fn a_body_limit_holds_for_pieces() {
    let fixture = Fixture::new();
    let limited = Call {
        max_body: 300_000,
        ..get("/?n=4&ms=50&size=100000")
    };
    let mut call = Streamed::call(&fixture, limited).await;
    let begun = call.begun().await;
    let (content, is_whole) = read(begun).await;
    assert!(content.len() <= 300_000 && !is_whole, "{}", content.len());
    let outcome = call.outcome.await.expect("no panic");
    assert_eq!(failure(&outcome), &CallFailure::ResponseTooLarge);
}

#[tokio::test]
async fn who_leaves_ends_the_call() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=100&ms=200")).await;
    let begun = call.begun().await;
    drop(begun);
    let ended = tokio::time::timeout(Duration::from_mins(1), call.outcome).await;
    let outcome = ended.expect("at once").expect("no panic");
    assert!(text(&outcome).starts_with('0'));
    assert!(
        outcome.lines[0].1.contains("left before"),
        "{:?}",
        outcome.lines
    );
}

#[tokio::test]
async fn a_lost_worker_breaks_the_answer_off() {
    let fixture = Fixture::new();
    let mut call = Streamed::call(&fixture, get("/?n=100&ms=200")).await;
    let begun = call.begun().await;
    for worker in fixture.workers() {
        kill(Pid::from_raw(worker), Signal::SIGKILL).expect("killed");
    }
    let (_, is_whole) = read(begun).await;
    assert!(!is_whole);
    let outcome = call.outcome.await.expect("no panic");
    assert!(matches!(failure(&outcome), CallFailure::Trapped(_)));
}
