//! One at a time per name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::OwnedMutexGuard;

/// Locks by name; a name takes no memory while nobody holds or waits for it, the last 64 aside.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Turns {
    /// Waits until nobody else has the turn of this name.
    pub async fn enter(&self, name: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if turns.len() > 64 {
                turns.retain(|_, turn| turn.strong_count() > 0);
            }
            turns.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
                let turn = Arc::new(tokio::sync::Mutex::new(()));
                turns.insert(name.to_owned(), Arc::downgrade(&turn));
                turn
            })
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn a_name_has_one_turn_at_a_time() {
        let turns = Turns::default();
        let first = turns.enter("a").await;
        assert!(turns.enter("a").now_or_never().is_none());
        assert!(turns.enter("b").now_or_never().is_some());
        drop(first);
        assert!(turns.enter("a").now_or_never().is_some());
    }
}
