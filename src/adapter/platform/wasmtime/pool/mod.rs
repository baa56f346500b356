//! The worker processes: one a core, started again when they end.

mod addresses;
mod calls;
mod connection;
mod fetch;
mod outbound;
mod process;
mod reports;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use self::connection::{Gone, Worker};
use self::outbound::OutboundClient;
use super::protocol::{BaseId, ProgramId};
use super::settings::Settings;
use crate::adapter::snapshot::Restorer;
use crate::port::key_values::KeyValues;
use crate::port::platform::{Call, CallFailure, Caller, Outcome};

/// How long a call waits for a worker when there is none.
const MAX_WAIT: Duration = Duration::from_secs(5);

#[derive(Clone, Debug)]
pub(super) struct PoolConfig {
    /// The `blue-faas` binary, which runs calls as `blue-faas worker <instances> <directory>…`.
    pub program: PathBuf,
    pub workers: usize,
    /// Of one worker, which is replaced then.
    pub max_calls: u64,
    /// Calls at once in one worker.
    pub max_instances: usize,
    /// What workers may read: native code.
    pub directories: Vec<PathBuf>,
}

/// What the server does for guests.
#[derive(Clone)]
struct Services {
    pub key_values: Arc<dyn KeyValues>,
    pub client: Arc<OutboundClient>,
}

/// A loaded base, by the number that workers know it by.
#[derive(Clone, Debug)]
pub(super) struct BaseProgram {
    pub id: BaseId,
    pub folder: PathBuf,
}

/// What a worker needs to load a program.
#[derive(Debug)]
pub(super) enum Loadable {
    Component {
        native: PathBuf,
    },
    Image {
        base: BaseProgram,
        restorer: Restorer,
    },
    Memory {
        base: BaseProgram,
        native: PathBuf,
    },
}

/// A program that workers load when they first need it, and drop with its last clone.
#[derive(Clone)]
pub(super) struct Program(Arc<Loaded>);

/// A program that others may drop.
pub(super) struct WeakProgram(Weak<Loaded>);

struct Loaded {
    id: ProgramId,
    loadable: Loadable,
    slots: Arc<Slots>,
}

impl Program {
    pub fn downgrade(&self) -> WeakProgram {
        WeakProgram(Arc::downgrade(&self.0))
    }
}

impl WeakProgram {
    pub fn upgrade(&self) -> Option<Program> {
        self.0.upgrade().map(Program)
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        for worker in self.slots.workers() {
            worker.unload(self.id);
        }
    }
}

/// The workers that take calls. A place is empty while its worker is being started.
pub(super) struct Slots {
    workers: RwLock<Vec<Option<Arc<Worker>>>>,
    /// Counts changes, for those who wait for a worker.
    changed: watch::Sender<u64>,
}

impl Slots {
    fn new(count: usize) -> Self {
        Self {
            workers: RwLock::new(vec![None; count]),
            changed: watch::Sender::new(0),
        }
    }

    fn set(&self, place: usize, worker: Option<Arc<Worker>>) {
        let mut workers = self.workers.write().unwrap_or_else(PoisonError::into_inner);
        // Dropped after the lock: whoever lets go of a worker last closes its socket.
        let before = std::mem::replace(&mut workers[place], worker);
        drop(workers);
        drop(before);
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn workers(&self) -> Vec<Arc<Worker>> {
        let workers = self.workers.read().unwrap_or_else(PoisonError::into_inner);
        workers.iter().flatten().cloned().collect()
    }

    /// The one with the fewest calls under way.
    fn least_loaded(&self) -> Option<Arc<Worker>> {
        let workers = self.workers.read().unwrap_or_else(PoisonError::into_inner);
        let open = workers.iter().flatten();
        let open = open.filter_map(|worker| Some((worker.load()?, worker)));
        let (_, worker) = open.min_by_key(|(load, _)| *load)?;
        Some(worker.clone())
    }
}

pub(super) struct Pool {
    slots: Arc<Slots>,
    next_program: AtomicU32,
    next_base: AtomicU32,
    _running: Vec<AbortOnDropHandle<()>>,
}

impl Pool {
    /// Starts the workers in the background; needs a runtime.
    pub fn start(config: PoolConfig, key_values: Arc<dyn KeyValues>) -> Self {
        let slots = Arc::new(Slots::new(config.workers));
        let services = Services {
            key_values,
            client: Arc::new(OutboundClient::default()),
        };
        let running = (0..config.workers).map(|place| {
            let kept =
                process::keep_running(slots.clone(), place, config.clone(), services.clone());
            AbortOnDropHandle::new(tokio::spawn(kept))
        });
        Self {
            _running: running.collect(),
            slots,
            next_program: AtomicU32::new(0),
            next_base: AtomicU32::new(0),
        }
    }

    /// Nothing is loaded yet.
    pub fn base(&self, folder: PathBuf) -> BaseProgram {
        let id = self.next_base.fetch_add(1, Ordering::Relaxed);
        BaseProgram { id, folder }
    }

    /// Nothing is loaded yet.
    pub fn program(&self, loadable: Loadable) -> Program {
        Program(Arc::new(Loaded {
            id: self.next_program.fetch_add(1, Ordering::Relaxed),
            loadable,
            slots: self.slots.clone(),
        }))
    }

    async fn worker(&self, wait: Duration) -> Option<Arc<Worker>> {
        let mut changed = self.slots.changed.subscribe();
        let found = async {
            loop {
                changed.borrow_and_update();
                if let Some(worker) = self.slots.least_loaded() {
                    return Some(worker);
                }
                changed.changed().await.ok()?;
            }
        };
        tokio::time::timeout(wait, found).await.ok().flatten()
    }

    /// Whether a call of this program could begin, in every worker, which has it loaded from then on. The text is for its developer.
    pub async fn prove(
        &self,
        program: &Program,
        settings: &Arc<Settings>,
        memory: usize,
    ) -> Result<(), String> {
        if self.worker(MAX_WAIT).await.is_none() {
            return Err(NO_WORKER.to_owned());
        }
        let workers = self.slots.workers();
        let proofs = workers
            .iter()
            .map(|worker| worker.prove(&program.0, settings, memory));
        // One that ends meanwhile is started again and loads what it is asked for.
        let proofs = futures::future::join_all(proofs).await;
        let mut proofs: Vec<_> = proofs.into_iter().filter_map(Result::ok).collect();
        proofs.sort_by_key(Result::is_ok);
        proofs.into_iter().next().unwrap_or_else(|| {
            Err("Its worker process ended while it started. The server's log says why.".to_owned())
        })
    }

    pub async fn run(
        &self,
        program: &Program,
        settings: &Arc<Settings>,
        mut call: Call,
        caller: Option<Caller>,
    ) -> Outcome {
        let wait = MAX_WAIT.min(call.timeout);
        while let Some(worker) = self.worker(wait).await {
            match worker
                .call(&program.0, settings, call, caller.clone())
                .await
            {
                Ok(outcome) => return outcome,
                // It ended before the call reached it.
                Err(Gone(unsent)) => call = *unsent,
            }
        }
        Outcome::failed(CallFailure::Unreachable(NO_WORKER.to_owned()))
    }
}

const NO_WORKER: &str = "No worker process is running. The server's log says why.";
