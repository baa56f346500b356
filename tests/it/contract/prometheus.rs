//! CPU figures from Prometheus: Debian's own, with samples that promtool wrote. What that does not answer comes from a FAKE.

use blue_faas::adapter::metrics::prometheus::PrometheusMetrics;
use blue_faas::model::id::FunctionId;
use blue_faas::model::time::Timestamp;
use blue_faas::port::metrics::MetricSource as _;
use serde_json::json;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const HOUR: i64 = 3_600;
const INTERVAL: i64 = 15;

/// A running Prometheus; ends with the test.
struct Prometheus {
    url: String,
    process: Child,
    _data: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Two pods of `fn-1` that use 0.5 and 0.25 cores, one of `fn-10` that uses a whole one; another hour on both sides of now.
fn samples(now: i64) -> String {
    let pods = [("a", "fn-1", 0.5), ("b", "fn-1", 0.25), ("c", "fn-10", 1.0)];
    let times = || (now - HOUR - 300..now + HOUR).step_by(INTERVAL as usize);
    let mut text = "# TYPE container_cpu_usage_seconds counter\n".to_owned();
    for (pod, _, cores) in pods {
        for (container, factor) in [("app", 1.0), ("", 7.0)] {
            for at in times() {
                let used = (at - now + 2 * HOUR) as f64 * cores * factor;
                let _ = writeln!(
                    text,
                    "container_cpu_usage_seconds_total{{namespace=\"default\",pod=\"{pod}\",container=\"{container}\"}} {used} {at}"
                );
            }
        }
    }
    text.push_str("# TYPE kube_pod_labels gauge\n");
    for (pod, function, _) in pods {
        for at in times() {
            let _ = writeln!(
                text,
                "kube_pod_labels{{namespace=\"default\",pod=\"{pod}\",label_function_id=\"{function}\"}} 1 {at}"
            );
        }
    }
    text.push_str("# EOF\n");
    text
}

async fn prometheus() -> Prometheus {
    let data = tempfile::tempdir().unwrap();
    write_blocks(data.path(), &samples(Timestamp::now().seconds()));
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let process = Command::new("prometheus")
        .arg(format!(
            "--config.file={}",
            data.path().join("none.yml").display()
        ))
        .arg(format!("--storage.tsdb.path={}", data.path().display()))
        .arg(format!("--web.listen-address={address}"))
        .stderr(Stdio::null())
        .spawn()
        .expect("prometheus is installed: run `make setup-test`");
    let prometheus = Prometheus {
        url: format!("http://{address}"),
        process,
        _data: data,
    };
    for _ in 0..200 {
        let metrics = PrometheusMetrics::new(&prometheus.url).unwrap();
        if metrics.check().await.is_ok() {
            return prometheus;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("Prometheus does not start");
}

fn write_blocks(folder: &Path, samples: &str) {
    std::fs::write(folder.join("none.yml"), "").unwrap();
    let file = folder.join("samples.txt");
    std::fs::write(&file, samples).unwrap();
    let written = Command::new("promtool")
        .args(["tsdb", "create-blocks-from", "openmetrics", "--quiet"])
        .args([&file, folder])
        .output()
        .unwrap();
    assert!(
        written.status.success(),
        "{}",
        String::from_utf8_lossy(&written.stderr)
    );
}

#[tokio::test]
async fn cores_are_those_of_all_pods_of_the_function() {
    let prometheus = prometheus().await;
    let metrics = PrometheusMetrics::new(&prometheus.url).unwrap();
    let cpu = async |id: &str| metrics.cpu(&FunctionId::parse(id).unwrap()).await.unwrap();
    let found = cpu("fn-1").await;
    let total = found.cpu_total.unwrap();
    assert!((total - 0.75).abs() < 0.01, "{total}");
    let series = found.cpu_series.unwrap();
    assert_eq!(found.window_seconds, 3_600);
    assert!((60..=61).contains(&series.len()), "{}", series.len());
    assert!(
        series
            .iter()
            .all(|sample| (sample.value - 0.75).abs() < 0.01)
    );
    assert!(
        series
            .windows(2)
            .all(|pair| pair[1].timestamp - pair[0].timestamp == 60)
    );
    let nobody = cpu("fn-unknown").await;
    assert_eq!(nobody.cpu_total, Some(0.0));
    assert_eq!(nobody.cpu_series, Some(Vec::new()));
}

#[tokio::test]
async fn one_query_that_fails_leaves_the_other() {
    let server = MockServer::start().await;
    let instant = json!({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1_700_000_000.5, "0.25"]}]}});
    Mock::given(path("/api/v1/query"))
        .respond_with(ResponseTemplate::new(200).set_body_json(instant))
        .mount(&server)
        .await;
    Mock::given(path("/api/v1/query_range"))
        .respond_with(ResponseTemplate::new(422).set_body_string("too many samples"))
        .mount(&server)
        .await;
    let metrics = PrometheusMetrics::new(&server.uri()).unwrap();
    let cpu = metrics
        .cpu(&FunctionId::parse("fn-1").unwrap())
        .await
        .unwrap();
    assert_eq!((cpu.cpu_total, cpu.cpu_series), (Some(0.25), None));
}

#[tokio::test]
async fn one_that_is_away_is_a_bad_connection() {
    let away = PrometheusMetrics::new("http://127.0.0.1:9").unwrap();
    let error = away
        .cpu(&FunctionId::parse("fn-1").unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        error.operation.as_deref(),
        Some("PROMETHEUS_CONNECTION_ERROR")
    );
    assert!(error.message.contains("PROMETHEUS_SERVICE_URL"), "{error}");
}
