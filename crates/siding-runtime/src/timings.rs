//! Durations, counted by fixed bounds: what a histogram of Prometheus is made of.

use std::time::Duration;

/// So many bounds a histogram has.
const BOUNDS: usize = 14;

/// The upper bounds of a histogram's buckets; what is longer than the last has a bucket of its own.
pub type Bounds = [Duration; BOUNDS];

/// How many durations were no longer than each of some bounds. Whoever keeps it has a lock, so it needs no atomics.
///
/// [`Percentiles`](crate::Percentiles) are for people, who want to know how long; this is for tools that add up the counts of
/// several processes and compare them over time, which takes bounds that are the same everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    bounds: &'static Bounds,
    counts: [u64; BOUNDS + 1],
    sum: Duration,
}

impl Timings {
    /// For requests, and for what they wait for: from half a millisecond to ten seconds.
    pub const SHORT: Bounds = [
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(5),
        Duration::from_secs(10),
    ];
    /// For tasks: from five milliseconds to an hour.
    pub const LONG: Bounds = [
        Duration::from_millis(5),
        Duration::from_millis(25),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(30),
        Duration::from_secs(60),
        Duration::from_secs(300),
        Duration::from_secs(1_800),
        Duration::from_secs(3_600),
    ];

    /// None yet.
    #[must_use]
    pub const fn new(bounds: &'static Bounds) -> Self {
        Self {
            bounds,
            counts: [0; BOUNDS + 1],
            sum: Duration::ZERO,
        }
    }

    /// The bucket of `duration`: the first whose bound it does not exceed, or one beyond the last.
    #[must_use]
    pub fn bucket(bounds: &Bounds, duration: Duration) -> usize {
        bounds.partition_point(|bound| *bound < duration)
    }

    /// Counts one duration.
    pub fn record(&mut self, duration: Duration) {
        self.counts[Self::bucket(self.bounds, duration)] += 1;
        self.sum = self.sum.saturating_add(duration);
    }

    /// Adds what was counted elsewhere: durations of one bucket, or nothing but a sum.
    pub fn add(&mut self, bucket: usize, count: u64, sum: Duration) {
        self.counts[bucket] += count;
        self.sum = self.sum.saturating_add(sum);
    }

    /// Adds what others have counted, by the same bounds.
    pub fn merge(&mut self, others: &Self) {
        for (count, more) in self.counts.iter_mut().zip(others.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(others.sum);
    }

    /// How many durations were no longer than each bound, those of shorter bounds included; `None` stands for no bound, and so
    /// for all of them.
    pub fn cumulative(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        bounds.zip(counts)
    }

    /// How many durations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_for_every_bound_that_it_does_not_exceed() {
        let mut timings = Timings::new(&Timings::SHORT);
        for ms in [1, 3, 60_000] {
            timings.record(Duration::from_millis(ms));
        }
        let cumulative: Vec<_> = timings.cumulative().collect();
        let below = |bound| cumulative.iter().find(|(found, _)| *found == bound);
        for (bound, count) in [
            (Some(Duration::from_micros(500)), 0),
            (Some(Duration::from_millis(1)), 1),
            (Some(Duration::from_millis(5)), 2),
            (Some(Duration::from_secs(10)), 2),
            (None, 3),
        ] {
            assert_eq!(below(bound), Some(&(bound, count)));
        }
        assert_eq!(timings.count(), 3);
        assert_eq!(timings.sum(), Duration::from_millis(60_004));
    }

    #[test]
    fn bounds_ascend() {
        for bounds in [Timings::SHORT, Timings::LONG] {
            assert!(bounds.is_sorted_by(|shorter, longer| shorter < longer));
        }
    }
}
