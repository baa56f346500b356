//! What happened in one step of time, as an item and as a sum.

use serde_json::Value;

use super::histogram::{Histogram, bin_of};
use crate::model::figures::Figures;
use crate::port::store::{Item, Key, Update};

/// Counts of one step. Attributes of its item: `count`, `errors`, `duration_us`, `cpu_us`, and `h{bin}` per histogram bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bucket {
    pub count: u64,
    pub errors: u64,
    pub duration_us: u64,
    pub cpu_us: u64,
    pub histogram: Histogram,
}

impl Bucket {
    pub fn record(&mut self, failed: bool, duration_us: u64, cpu_us: u64) {
        self.count += 1;
        self.errors += u64::from(failed);
        self.duration_us += duration_us;
        self.cpu_us += cpu_us;
        self.histogram.add(bin_of(duration_us), 1);
    }

    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.errors += other.errors;
        self.duration_us += other.duration_us;
        self.cpu_us += other.cpu_us;
        self.histogram.merge(&other.histogram);
    }

    pub fn from_item(item: &Item) -> Self {
        let number = |name: &str| item.get(name).and_then(Value::as_f64).unwrap_or_default() as u64;
        let mut bucket = Self {
            count: number("count"),
            errors: number("errors"),
            duration_us: number("duration_us"),
            cpu_us: number("cpu_us"),
            histogram: Histogram::default(),
        };
        for (name, value) in item {
            if let (Some(bin), Some(count)) = (
                name.strip_prefix('h').and_then(|bin| bin.parse().ok()),
                value.as_f64(),
            ) {
                bucket.histogram.add(bin, count as u64);
            }
        }
        bucket
    }

    /// An update that adds this bucket to its item, which lives until `expires_at` (seconds).
    pub fn add_to(&self, key: Key, expires_at: i64) -> Update {
        let mut update = Update::new(key)
            .set("expires_at", expires_at)
            .add("count", self.count as f64);
        for (name, amount) in [
            ("errors", self.errors),
            ("duration_us", self.duration_us),
            ("cpu_us", self.cpu_us),
        ] {
            if amount > 0 {
                update = update.add(name, amount as f64);
            }
        }
        for (bin, count) in self.histogram.iter() {
            update = update.add(&format!("h{bin}"), count as f64);
        }
        update
    }

    pub fn figures(&self) -> Figures {
        Figures {
            invocations: self.count,
            errors: self.errors,
            average_ms: if self.count == 0 {
                0.0
            } else {
                self.duration_us as f64 / self.count as f64 / 1_000.0
            },
            p50_ms: self.histogram.quantile_ms(0.5),
            p95_ms: self.histogram.quantile_ms(0.95),
            p99_ms: self.histogram.quantile_ms(0.99),
            cpu_seconds: self.cpu_us as f64 / 1e6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_reads_back_as_the_bucket_that_made_it() {
        let mut bucket = Bucket::default();
        bucket.record(false, 1_200, 900);
        bucket.record(true, 30_000_000, 5);
        let update = bucket.add_to(Key::new("STAT#x", "5M#0"), 1);
        let item: Item = update
            .add
            .into_iter()
            .map(|(name, amount)| (name, Value::from(amount)))
            .collect();
        assert_eq!(Bucket::from_item(&item), bucket);
    }
}
