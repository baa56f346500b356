//! The server's own figures, read as strictly as Prometheus reads them.

use http::Method;
use std::collections::{BTreeMap, HashMap};

use crate::support::answer::Answer;
use crate::support::app::TestApp;
use crate::support::builders::a_workspace;

/// A sample's name and labels, and its value.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Parses the text format, and fails where it is not kept: a sample without help or type, a type told twice, a family in two places, a
/// sample twice, a histogram that is not cumulative.
fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "the last line has no end");
    let (mut helped, mut types) = (HashMap::new(), HashMap::new());
    let mut samples = Samples::new();
    let mut family = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a text");
            assert!(!help.trim().is_empty(), "{line}");
            assert!(
                helped.insert(name.to_owned(), ()).is_none(),
                "twice: {line}"
            );
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(
                types.insert(name.to_owned(), kind.to_owned()).is_none(),
                "twice: {line}"
            );
            family = name.to_owned();
        } else {
            assert!(!line.starts_with('#'), "an unknown comment: {line}");
            let (series, value) = line.rsplit_once(' ').expect("a value");
            let (name, labels) = series_of(series);
            let is_histogram = types.get(&family).is_some_and(|kind| kind == "histogram");
            let suffix = name
                .strip_prefix(&family)
                .unwrap_or_else(|| panic!("outside of its family {family}: {line}"));
            let suffixes: &[&str] = if is_histogram {
                &["_bucket", "_sum", "_count"]
            } else {
                &[""]
            };
            assert!(suffixes.contains(&suffix), "{line}");
            assert!(helped.contains_key(&family), "no help: {line}");
            let value = value
                .parse()
                .unwrap_or_else(|_| panic!("no number: {line}"));
            assert!(
                samples.insert((name, labels), value).is_none(),
                "twice: {line}"
            );
        }
    }
    check_histograms(&samples, &types);
    samples
}

fn series_of(series: &str) -> (String, BTreeMap<String, String>) {
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect("closed labels")),
        None => (series, ""),
    };
    let is_name = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    assert!(is_name(name) && !name.is_empty(), "{series}");
    let mut parsed = BTreeMap::new();
    for label in labels.split("\",").filter(|label| !label.is_empty()) {
        let (label, value) = label.split_once("=\"").expect("name=\"value\"");
        assert!(is_name(label), "{series}");
        let value = value.trim_end_matches('"');
        assert!(
            parsed.insert(label.to_owned(), value.to_owned()).is_none(),
            "{series}"
        );
    }
    (name.to_owned(), parsed)
}

fn check_histograms(samples: &Samples, types: &HashMap<String, String>) {
    for (name, _) in types.iter().filter(|(_, kind)| *kind == "histogram") {
        let mut buckets: BTreeMap<BTreeMap<String, String>, Vec<(f64, f64)>> = BTreeMap::new();
        for ((sample, labels), count) in samples {
            if *sample == format!("{name}_bucket") {
                let mut labels = labels.clone();
                let bound = labels.remove("le").expect("a bound");
                let bound = bound.parse().expect("a number or +Inf");
                buckets.entry(labels).or_default().push((bound, *count));
            }
        }
        assert!(!buckets.is_empty(), "{name}");
        for (labels, mut buckets) in buckets {
            buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
            assert!(
                buckets.is_sorted_by_key(|(_, count)| *count),
                "{name}{labels:?}"
            );
            let (last, all) = *buckets.last().expect("a bucket");
            assert!(last.is_infinite(), "{name}{labels:?}");
            let count = samples.get(&(format!("{name}_count"), labels.clone()));
            assert_eq!(count, Some(&all), "{name}{labels:?}");
            assert!(
                samples.contains_key(&(format!("{name}_sum"), labels)),
                "{name}"
            );
        }
    }
}

async fn scrape(app: &TestApp) -> Samples {
    let response = reqwest::get(app.metrics()).await.expect("figures");
    assert_eq!(response.status(), 200);
    let format = response.headers().get("content-type").expect("a format");
    assert_eq!(format, "text/plain; version=0.0.4; charset=utf-8");
    parse(&response.text().await.expect("a text"))
}

/// The sum of all samples of a name whose labels have these values.
fn sum(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> f64 {
    let has = |sample: &BTreeMap<String, String>| {
        labels
            .iter()
            .all(|(label, value)| sample.get(*label).is_some_and(|found| found == value))
    };
    samples
        .iter()
        .filter(|((found, sample), _)| found == name && has(sample))
        .map(|(_, value)| value)
        .sum()
}

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

#[tokio::test]
async fn without_the_setting_there_are_no_figures() {
    let app = TestApp::start();
    assert_eq!(app.get("/metrics").await.status, 404);
}

#[test]
#[should_panic(expected = "outside of its family")]
fn the_parser_notices_a_sample_of_another_family() {
    parse("# HELP a b\n# TYPE a gauge\nc 1\n");
}
