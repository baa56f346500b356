//! What is shared by all who use one name at the same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A name takes no memory while nobody uses it.
pub struct ByName<T>(Mutex<HashMap<String, Weak<T>>>);

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> ByName<T> {
    /// The one that others have, or a new one.
    pub fn get(&self, name: &str, make: impl FnOnce() -> T) -> Arc<T> {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.retain(|_, one| one.strong_count() > 0);
        named.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let new = Arc::new(make());
            named.insert(name.to_owned(), Arc::downgrade(&new));
            new
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_shared_as_long_as_it_is_used() {
        let named = ByName::default();
        let first = named.get("a", || 1);
        assert_eq!(*named.get("a", || 2), 1);
        assert_eq!(*named.get("b", || 3), 3);
        drop(first);
        assert_eq!(*named.get("a", || 4), 4);
    }
}
