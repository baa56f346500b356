//! Work that changes what several places keep, and must not end in the middle because its caller left.

use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::table::internal;
use crate::model::error::Result;

/// Runs such work in tasks of its own; the server's stop waits for them. Clones are of the same.
#[derive(Clone, Debug, Default)]
pub struct Effects {
    tasks: TaskTracker,
}

impl Effects {
    /// A caller that is dropped while it waits leaves the work running.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let task = self.tasks.spawn(work.in_current_span());
        task.await
            .unwrap_or_else(|cause| Err(internal("INTERNAL_ERROR", cause)))
    }

    /// Of which nobody waits for the result.
    pub fn begin(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(work.in_current_span());
    }

    /// Until nothing is under way any more.
    pub async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use tokio::sync::Notify;

    #[tokio::test]
    async fn work_goes_on_when_its_caller_leaves_and_is_waited_for() {
        let (effects, go) = (Effects::default(), Arc::new(Notify::new()));
        let done = Arc::new(AtomicBool::new(false));
        let work = {
            let (go, done) = (go.clone(), done.clone());
            async move {
                go.notified().await;
                done.store(true, Ordering::Relaxed);
                Ok(())
            }
        };
        let mut caller = Box::pin(effects.run(work));
        assert!(futures::poll!(&mut caller).is_pending());
        drop(caller);
        go.notify_one();
        effects.finish().await;
        assert!(done.load(Ordering::Relaxed));
    }
}
