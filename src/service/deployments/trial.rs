//! A running canary in this server's memory: which calls it takes, and how they went.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::model::canary::{CallCount, CanaryCounts, CanaryRule};

#[derive(Default)]
struct Counter {
    calls: AtomicU64,
    errors: AtomicU64,
}

impl Counter {
    fn read(&self) -> CallCount {
        CallCount {
            calls: self.calls.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
        }
    }
}

/// One of the two versions that take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    Serving,
    Canary,
}

pub struct Trial {
    pub rule: CanaryRule,
    canary: Counter,
    serving: Counter,
    /// It failed too often: no more calls, although the record of it may not be written yet.
    is_over: AtomicBool,
    /// Somebody writes that record.
    is_ending: AtomicBool,
}

impl Trial {
    pub fn new(rule: CanaryRule) -> Self {
        Self {
            rule,
            canary: Counter::default(),
            serving: Counter::default(),
            is_over: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        }
    }

    /// Draws who takes the next call.
    pub fn draw(&self) -> Taker {
        let number = rand::random_range(0..100_u32);
        if number < self.rule.plan.percent() && !self.is_over() {
            Taker::Canary
        } else {
            Taker::Serving
        }
    }

    /// Counts a call. `true` asks the caller to end the canary, and then to say so by [`Self::could_not_end`] if that failed.
    pub fn count(&self, taker: Taker, failed: bool) -> bool {
        let counter = match taker {
            Taker::Canary => &self.canary,
            Taker::Serving => &self.serving,
        };
        counter
            .errors
            .fetch_add(u64::from(failed), Ordering::Relaxed);
        counter.calls.fetch_add(1, Ordering::Relaxed);
        if self.rule.plan.is_broken_by(&self.counts()) {
            self.is_over.store(true, Ordering::Relaxed);
        }
        self.is_over() && !self.is_ending.swap(true, Ordering::Relaxed)
    }

    /// Whether it failed too often.
    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// The next call that is counted asks again.
    pub fn could_not_end(&self) {
        self.is_ending.store(false, Ordering::Relaxed);
    }

    pub fn counts(&self) -> CanaryCounts {
        CanaryCounts {
            canary: self.canary.read(),
            serving: self.serving.read(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::canary::CanaryPlan;
    use crate::model::deployment::AppName;
    use crate::model::id::DeploymentId;

    fn trial(percent: u32) -> Trial {
        Trial::new(CanaryRule {
            app_name: AppName::parse("a-canary").expect("valid"),
            plan: CanaryPlan::parse(2, percent, Some(5), Some(10)).expect("valid"),
            deployment_id: DeploymentId::parse("d-1").expect("valid"),
        })
    }

    #[test]
    fn a_share_of_the_draws_is_the_canarys() {
        let trial = trial(25);
        let taken = (0..10_000)
            .filter(|_| trial.draw() == Taker::Canary)
            .count();
        assert!((2_000..3_000).contains(&taken), "{taken}");
    }

    #[test]
    fn a_canary_that_fails_is_ended_once_and_takes_no_more_calls() {
        let trial = trial(99);
        for _ in 0..9 {
            assert!(!trial.count(Taker::Canary, true));
        }
        assert!(trial.count(Taker::Canary, true));
        assert!((0..1_000).all(|_| trial.draw() == Taker::Serving));
        assert!(!trial.count(Taker::Serving, false), "somebody ends it");
        trial.could_not_end();
        assert!(trial.count(Taker::Serving, false), "and did not");
        assert_eq!(trial.counts().canary.errors, 10);
        assert_eq!(trial.counts().serving.calls, 2);
    }
}
