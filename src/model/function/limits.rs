//! What one invocation may use.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::error::{Error, Result};

/// MB that one invocation may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schema(minimum = 128, maximum = 1024, example = 256)]
pub struct Memory(u32);

impl Memory {
    pub fn parse(megabytes: u32) -> Result<Self> {
        if (128..=1024).contains(&megabytes) {
            Ok(Self(megabytes))
        } else {
            Err(Error::validation(
                "memory",
                "Choose a memory between 128 and 1024 MB.",
            ))
        }
    }

    pub fn megabytes(self) -> u32 {
        self.0
    }

    pub fn bytes(self) -> usize {
        self.0 as usize * 1024 * 1024
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self(256)
    }
}

impl TryFrom<u32> for Memory {
    type Error = Error;
    fn try_from(megabytes: u32) -> Result<Self> {
        Self::parse(megabytes)
    }
}

impl From<Memory> for u32 {
    fn from(memory: Memory) -> u32 {
        memory.0
    }
}

/// Seconds that one invocation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "u32", into = "u32")]
#[schema(minimum = 1, maximum = 900, example = 30)]
pub struct Timeout(u32);

impl Timeout {
    pub fn parse(seconds: u32) -> Result<Self> {
        if (1..=900).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(Error::validation(
                "timeout",
                "Choose a timeout between 1 and 900 seconds.",
            ))
        }
    }

    pub fn seconds(self) -> u32 {
        self.0
    }

    pub fn duration(self) -> std::time::Duration {
        std::time::Duration::from_secs(u64::from(self.0))
    }
}

impl Default for Timeout {
    fn default() -> Self {
        Self(30)
    }
}

impl TryFrom<u32> for Timeout {
    type Error = Error;
    fn try_from(seconds: u32) -> Result<Self> {
        Self::parse(seconds)
    }
}

impl From<Timeout> for u32 {
    fn from(timeout: Timeout) -> u32 {
        timeout.0
    }
}
