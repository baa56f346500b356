//! Counters of changes.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicU64, Ordering};

const SLOTS: usize = 4096;

/// Counts changes by name, in as many counters as there are slots: two names that share one seem to change together, which makes
/// a reader look again and is never wrong.
pub struct Versions {
    slots: Box<[AtomicU64]>,
    all: AtomicU64,
}

impl Default for Versions {
    fn default() -> Self {
        Self {
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            all: AtomicU64::new(0),
        }
    }
}

impl Versions {
    fn slot(&self, name: &str) -> &AtomicU64 {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        &self.slots[hash as usize % SLOTS]
    }

    /// Read it before what it stands for: then a change in between is noticed.
    pub fn of(&self, name: &str) -> u64 {
        // Both only grow, so their sum is another one after either changed.
        self.slot(name).load(Ordering::Acquire) + self.of_all()
    }

    /// Changes of all names together that were counted by [`Self::change_all`].
    pub fn of_all(&self) -> u64 {
        self.all.load(Ordering::Acquire)
    }

    pub fn change(&self, name: &str) {
        self.slot(name).fetch_add(1, Ordering::Release);
    }

    pub fn change_all(&self) {
        self.all.fetch_add(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_under_its_name_and_one_of_all_under_every_name() {
        let versions = Versions::default();
        let (a, b) = (versions.of("a"), versions.of("b"));
        versions.change("a");
        assert_ne!(versions.of("a"), a);
        assert_eq!(versions.of("b"), b);
        versions.change_all();
        assert_ne!(versions.of("b"), b);
    }
}
