//! What becomes of an instance after its call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::error::{Error, Result};

/// Whether an instance serves further calls of its function, one at a time. Then globals persist from one to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum InstanceReuse {
    /// Every call gets a fresh instance.
    #[default]
    None,
    /// As many instances as calls run at the same time, each until it served so many calls or is so old.
    PerSlot(SlotReuse),
}

/// Bounds of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", try_from = "Unchecked")]
pub struct SlotReuse {
    #[schema(minimum = 1, maximum = 1_000_000)]
    max_requests: u32,
    /// Seconds.
    #[schema(minimum = 1, maximum = 86_400)]
    max_age: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unchecked {
    max_requests: u32,
    max_age: u32,
}

const MAX_REQUESTS: u32 = 1_000_000;
const MAX_AGE: u32 = 86_400;

impl SlotReuse {
    pub const DEFAULT: Self = Self {
        max_requests: 1_000,
        max_age: 600,
    };

    pub fn new(max_requests: u32, max_age: u32) -> Result<Self> {
        if !(1..=MAX_REQUESTS).contains(&max_requests) {
            return Err(Error::validation(
                "instanceReuse",
                "Let an instance serve between 1 and 1,000,000 requests.",
            ));
        }
        if !(1..=MAX_AGE).contains(&max_age) {
            return Err(Error::validation(
                "instanceReuse",
                "Let an instance live between 1 and 86,400 seconds.",
            ));
        }
        Ok(Self {
            max_requests,
            max_age,
        })
    }

    pub fn max_requests(self) -> u32 {
        self.max_requests
    }

    /// Seconds.
    pub fn max_age(self) -> u32 {
        self.max_age
    }
}

impl TryFrom<Unchecked> for SlotReuse {
    type Error = Error;
    fn try_from(unchecked: Unchecked) -> Result<Self> {
        Self::new(unchecked.max_requests, unchecked.max_age)
    }
}

impl InstanceReuse {
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }

    pub fn slot(self) -> Option<SlotReuse> {
        match self {
            Self::None => None,
            Self::PerSlot(slot) => Some(slot),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bounds_are_checked_however_they_come() {
        let read = |value| serde_json::from_value::<InstanceReuse>(value);
        assert_eq!(read(json!("none")).expect("valid"), InstanceReuse::None);
        let slot = json!({"perSlot": {"maxRequests": 5, "maxAge": 60}});
        let reuse = read(slot.clone()).expect("valid");
        assert_eq!(reuse.slot().map(SlotReuse::max_age), Some(60));
        assert_eq!(serde_json::to_value(reuse).expect("JSON"), slot);
        assert!(read(json!({"perSlot": {"maxRequests": 0, "maxAge": 60}})).is_err());
        assert!(SlotReuse::new(1, MAX_AGE + 1).is_err());
    }
}
