//! Instances that wait for the next call of their function, where it asked for that.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::super::protocol::{ProgramId, Reuse};
use super::instance::Instance;
use super::settings::Settings;

/// Instances of all functions at most.
pub(super) const MAX_IDLE: usize = 64;
/// Bytes that they hold together at most.
const MAX_HELD: u64 = 512 * 1024 * 1024;
/// An instance that waits longer is dropped.
const MAX_WAIT: Duration = Duration::from_mins(1);

#[derive(Default)]
pub(super) struct Idle(HashMap<ProgramId, Vec<Waiting>>);

struct Waiting {
    instance: Instance,
    reuse: Reuse,
    since: Instant,
}

impl Waiting {
    fn is_fresh(&self, now: Instant) -> bool {
        now - self.since < MAX_WAIT && now - self.instance.born < self.reuse.max_age
    }
}

impl Idle {
    /// One that a call with these settings may have; those that nobody may have any more are dropped.
    pub fn take(
        &mut self,
        program: ProgramId,
        settings: &Settings,
        memory: usize,
    ) -> Option<Instance> {
        let now = Instant::now();
        let waiting = self.0.get_mut(&program)?;
        waiting.retain(|one| one.is_fresh(now) && one.instance.suits(settings, memory));
        waiting.pop().map(|one| one.instance)
    }

    /// Keeps an instance that has not had all its calls.
    pub fn put(&mut self, program: ProgramId, mut instance: Instance, reuse: Reuse) {
        let all = self.0.values().flatten();
        let (count, held) = all.fold((0, instance.held()), |(count, held), one| {
            (count + 1, held + one.instance.held())
        });
        let has_room = count < MAX_IDLE && held <= MAX_HELD;
        if instance.calls < reuse.max_calls && has_room && instance.is_reusable() {
            let since = Instant::now();
            self.0.entry(program).or_default().push(Waiting {
                instance,
                reuse,
                since,
            });
        }
    }

    pub fn drop_program(&mut self, program: ProgramId) {
        self.0.remove(&program);
    }

    /// Drops what waited too long.
    pub fn sweep(&mut self) {
        let now = Instant::now();
        self.0.retain(|_, waiting| {
            waiting.retain(|one| one.is_fresh(now));
            !waiting.is_empty()
        });
    }
}
