//! Places for calls. When all are taken, functions take turns, so that one that is called much does not keep the others waiting.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// A number of places, given out in turns over the functions that wait. Within one, who came first goes first.
#[derive(Clone)]
pub(super) struct FairQueue(Arc<Mutex<State>>);

struct State {
    free: usize,
    waiting: HashMap<String, VecDeque<oneshot::Sender<Turn>>>,
    /// Functions with somebody waiting, the next one first.
    turns: VecDeque<String>,
}

/// One place, free again when this is dropped.
pub(super) struct Turn(Option<FairQueue>);

impl FairQueue {
    pub fn new(places: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: places,
            waiting: HashMap::new(),
            turns: VecDeque::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place. Whoever stops waiting leaves the queue.
    pub async fn enter(&self, function: &str) -> Option<Turn> {
        let place = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Some(Turn(Some(self.clone())));
            }
            let (sender, place) = oneshot::channel();
            if let Some(waiting) = state.waiting.get_mut(function) {
                waiting.push_back(sender);
            } else {
                state
                    .waiting
                    .insert(function.to_owned(), VecDeque::from([sender]));
                state.turns.push_back(function.to_owned());
            }
            place
        };
        place.await.ok()
    }

    /// Gives a place to the next that waits, or keeps it.
    fn leave(&self) {
        loop {
            let mut state = self.state();
            let Some(next) = state.next() else {
                state.free += 1;
                return;
            };
            drop(state);
            match next.send(Turn(Some(self.clone()))) {
                Ok(()) => return,
                // Nobody waits for it any more: the place is still to be given away, here and not by its drop.
                Err(mut turn) => turn.0 = None,
            }
        }
    }
}

impl State {
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let function = self.turns.pop_front()?;
        let waiting = self.waiting.get_mut(&function)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            self.waiting.remove(&function);
        } else {
            self.turns.push_back(function);
        }
        next
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(queue) = self.0.take() {
            queue.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn functions_take_turns_whoever_is_called_more() {
        let queue = FairQueue::new(1);
        let busy = queue.enter("a").await.expect("a place");
        let order = Arc::new(Mutex::new(Vec::new()));
        let waiting = ["a", "a", "a", "b", "c"].map(|name| {
            let (queue, order) = (queue.clone(), order.clone());
            tokio::spawn(async move {
                let _turn = queue.enter(name).await.expect("a place");
                order.lock().expect("no panic").push(name);
            })
        });
        tokio::task::yield_now().await;
        drop(busy);
        futures::future::join_all(waiting).await;
        assert_eq!(*order.lock().expect("no panic"), ["a", "b", "c", "a", "a"]);
        // All places are free again.
        assert!(queue.enter("a").now_or_never().is_some());
    }

    #[tokio::test]
    async fn whoever_gives_up_takes_no_place() {
        let queue = FairQueue::new(1);
        let busy = queue.enter("a").await.expect("a place");
        assert!(queue.enter("a").now_or_never().is_none());
        assert!(queue.enter("b").now_or_never().is_none());
        drop(busy);
        assert!(queue.enter("c").now_or_never().is_some());
        assert_eq!(queue.state().free, 1);
    }
}
