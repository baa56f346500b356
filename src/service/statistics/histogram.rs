//! Durations in bins that grow by a fifth: mergeable, with a relative error of at most 10 %.

use std::collections::BTreeMap;

/// Each bin's upper bound is this times the one before; a bin's middle is within (1.2 − 1) / (1.2 + 1) = 9.1 % of all in it.
const GROWTH: f64 = 1.2;
/// Upper bound of bin 0, in microseconds.
const FIRST_BOUND: f64 = 100.0;
/// Holds 900 s: 100 µs × 1.2^88.
const LAST_BIN: u8 = 90;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    bins: BTreeMap<u8, u64>,
}

/// The bin of a duration in microseconds.
pub fn bin_of(micros: u64) -> u8 {
    let ratio = micros as f64 / FIRST_BOUND;
    if ratio <= 1.0 {
        0
    } else {
        (ratio.ln() / GROWTH.ln()).ceil().min(f64::from(LAST_BIN)) as u8
    }
}

/// Microseconds in the middle of a bin.
fn middle_of(bin: u8) -> f64 {
    let upper = FIRST_BOUND * GROWTH.powi(i32::from(bin));
    2.0 * upper / (GROWTH + 1.0)
}

impl Histogram {
    pub fn add(&mut self, bin: u8, count: u64) {
        *self.bins.entry(bin.min(LAST_BIN)).or_default() += count;
    }

    pub fn merge(&mut self, other: &Self) {
        for (bin, count) in &other.bins {
            *self.bins.entry(*bin).or_default() += count;
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (u8, u64)> + '_ {
        self.bins.iter().map(|(bin, count)| (*bin, *count))
    }

    /// Milliseconds below which this share of the durations lie; 0 without any.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        let total: u64 = self.bins.values().sum();
        let rank = ((total as f64 * quantile).ceil() as u64).max(1);
        let mut seen = 0;
        for (bin, count) in &self.bins {
            seen += count;
            if seen >= rank {
                return middle_of(*bin) / 1_000.0;
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_tenth() {
        for micros in [
            150_u64,
            1_000,
            2_345,
            99_999,
            1_000_000,
            29_000_000,
            890_000_000,
        ] {
            let mut histogram = Histogram::default();
            histogram.add(bin_of(micros), 1);
            let answer = histogram.quantile_ms(0.95) * 1_000.0;
            assert!(
                (answer - micros as f64).abs() / micros as f64 <= 0.1,
                "{micros} became {answer}"
            );
        }
    }

    #[test]
    fn merging_is_adding() {
        let (mut left, mut right, mut both) = (
            Histogram::default(),
            Histogram::default(),
            Histogram::default(),
        );
        for micros in 1..2_000_u64 {
            if micros % 3 == 0 {
                left.add(bin_of(micros * 50), 1);
            } else {
                right.add(bin_of(micros * 50), 1);
            }
            both.add(bin_of(micros * 50), 1);
        }
        left.merge(&right);
        assert_eq!(left, both);
        assert!((left.quantile_ms(0.5) - 50.0).abs() < 5.0);
    }

    #[test]
    fn without_durations_a_quantile_is_zero() {
        assert!(Histogram::default().quantile_ms(0.99).abs() < f64::EPSILON);
    }
}
