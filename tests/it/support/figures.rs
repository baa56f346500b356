//! A server's own figures, read as strictly as Prometheus reads them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::app::TestApp;

/// A sample's name and labels, and its value.
pub type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Parses the text format, and fails where it is not kept: a sample without help or type, a type told twice, a family in two places, a
/// sample twice, a histogram that is not cumulative.
pub fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "the last line has no end");
    let (mut helped, mut types) = (HashSet::new(), HashMap::new());
    let mut samples = Samples::new();
    let mut family = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a text");
            assert!(!help.trim().is_empty(), "{line}");
            assert!(helped.insert(name.to_owned()), "twice: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a name and a type");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
            assert!(
                types.insert(name.to_owned(), kind.to_owned()).is_none(),
                "twice: {line}"
            );
            name.clone_into(&mut family);
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
            assert!(helped.contains(&family), "no help: {line}");
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

/// The answer as it is.
pub async fn text(app: &TestApp) -> String {
    let response = reqwest::get(app.metrics()).await.expect("figures");
    assert_eq!(response.status(), 200);
    let format = response.headers().get("content-type").expect("a format");
    assert_eq!(format, "text/plain; version=0.0.4; charset=utf-8");
    response.text().await.expect("a text")
}

/// All figures as they are now.
pub async fn scrape(app: &TestApp) -> Samples {
    parse(&text(app).await)
}

/// The sum of all samples of a name whose labels have these values.
pub fn sum(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> f64 {
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
