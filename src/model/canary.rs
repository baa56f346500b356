//! Canaries: a version that takes a share of a function's calls on trial.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::deployment::AppName;
use super::error::{Error, Result};
use super::id::{DeploymentId, FunctionId};
use super::time::Timestamp;

pub const DEFAULT_MARGIN: u32 = 5;
pub const DEFAULT_MIN_CALLS: u32 = 50;

/// Which version, how much of the calls, and when that has gone wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CanaryPlan {
    version: u32,
    percent: u32,
    margin: u32,
    min_calls: u32,
}

impl CanaryPlan {
    /// `margin` is in percentage points of the error rate; absent ones have their defaults.
    pub fn parse(
        version: u32,
        percent: u32,
        margin: Option<u32>,
        min_calls: Option<u32>,
    ) -> Result<Self> {
        let plan = Self {
            version,
            percent,
            margin: margin.unwrap_or(DEFAULT_MARGIN),
            min_calls: min_calls.unwrap_or(DEFAULT_MIN_CALLS),
        };
        if !(1..=99).contains(&plan.percent) {
            return Err(Error::validation(
                "percent",
                "Choose 1 to 99 percent of the calls.",
            ));
        }
        if plan.margin > 100 {
            return Err(Error::validation(
                "margin",
                "Choose a margin of 0 to 100 percentage points.",
            ));
        }
        if !(1..=1_000_000).contains(&plan.min_calls) {
            return Err(Error::validation(
                "min_calls",
                "Choose 1 to 1,000,000 calls.",
            ));
        }
        Ok(plan)
    }

    pub fn version(&self) -> u32 {
        self.version
    }

    /// Of 100 calls, how many the canary takes.
    pub fn percent(&self) -> u32 {
        self.percent
    }

    /// Percentage points by which its error rate may exceed the serving version's.
    pub fn margin(&self) -> u32 {
        self.margin
    }

    /// Calls of the canary before its error rate means anything.
    pub fn min_calls(&self) -> u32 {
        self.min_calls
    }

    /// Whether the canary fails more than it may.
    pub fn is_broken_by(&self, counts: &CanaryCounts) -> bool {
        counts.canary.calls >= u64::from(self.min_calls)
            && counts.canary.error_rate() > counts.serving.error_rate() + f64::from(self.margin)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CallCount {
    pub calls: u64,
    pub errors: u64,
}

impl CallCount {
    /// In percent; 0 without any calls.
    pub fn error_rate(self) -> f64 {
        if self.calls == 0 {
            0.0
        } else {
            self.errors as f64 / self.calls as f64 * 100.0
        }
    }
}

/// Calls since the canary began, or since the server did if that was later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CanaryCounts {
    pub canary: CallCount,
    pub serving: CallCount,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CanaryState {
    Running,
    /// It failed too often; the serving version has all calls again.
    Returned,
    /// Ended by hand.
    Ended,
    /// It serves now.
    Promoted,
    /// Another version was deployed.
    Superseded,
}

/// The newest canary of a function, as clients read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Canary {
    pub function_id: FunctionId,
    /// The app whose calls it shares.
    pub app_name: AppName,
    #[serde(flatten)]
    pub plan: CanaryPlan,
    /// The version that takes the other calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving_version: Option<u32>,
    pub state: CanaryState,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub counts: CanaryCounts,
    pub by: String,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// What the record of an app says of the canary beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanaryRule {
    /// Under which name the canary runs.
    pub app_name: AppName,
    /// Tells it from one before it.
    pub deployment_id: DeploymentId,
    pub plan: CanaryPlan,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(canary: (u64, u64), serving: (u64, u64)) -> CanaryCounts {
        let count = |(calls, errors)| CallCount { calls, errors };
        CanaryCounts {
            canary: count(canary),
            serving: count(serving),
        }
    }

    #[test]
    fn a_canary_is_broken_by_more_errors_than_the_margin_after_enough_calls() {
        let plan = CanaryPlan::parse(2, 10, Some(5), Some(20)).expect("valid");
        assert!(!plan.is_broken_by(&counts((19, 19), (100, 0))));
        assert!(!plan.is_broken_by(&counts((20, 1), (100, 0))));
        assert!(plan.is_broken_by(&counts((20, 2), (100, 0))));
        assert!(!plan.is_broken_by(&counts((20, 2), (100, 5))));
        assert!(plan.is_broken_by(&counts((20, 2), (0, 0))));
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let field = |percent, margin, min_calls| {
            CanaryPlan::parse(1, percent, margin, min_calls)
                .err()
                .and_then(|error| error.field)
        };
        assert_eq!(field(1, None, None), None);
        assert_eq!(field(0, None, None).as_deref(), Some("percent"));
        assert_eq!(field(100, None, None).as_deref(), Some("percent"));
        assert_eq!(field(5, Some(101), None).as_deref(), Some("margin"));
        assert_eq!(field(5, None, Some(0)).as_deref(), Some("min_calls"));
    }
}
