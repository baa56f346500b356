//! Values that are kept for as long as what they were made of has not changed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::model::error::Result;

/// The state of everything a value is made of: another one after a change. Take it before reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(pub [u64; 4]);

/// A bounded number of values by name. Where other processes may write too there are no stamps, and nothing is kept.
pub struct Kept<V> {
    values: Mutex<HashMap<String, (Stamp, V)>>,
    most: usize,
}

impl<V: Clone> Kept<V> {
    pub fn new(most: usize) -> Self {
        Self {
            values: Mutex::default(),
            most,
        }
    }

    /// The value of this name as of `stamp`; else what `make` gives. A value for which `is_small` fails is not kept.
    pub async fn get(
        &self,
        name: &str,
        stamp: Option<Stamp>,
        make: impl Future<Output = Result<V>>,
        is_small: impl Fn(&V) -> bool,
    ) -> Result<V> {
        let Some(stamp) = stamp else {
            return make.await;
        };
        if let Some((of, value)) = self.values().get(name)
            && *of == stamp
        {
            return Ok(value.clone());
        }
        let value = make.await?;
        if is_small(&value) {
            let mut values = self.values();
            if values.len() >= self.most && !values.contains_key(name) {
                values.clear();
            }
            values.insert(name.to_owned(), (stamp, value.clone()));
        }
        Ok(value)
    }

    fn values(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Stamp, V)>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(kept: &Kept<u32>, name: &str, stamp: Option<u64>, value: u32) -> u32 {
        let stamp = stamp.map(|stamp| Stamp([stamp, 0, 0, 0]));
        kept.get(name, stamp, async { Ok(value) }, |value| *value < 100)
            .await
            .expect("a value")
    }

    #[tokio::test]
    async fn a_value_stays_until_its_stamp_changes() {
        let kept = Kept::new(2);
        assert_eq!(get(&kept, "a", Some(1), 1).await, 1);
        assert_eq!(get(&kept, "a", Some(1), 2).await, 1);
        assert_eq!(get(&kept, "a", Some(2), 3).await, 3);
        assert_eq!(get(&kept, "a", None, 4).await, 4);
        assert_eq!(get(&kept, "a", Some(2), 5).await, 3);
    }

    #[tokio::test]
    async fn large_values_and_more_than_fit_are_not_kept() {
        let kept = Kept::new(2);
        assert_eq!(get(&kept, "large", Some(1), 100).await, 100);
        assert_eq!(get(&kept, "large", Some(1), 7).await, 7);
        for name in ["a", "b", "c", "d"] {
            get(&kept, name, Some(1), 1).await;
            assert!(kept.values().len() <= 2);
        }
        assert_eq!(
            get(&kept, "d", Some(1), 2).await,
            1,
            "the last one is there"
        );
    }
}
