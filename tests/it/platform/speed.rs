//! Figures, not checks: `cargo test --test it -- --ignored --nocapture platform::speed`.

use blue_faas::port::platform::Platform as _;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fixture::Fixture;
use crate::support::components::build;

fn memory_mb(field: &str) -> f64 {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup").unwrap_or_default();
    let line = rollup
        .lines()
        .find(|line| line.starts_with(field))
        .unwrap_or_default()
        .to_owned();
    line.split_whitespace()
        .nth(1)
        .and_then(|kb| kb.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1024.0
}

fn process_cpu() -> Duration {
    nix::time::clock_gettime(nix::time::ClockId::CLOCK_PROCESS_CPUTIME_ID)
        .map_or(Duration::ZERO, Duration::from)
}

fn print(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("stderr is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn hello_cpu_and_rate() {
    let fixture = Arc::new(Fixture::new());
    print(&format!("idle rss {:.0} MB", memory_mb("Rss:")));
    let component = build("hello");
    fixture
        .platform
        .prepare(&component.artifact)
        .await
        .expect("prepares");
    let begun = Instant::now();
    fixture.deploy("hello", &component).await;
    print(&format!(
        "deploy of prepared {:?}, rss {:.0} MB",
        begun.elapsed(),
        memory_mb("Rss:")
    ));
    for _ in 0..50 {
        fixture.call("hello", "/").await;
    }
    for concurrency in [1_u32, 2, 8, 64] {
        let (begun, cpu) = (Instant::now(), process_cpu());
        let each = 1_200 / concurrency;
        let callers = (0..concurrency).map(|_| {
            let fixture = fixture.clone();
            tokio::spawn(async move {
                let (mut guest, mut start) = (Duration::ZERO, Duration::ZERO);
                for _ in 0..each {
                    let outcome = fixture.call("hello", "/").await;
                    assert!(outcome.result.is_ok());
                    guest += outcome.usage.cpu.unwrap_or_default();
                    start += outcome.usage.start.unwrap_or_default();
                }
                (guest, start)
            })
        });
        let sums = futures::future::join_all(callers).await;
        let (wall, cpu, calls) = (
            begun.elapsed(),
            process_cpu().saturating_sub(cpu),
            each * concurrency,
        );
        let (guest, start) = sums
            .into_iter()
            .map(|sums| sums.expect("no panic"))
            .fold((Duration::ZERO, Duration::ZERO), |a, b| {
                (a.0 + b.0, a.1 + b.1)
            });
        print(&format!(
            "c={concurrency} {:.0} req/s, process cpu {:?}, guest cpu {:?}, start {:?} a call; rss {:.0} MB anon {:.0} MB",
            f64::from(calls) / wall.as_secs_f64(),
            cpu / calls,
            guest / calls,
            start / calls,
            memory_mb("Rss:"),
            memory_mb("Anonymous:")
        ));
    }
}
