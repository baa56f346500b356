//! The Metrics tab.

use super::{Text, messages};

messages!(
    MetricMessages {
        cpu_now: Text = "CPU now",
        cpu_average: Text = "CPU average",
        cpu_peak: Text = "CPU peak",
        cores: Text = "cores",
        unknown: Text = "–",
        invocations: Text = "Invocations",
        errors: Text = "Errors",
        p50: Text = "p50",
        p95: Text = "p95",
        p99: Text = "p99",
        average: Text = "Average",
        hour_note: Text = "last 60 minutes",
        partial_instant: Text = "The current CPU use is missing. The metric source did not answer that query; the rest is complete.",
        partial_range: Text = "The CPU history is missing. The metric source did not answer that query; the rest is complete.",
        cpu_title: Text = "CPU",
        cpu_legend: Text = "Cores, 1-minute rate",
        cpu_label: fn(&str, &str) -> String = |peak, at| format!("CPU in cores over 60 minutes, peak {peak} at {at}"),
        cpu_label_idle: Text = "CPU in cores over 60 minutes, none used",
        cpu_none: Text = "No CPU history.",
        duration_title: Text = "Duration",
        duration_label: Text = "95th percentile of the duration over 60 minutes, in steps of 5",
        invocations_title: Text = "Invocations",
        p95_legend: Text = "p95, in ms",
        query_title: Text = "Query",
        query_instant: Text = "Now",
        query_range: Text = "60 minutes",
        copy_query: Text = "Copy query",
        stale: Text = "The metrics could not be read again; these are older.",
    }
);
