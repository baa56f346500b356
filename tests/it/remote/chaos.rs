//! Seeded runs of one task each, over a bad network and servers that come and go.

use blue_faas::model::deployment::ImageRef;
use blue_faas::model::task::TaskStatus;
use blue_faas::port::keys;
use blue_faas::port::platform::Platform;
use blue_faas::service::builds::record::TaskRecord;
use futures::StreamExt as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use std::sync::Arc;
use std::time::Duration;

use super::replica::{Replica, Shared};
use super::service::{FakeService, Fate};
use crate::platform::fixture::Fixture;

/// `make soak` runs 500.
const RUNS: u64 = 40;
const SIDE_BY_SIDE: usize = 8;

/// How the servers come and go in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// One stops in order, the next starts.
    Restarted,
    /// The next takes the task while the one before still believes that it has it.
    TakenOver,
}

/// What a run came to.
struct Ended {
    status: TaskStatus,
    fate: Fate,
}

async fn run(seed: u64, platform: Arc<dyn Platform>) -> Ended {
    let mut random = StdRng::seed_from_u64(seed);
    let fate = match random.random_range(0..10) {
        0 => Fate::Forgotten,
        1 | 2 => Fate::Refused,
        _ => Fate::Made,
    };
    let faults = random.random_range(0..45);
    let service = FakeService::start(seed, fate, faults).await;
    let shared = Shared::new(platform, &service.url);
    let mut replica = Replica::start(&shared);
    let mut before = Vec::new();
    let function = replica.a_function().await;
    let task = replica.submit(&function).await;
    // Tasks that stop without a word are given up after four times.
    let changes: Vec<Change> = (0..random.random_range(0..4))
        .map(|_| match random.random_range(0..2) {
            0 => Change::Restarted,
            _ => Change::TakenOver,
        })
        .collect();
    let mut unkept = 0;
    for change in &changes {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..60))).await;
        if replica.record(&task).await.job.is_none() {
            unkept += 1;
        }
        match change {
            Change::Restarted => {
                replica.stop().await;
                replica = Replica::start(&shared);
            }
            Change::TakenOver => {
                shared.end_lease(&task).await;
                let next = Replica::start(&shared);
                before.push(std::mem::replace(&mut replica, next));
            }
        }
    }
    let ended = replica.when(&task, |now| now.status.is_terminal()).await;
    replica.stop().await;
    for server in before {
        server.stop().await;
    }
    let story = format!("seed {seed}, {fate:?}, {changes:?}: {ended:?}");
    let (jobs, lost) = service.begun();
    assert!(
        jobs <= 1 + lost + unkept,
        "{jobs} jobs, {lost} unheard, {unkept} before one was kept: {story}"
    );
    check_effect(&shared, &task, &ended, &story).await;
    Ended {
        status: ended.status,
        fate,
    }
}

/// All of it once, or nothing.
async fn check_effect(shared: &Shared, task: &TaskRecord, ended: &TaskRecord, story: &str) {
    let function = task.function_id.as_ref().expect("a function's task");
    let version = async |number| {
        let key = keys::version(function, number);
        shared.table.get_item(&key).await.expect("readable")
    };
    let key = keys::function(&task.workspace_id, function);
    let stored = shared.table.get_item(&key).await.expect("readable");
    let stored = stored.expect("the function");
    assert!(!stored.contains_key("work"), "still at work: {story}");
    let key = keys::queue_entry(task.created_at, &task.task_id);
    let queued = shared.table.get_item(&key).await.expect("readable");
    assert_eq!(queued, None, "{story}");
    if ended.status != TaskStatus::Done {
        assert_eq!(ended.status, TaskStatus::Failed, "{story}");
        assert!(
            ended.error_message.is_some() && ended.image_url.is_none(),
            "{story}"
        );
        return assert_eq!(version(1).await, None, "{story}");
    }
    let image = ended.image_url.as_deref().expect("an image");
    let made = version(1).await.expect("a version");
    assert_eq!(made["task_id"], task.task_id.as_str(), "{story}");
    assert_eq!(made["image_ref"], image, "{story}");
    assert_eq!(
        (ended.version, version(2).await),
        (Some(1), None),
        "{story}"
    );
    let image = ImageRef::parse(image).expect("an image");
    let recorded = shared.table.get_item(&keys::image(&image)).await;
    let recorded = recorded.expect("readable").expect("the image's record");
    assert_eq!(recorded["task_id"], task.task_id.as_str(), "{story}");
    assert_eq!(recorded["version"], 1, "{story}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_task_ends_and_has_its_effect_once() {
    let runs = std::env::var("BLUE_FAAS_CHAOS_RUNS");
    let runs = runs.map_or(RUNS, |text| text.parse().expect("a number"));
    let first = std::env::var("BLUE_FAAS_CHAOS_SEED");
    let first = first.map_or(0, |text| text.parse().expect("a number"));
    let fixture = Fixture::new();
    let ended: Vec<Ended> = futures::stream::iter(first..first + runs)
        .map(|seed| tokio::spawn(run(seed, fixture.platform.clone())))
        .buffer_unordered(SIDE_BY_SIDE)
        .map(|run| run.expect("the run holds"))
        .collect()
        .await;
    let count = |status, fate| {
        let fits = |run: &&Ended| run.status == status && run.fate == fate;
        ended.iter().filter(fits).count()
    };
    // What the service refuses or forgets never succeeds; the rest mostly does, or this would be a test of giving up.
    assert_eq!(count(TaskStatus::Done, Fate::Refused), 0);
    assert_eq!(count(TaskStatus::Done, Fate::Forgotten), 0);
    let made = count(TaskStatus::Done, Fate::Made);
    assert!(
        made * 10 > ended.len() * 5,
        "{made} of {} were made",
        ended.len()
    );
}
