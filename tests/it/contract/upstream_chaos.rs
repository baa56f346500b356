//! Loki and Prometheus over a bad network: seeded runs. Both are FAKES that answer in the form of their public documentation.

use blue_faas::adapter::logs::loki::LokiLogs;
use blue_faas::adapter::metrics::prometheus::PrometheusMetrics;
use blue_faas::model::error::Error;
use blue_faas::model::id::FunctionId;
use blue_faas::port::logs::LogSource as _;
use blue_faas::port::metrics::MetricSource as _;
use futures::future::join_all;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::chaos::Chaos;

/// `make soak` runs 500.
const RUNS: u64 = 40;
const ASKED: usize = 12;
/// Ten seconds after failures in a row it is asked again.
const PATIENCE: Duration = Duration::from_mins(2);

fn runs() -> std::ops::Range<u64> {
    let runs = std::env::var("BLUE_FAAS_CHAOS_RUNS");
    0..runs.map_or(RUNS, |text| text.parse().expect("a number"))
}

fn function() -> FunctionId {
    FunctionId::parse("fn-1").expect("valid")
}

async fn answering(answers: &[(&str, Value)]) -> MockServer {
    let server = MockServer::start().await;
    for (at, answer) in answers {
        let answer = ResponseTemplate::new(200).set_body_json(answer);
        Mock::given(path(*at))
            .respond_with(answer)
            .mount(&server)
            .await;
    }
    server
}

/// How often it answered, and what it said otherwise, until the network is good and some time after that.
async fn ask<T>(seed: u64, chaos: &Chaos, mut one: impl AsyncFnMut() -> Result<T, Error>) -> usize {
    let mut answered = 0;
    for _ in 0..ASKED {
        match one().await {
            Ok(_) => answered += 1,
            Err(error) => {
                let code = error.operation.as_deref().unwrap_or_default();
                let known = ["LOKI", "PROMETHEUS"].map(|name| format!("{name}_CONNECTION_ERROR"));
                assert!(
                    known.iter().any(|known| known == code)
                        || code == "LOKI_ERROR"
                        || code == "PROMETHEUS_ERROR",
                    "seed {seed}: {error:?}"
                );
                assert!(!error.message.contains("log in"), "seed {seed}: {error}");
            }
        }
    }
    chaos.set(0);
    let begun = Instant::now();
    while one().await.is_err() {
        assert!(begun.elapsed() < PATIENCE, "seed {seed}: it stays away");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    answered
}

#[tokio::test]
async fn loki_is_read_right_or_said_to_be_away_and_comes_back() {
    let stream = json!({"stream": {"pod": "a"}, "values": [["1700000000000000002", "b"], ["1700000000000000001", "a"]]});
    let answer =
        json!({"status": "success", "data": {"resultType": "streams", "result": [stream]}});
    let server = answering(&[("/loki/api/v1/query_range", answer)]).await;
    let run = async |seed: u64| {
        let chaos = Chaos::before(&server.uri(), seed).await;
        chaos.set(15 + (seed % 50) as u32);
        let logs = LokiLogs::new(&chaos.url).expect("an address");
        ask(seed, &chaos, async || {
            let lines = logs.lines(&function(), 10, None).await?;
            let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, ["b", "a"], "seed {seed}");
            Ok(())
        })
        .await
    };
    let answered = join_all(runs().map(run)).await;
    assert!(
        answered.iter().any(|count| *count < ASKED),
        "nothing failed"
    );
    assert!(answered.iter().any(|count| *count > 0), "nothing passed");
}

#[tokio::test]
async fn prometheus_is_read_right_or_said_to_be_away_and_comes_back() {
    let vector = json!({"resultType": "vector", "result": [{"metric": {}, "value": [1_700_000_000.5, "0.25"]}]});
    let matrix = json!({"resultType": "matrix", "result": [{"metric": {}, "values": [[1_700_000_000, "0.5"]]}]});
    let success = |data| json!({"status": "success", "data": data});
    let server = answering(&[
        ("/api/v1/query", success(vector)),
        ("/api/v1/query_range", success(matrix)),
    ])
    .await;
    let run = async |seed: u64| {
        let chaos = Chaos::before(&server.uri(), seed).await;
        chaos.set(15 + (seed % 50) as u32);
        let metrics = PrometheusMetrics::new(&chaos.url).expect("an address");
        ask(seed, &chaos, async || {
            let cpu = metrics.cpu(&function()).await?;
            // One of the two may be missing, none may be wrong.
            assert!(
                matches!(cpu.cpu_total, None | Some(0.25)),
                "seed {seed}: {cpu:?}"
            );
            let series = cpu.cpu_series.unwrap_or_default();
            assert!(
                series
                    .iter()
                    .all(|sample| (sample.value - 0.5).abs() < 1e-9),
                "seed {seed}"
            );
            Ok(())
        })
        .await
    };
    let answered = join_all(runs().map(run)).await;
    assert!(
        answered.iter().any(|count| *count < ASKED),
        "nothing failed"
    );
    assert!(answered.iter().any(|count| *count > 0), "nothing passed");
}
