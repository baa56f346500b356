//! What one call may take, and what it took.

use nix::sys::resource::{UsageWho, getrusage};
use nix::time::{ClockId, clock_gettime};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use wasmtime::ResourceLimiter;

use crate::port::platform::Usage;

const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Counts of a call that outlive its store. One call writes them, on one thread at a time.
#[derive(Debug, Default)]
pub(super) struct Counters {
    cpu_nanos: AtomicU64,
    memory: AtomicU64,
    memory_denied: AtomicBool,
    start_nanos: AtomicU64,
    page_faults: AtomicU64,
}

impl Counters {
    fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_nanos.load(Ordering::Relaxed))
    }

    /// Peak of all linear memories together, in bytes.
    pub fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Whether the guest asked for more memory than its limit.
    pub fn is_memory_denied(&self) -> bool {
        self.memory_denied.load(Ordering::Relaxed)
    }

    /// Of a call that was taken up this long ago.
    pub fn usage(&self, elapsed: Duration) -> Usage {
        let start = self.start_nanos.load(Ordering::Relaxed);
        // 0 when the guest was never instantiated.
        let start = (start > 0).then(|| Duration::from_nanos(start));
        Usage {
            cpu: Some(self.cpu()),
            memory: Some(self.memory()),
            start,
            run: start.map(|start| elapsed.saturating_sub(start)),
            page_faults: Some(self.page_faults.load(Ordering::Relaxed)),
        }
    }

    /// Forgets what the last call took; the memory is still there.
    pub fn renew(&self) {
        for count in [&self.cpu_nanos, &self.start_nanos, &self.page_faults] {
            count.store(0, Ordering::Relaxed);
        }
        self.memory_denied.store(false, Ordering::Relaxed);
    }

    pub fn set_start(&self, start: Duration) {
        self.start_nanos
            .store(nanos(start).max(1), Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Holds all linear memories of a guest together below a limit.
#[derive(Debug)]
pub(super) struct MemoryLimit {
    max: usize,
    used: usize,
    counters: Arc<Counters>,
}

impl MemoryLimit {
    pub fn new(max: usize, counters: Arc<Counters>) -> Self {
        Self {
            max,
            used: 0,
            counters,
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.max {
            self.counters.memory_denied.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        self.used = used;
        self.counters
            .memory
            .fetch_max(used as u64, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

/// A future whose polls count as CPU time and page faults of a call: of its thread, so that time spent waiting for a core does not count.
pub(super) struct CpuTimed<F> {
    future: Pin<Box<F>>,
    counters: Arc<Counters>,
}

impl<F> CpuTimed<F> {
    pub fn new(future: F, counters: Arc<Counters>) -> Self {
        Self {
            future: Box::pin(future),
            counters,
        }
    }
}

impl<F: Future> Future for CpuTimed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let (before, faults) = (thread_cpu(), thread_page_faults());
        let poll = self.future.as_mut().poll(context);
        let faults = thread_page_faults().saturating_sub(faults);
        self.counters
            .page_faults
            .fetch_add(faults, Ordering::Relaxed);
        self.counters.cpu_nanos.fetch_add(
            nanos(thread_cpu().saturating_sub(before)),
            Ordering::Relaxed,
        );
        poll
    }
}

fn thread_cpu() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn thread_page_faults() -> u64 {
    getrusage(UsageWho::RUSAGE_THREAD).map_or(0, |usage| usage.minor_page_faults().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_count_together() {
        let counters = Arc::new(Counters::default());
        let mut limit = MemoryLimit::new(100, counters.clone());
        assert!(limit.memory_growing(0, 60, None).expect("no trap"));
        assert!(limit.memory_growing(0, 40, None).expect("no trap"));
        assert!(!counters.is_memory_denied());
        assert!(!limit.memory_growing(40, 41, None).expect("no trap"));
        assert!(counters.is_memory_denied());
        assert_eq!(counters.memory(), 100);
    }

    #[tokio::test]
    async fn waiting_is_not_cpu_time() {
        let counters = Arc::new(Counters::default());
        CpuTimed::new(
            tokio::time::sleep(Duration::from_millis(60)),
            counters.clone(),
        )
        .await;
        assert!(
            counters.cpu() < Duration::from_millis(30),
            "{:?}",
            counters.cpu()
        );
    }
}
