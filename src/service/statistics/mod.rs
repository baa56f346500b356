//! Counts and durations over sliding windows, from counters per minute, five minutes and hour.
//!
//! Invariant: a scope's windows in memory equal what the store holds. Where the store is exclusive they change under the same lock as the
//! write they follow. Elsewhere only what nobody counts in any more is kept, and every read asks the store for the rest.

mod bucket;
mod histogram;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::error::Result;
use crate::model::figures::{Figures, Point};
use crate::model::id::{FunctionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::port::keys;
use crate::port::store::{Query, SortRange, Update};
use crate::port::versions::Versions;

pub use bucket::Bucket;

use super::table::Table;

const MINUTE: i64 = 60;
const STEP: i64 = 300;
const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;
/// The lengths of counters in seconds, by their names in keys.
pub(in crate::service) const STEPS: [(&str, i64); 3] = [("1M", MINUTE), ("5M", STEP), ("1H", HOUR)];
/// A call is counted in the step it began in: for longer than this after it nothing is, timeouts, retries and other clocks included.
const UNSETTLED: i64 = 30 * MINUTE;
/// Items that a counter is spread over where several servers count.
pub(in crate::service) const SHARDS: u16 = 16;
/// Scopes kept in memory at most; beyond, they are read again when asked for.
const MAX_SCOPES: usize = 20_000;
/// Stands for all scopes in [`Statistics::version`].
const EVERY_SCOPE: &str = "";

/// The beginning of the step of this length that a second is in.
pub(in crate::service) fn step_of(second: i64, length: i64) -> i64 {
    second.div_euclid(length) * length
}

/// What counters are about: a function, or a workspace's functions together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scope(String);

impl Scope {
    pub fn function(id: &FunctionId) -> Self {
        Self(keys::function_partition(id))
    }

    pub fn workspace(id: &WorkspaceId) -> Self {
        Self(keys::workspace_partition(id))
    }

    pub fn partition(&self) -> String {
        keys::statistics_partition(&self.0)
    }
}

/// One call, as the counters see it.
#[derive(Clone, Copy, Debug)]
pub struct Measurement {
    pub at: Timestamp,
    pub failed: bool,
    pub duration_us: u64,
    pub cpu_us: u64,
}

/// The last day of one scope in five-minute steps.
#[derive(Clone, Default)]
struct Window {
    buckets: BTreeMap<i64, Bucket>,
    /// Figures of the last 24 hours and the step they are for; dropped by every change.
    day: Option<(i64, Figures)>,
    /// Where other servers count as well: buckets that start before this are counted out.
    settled: i64,
}

impl Window {
    /// Totals of the day that begins at this step.
    fn figures(&mut self, from: i64) -> Figures {
        match self.day {
            Some((of, figures)) if of == from => figures,
            _ => {
                let figures = sum(self.buckets.range(from..)).figures();
                self.day = Some((from, figures));
                figures
            }
        }
    }

    fn series(&self, seconds: i64, step: i64) -> Vec<Point> {
        let end = step_of(Timestamp::now().seconds(), step) + step;
        (0..seconds / step)
            .map(|index| {
                let start = end - seconds + index * step;
                let bucket = sum(self.buckets.range(start..start + step));
                Point {
                    start: Timestamp::from_seconds(start),
                    invocations: bucket.count,
                    errors: bucket.errors,
                    cpu_seconds: bucket.cpu_us as f64 / 1e6,
                    p95_ms: bucket.histogram.quantile_ms(0.95),
                }
            })
            .collect()
    }

    fn last_activity(&self) -> Option<Timestamp> {
        let newest = self.buckets.keys().next_back();
        newest.map(|start| Timestamp::from_seconds(*start))
    }
}

/// A day of one scope.
#[derive(Clone, Debug)]
pub struct Day {
    pub figures: Figures,
    /// Oldest first, the running step last.
    pub series: Vec<Point>,
    /// When it was last called, to five minutes.
    pub last_activity: Option<Timestamp>,
}

pub struct Statistics {
    table: Table,
    /// Which of a counter's items this server adds to: servers that share a table stay out of each other's transactions.
    shard: u16,
    windows: Mutex<HashMap<Scope, Window>>,
    /// Of the windows, by scope.
    versions: Versions,
    /// Held while counters are written and the windows follow, and while a window is read from the store.
    writing: tokio::sync::Mutex<()>,
}

impl Statistics {
    pub fn new(table: Table) -> Arc<Self> {
        let shard = if table.is_exclusive() {
            0
        } else {
            rand::random_range(0..SHARDS)
        };
        Arc::new(Self {
            table,
            shard,
            windows: Mutex::default(),
            versions: Versions::default(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    pub(in crate::service) fn shard(&self) -> u16 {
        self.shard
    }

    fn windows(&self) -> MutexGuard<'_, HashMap<Scope, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The updates that count these measurements: five-minute and hour counters, and minute counters for a function's CPU chart.
    pub fn updates(&self, scope: &Scope, measurements: &[Measurement]) -> Vec<Update> {
        let mut steps: BTreeMap<(&str, i64), Bucket> = BTreeMap::new();
        for measurement in measurements {
            for (name, length) in STEPS {
                let start = step_of(measurement.at.seconds(), length);
                steps.entry((name, start)).or_default().record(
                    measurement.failed,
                    measurement.duration_us,
                    measurement.cpu_us,
                );
            }
        }
        steps
            .into_iter()
            .map(|((name, start), bucket)| {
                let kept = match name {
                    "1M" => 2 * HOUR,
                    "5M" => 8 * DAY,
                    _ => 35 * DAY,
                };
                bucket.add_to(
                    keys::statistics(&scope.0, name, start, self.shard),
                    start + kept,
                )
            })
            .collect()
    }

    /// Runs `write`, then lets the windows in memory follow it where they are whole. `write` must store [`Self::updates`] of the same measurements.
    pub async fn record<F: Future<Output = Result<bool>>>(
        &self,
        counted: &[(Scope, Vec<Measurement>)],
        write: F,
    ) -> Result<bool> {
        if !self.table.is_exclusive() {
            return write.await;
        }
        let _guard = self.writing.lock().await;
        let written = write.await?;
        if written {
            let mut windows = self.windows();
            self.versions.change(EVERY_SCOPE);
            for (scope, measurements) in counted {
                self.versions.change(&scope.0);
                let Some(window) = windows.get_mut(scope) else {
                    continue;
                };
                window.day = None;
                for measurement in measurements {
                    let start = step_of(measurement.at.seconds(), STEP);
                    window.buckets.entry(start).or_default().record(
                        measurement.failed,
                        measurement.duration_us,
                        measurement.cpu_us,
                    );
                }
            }
        }
        Ok(written)
    }

    /// Another one when figures of this scope, or of any when there is none, may be others than before: by a call or as time went on.
    /// Means nothing unless the table is exclusive.
    pub fn version(&self, scope: Option<&Scope>) -> [u64; 2] {
        let step = Timestamp::now().seconds().div_euclid(STEP).unsigned_abs();
        let calls = scope.map_or_else(
            || self.versions.of(EVERY_SCOPE),
            |scope| self.versions.of(&scope.0),
        );
        [calls, step]
    }

    async fn load(&self, scope: &Scope, from: i64) -> Result<BTreeMap<i64, Bucket>> {
        let mut query = Query {
            pk: scope.partition(),
            range: SortRange::Between(format!("5M#{from:012}"), "5M#~".to_owned()),
            forward: true,
            limit: 1_000,
            after: None,
        };
        let mut buckets: BTreeMap<i64, Bucket> = BTreeMap::new();
        loop {
            let page = self.table.page(&query).await?;
            for (key, item) in &page.items {
                if let Some(start) = key
                    .sk
                    .split('#')
                    .nth(1)
                    .and_then(|start| start.parse().ok())
                {
                    buckets
                        .entry(start)
                        .or_default()
                        .merge(&Bucket::from_item(item));
                }
            }
            if page.next.is_none() {
                return Ok(buckets);
            }
            query.after = page.next;
        }
    }

    /// Calls `read` with the scope's buckets of at least the last day.
    async fn with_day<T>(&self, scope: &Scope, read: impl Fn(&mut Window, i64) -> T) -> Result<T> {
        let now = Timestamp::now().seconds();
        // The window's edge lies on a step: at most five minutes more than a day are counted.
        let from = step_of(now - DAY, STEP);
        if !self.table.is_exclusive() {
            let mut window = self.shared_window(scope, from, now).await?;
            return Ok(read(&mut window, from));
        }
        if let Some(window) = self.windows().get_mut(scope) {
            window.buckets = if window
                .buckets
                .keys()
                .next()
                .is_some_and(|first| *first < from)
            {
                window.buckets.split_off(&from)
            } else {
                std::mem::take(&mut window.buckets)
            };
            return Ok(read(window, from));
        }
        let _guard = self.writing.lock().await;
        let mut window = Window {
            buckets: self.load(scope, from).await?,
            ..Window::default()
        };
        let answer = read(&mut window, from);
        self.keep(scope, window);
        Ok(answer)
    }

    /// Where other servers count as well. What may still be counted in is read each time, the hours before it once.
    async fn shared_window(&self, scope: &Scope, from: i64, now: i64) -> Result<Window> {
        let known = self.windows().get(scope).map(|window| {
            let settled = window.buckets.range(from..window.settled.max(from));
            let settled = settled.map(|(start, bucket)| (*start, bucket.clone()));
            (window.settled, settled.collect::<BTreeMap<_, _>>())
        });
        let (since, mut buckets) = known
            .filter(|(settled, _)| *settled > from)
            .unwrap_or((from, BTreeMap::new()));
        buckets.extend(self.load(scope, since).await?);
        let window = Window {
            buckets,
            day: None,
            settled: step_of(now - UNSETTLED, STEP),
        };
        self.keep(scope, window.clone());
        Ok(window)
    }

    fn keep(&self, scope: &Scope, window: Window) {
        let mut windows = self.windows();
        if windows.len() >= MAX_SCOPES {
            windows.clear();
        }
        windows.insert(scope.clone(), window);
    }

    /// Totals of the last 24 hours.
    pub async fn day(&self, scope: &Scope) -> Result<Figures> {
        self.with_day(scope, Window::figures).await
    }

    /// The last 24 hours, with steps of `step` seconds, from one reading.
    pub async fn day_in_steps(&self, scope: &Scope, step: i64) -> Result<Day> {
        self.with_day(scope, |window, from| Day {
            figures: window.figures(from),
            series: window.series(DAY, step),
            last_activity: window.last_activity(),
        })
        .await
    }

    /// The last `seconds` (at most a day) in steps of `step` seconds (a multiple of 300), oldest first, the running step last.
    pub async fn series(&self, scope: &Scope, seconds: i64, step: i64) -> Result<Vec<Point>> {
        self.with_day(scope, |window, _| window.series(seconds, step))
            .await
    }

    /// Totals of the last `seconds`, at most a day.
    pub async fn last(&self, scope: &Scope, seconds: i64) -> Result<Figures> {
        let from = step_of(Timestamp::now().seconds() - seconds, STEP);
        self.with_day(scope, |window, _| {
            sum(window.buckets.range(from..)).figures()
        })
        .await
    }

    /// Forgets a scope and deletes its counters.
    pub async fn delete(&self, scope: &Scope) -> Result<()> {
        let _guard = self.writing.lock().await;
        self.windows().remove(scope);
        self.versions.change_all();
        self.table.delete_partition(&scope.partition(), "").await
    }
}

fn sum<'a>(buckets: impl Iterator<Item = (&'a i64, &'a Bucket)>) -> Bucket {
    let mut total = Bucket::default();
    for (_, bucket) in buckets {
        total.merge(bucket);
    }
    total
}
