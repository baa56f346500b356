//! The rules of the product, over ports. Every call takes the [`actor::Actor`] who asks.

pub mod actor;
pub mod adoption;
pub mod builds;
pub mod console;
pub mod deployments;
pub mod effects;
pub mod executions;
pub mod figures;
mod first_system;
pub mod functions;
pub mod health;
pub mod idempotency;
pub mod invocations;
pub mod kept;
pub mod key_values;
pub mod moving;
pub mod new_id;
pub mod observe;
pub mod paging;
pub mod replays;
pub mod retention;
pub mod saves;
mod shared;
pub mod spin_apps;
pub mod statistics;
pub mod table;
pub mod versions;
pub mod workspaces;

use std::sync::Arc;

use builds::Builds;
use deployments::Deployments;
use executions::Executions;
use functions::Functions;
use health::Health;
use idempotency::Idempotency;
use invocations::Invocations;
use kept::Kept;
use observe::Observe;
use replays::Replays;
use retention::Retention;
use spin_apps::SpinApps;
use statistics::Statistics;
use versions::Versions;
use workspaces::Workspaces;

use crate::model::workspace::WorkspaceOverview;

/// Everything the edges (REST, server functions, the functions listener) call.
#[derive(Clone)]
pub struct Services {
    pub workspaces: Arc<Workspaces>,
    pub functions: Arc<Functions>,
    pub builds: Arc<Builds>,
    pub deployments: Arc<Deployments>,
    pub versions: Arc<Versions>,
    pub executions: Arc<Executions>,
    pub invocations: Arc<Invocations>,
    pub observe: Arc<Observe>,
    pub replays: Arc<Replays>,
    pub statistics: Arc<Statistics>,
    pub retention: Arc<Retention>,
    pub spin_apps: Arc<SpinApps>,
    pub health: Arc<Health>,
    pub idempotency: Arc<Idempotency>,
    pub overviews: Arc<Kept<WorkspaceOverview>>,
}
