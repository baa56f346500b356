//! How the server stops: first it leaves, while it still takes requests; then it takes no more.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between the last connection that is taken and the end of those that say nothing. What was sent until then is read.
const LINGER: Duration = Duration::from_secs(1);

/// The two moments of a stop, for all who have to know. Clones are of the same stop.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    leaving: CancellationToken,
    stopped: CancellationToken,
    drain: Duration,
}

impl Stop {
    /// `drain` is `BLUE_FAAS_DRAIN`: from the first moment to the second.
    pub fn new(drain: Duration) -> Self {
        Self {
            drain,
            ..Self::default()
        }
    }

    /// Leaves, and stops when the drain is over or `hurry` ends.
    pub async fn begin(&self, hurry: impl Future<Output = ()>) {
        self.leaving.cancel();
        tokio::select! {
            () = tokio::time::sleep(self.drain) => {}
            () = hurry => {}
        }
        self.stopped.cancel();
    }

    /// Cancelled from the first moment on: the server is not ready, and no connection is used again.
    pub fn leaving(&self) -> &CancellationToken {
        &self.leaving
    }

    /// Cancelled from the second moment on: nothing new begins.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stopped
    }

    /// For a caller whose request is on its way. Without a drain nobody was told to go elsewhere, and nobody is waited for.
    pub fn linger(&self) -> Duration {
        LINGER.min(self.drain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_signal_ends_the_drain() {
        let stop = Stop::new(Duration::from_hours(1));
        stop.begin(std::future::ready(())).await;
        assert!(stop.leaving().is_cancelled() && stop.stopped().is_cancelled());
    }

    #[tokio::test]
    async fn while_it_drains_it_is_not_stopped() {
        let stop = Stop::new(Duration::from_hours(1));
        let draining = tokio::spawn({
            let stop = stop.clone();
            async move { stop.begin(std::future::pending()).await }
        });
        stop.leaving().cancelled().await;
        assert!(!stop.stopped().is_cancelled());
        draining.abort();
    }
}
