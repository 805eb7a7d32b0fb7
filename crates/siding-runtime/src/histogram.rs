//! A histogram of durations that many threads may record into at once.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Sub-buckets for each power of two: the error of a percentile is at most one eighth.
const SUB_BITS: u32 = 3;
const SUBS: usize = 1 << SUB_BITS;
/// The longest duration told apart from longer ones: 2^42 ns, about 73 minutes.
const MAX_BITS: u32 = 42;
const BUCKETS: usize = (MAX_BITS - SUB_BITS + 1) as usize * SUBS;

/// Counts durations in buckets whose width grows with the duration (the layout of HdrHistogram, by Gil Tene).
///
/// Recording is one relaxed increment: counts are never lost, and a reader may see them a moment late.
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64; BUCKETS]>,
    sum_ns: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: Box::new([const { AtomicU64::new(0) }; BUCKETS]),
            sum_ns: AtomicU64::new(0),
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub(crate) fn record(&self, duration: Duration) {
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(ns)].fetch_add(1, Ordering::Relaxed);
        self.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// What all durations sum up to: it changes with every one that is recorded.
    pub(crate) fn sum_ns(&self) -> u64 {
        self.sum_ns.load(Ordering::Relaxed)
    }

    /// The counts now.
    pub(crate) fn counts(&self) -> Counts {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts(self.buckets.iter().map(load).collect())
    }

    /// The percentiles now.
    pub(crate) fn snapshot(&self) -> Percentiles {
        self.counts().percentiles()
    }
}

/// How many durations of each length were recorded until some moment. The difference of two tells of the time between them, and
/// those of several routes can be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts(Vec<u64>);

impl Default for Counts {
    fn default() -> Self {
        Self(vec![0; BUCKETS])
    }
}

impl Counts {
    /// What has been recorded since `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = self.0.iter().zip(&earlier.0);
        Self(pairs.map(|(now, then)| now.saturating_sub(*then)).collect())
    }

    /// Adds those of `other`.
    pub fn add(&mut self, other: &Self) {
        for (sum, count) in self.0.iter_mut().zip(&other.0) {
            *sum += count;
        }
    }

    /// Their percentiles.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        let total = self.0.iter().sum();
        let at = |quantile: f64| Duration::from_nanos(value_at(&self.0, total, quantile));
        Percentiles {
            count: total,
            p50: at(0.50),
            p90: at(0.90),
            p99: at(0.99),
            max: at(1.0),
        }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.snapshot().fmt(f)
    }
}

/// Percentiles of recorded durations; each is exact to one eighth of its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Percentiles {
    /// How many durations were recorded.
    pub count: u64,
    /// The median.
    pub p50: Duration,
    /// 90 % were no longer than this.
    pub p90: Duration,
    /// 99 % were no longer than this.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// The bucket that counts `ns`: values below 8 have their own, later ones share by their top four bits.
fn bucket(ns: u64) -> usize {
    let bits = u64::BITS - ns.leading_zeros();
    if bits <= SUB_BITS {
        return ns as usize;
    }
    let bits = bits.min(MAX_BITS);
    let ns = ns.min((1 << MAX_BITS) - 1);
    let shift = bits - SUB_BITS - 1;
    (shift as usize + 1) * SUBS + ((ns >> shift) as usize - SUBS)
}

/// The largest value that `bucket` counts.
fn upper_bound(bucket: usize) -> u64 {
    let (group, sub) = (bucket / SUBS, bucket % SUBS);
    match group {
        0 => sub as u64,
        _ => (((SUBS + sub + 1) as u64) << (group - 1)) - 1,
    }
}

fn value_at(counts: &[u64], total: u64, quantile: f64) -> u64 {
    let rank = ((total as f64 * quantile).ceil() as u64).max(1);
    let mut seen = 0;
    counts
        .iter()
        .enumerate()
        .find(|(_, count)| {
            seen += **count;
            seen >= rank
        })
        .map_or(0, |(index, _)| upper_bound(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_the_bucket_that_counts_it() {
        for ns in (0..100).chain([1_000, 9_999, 1_000_000, 1_234_567_890, (1 << 42) - 1]) {
            let bucket = bucket(ns);
            assert!(upper_bound(bucket) >= ns, "{ns}");
            assert!(bucket == 0 || upper_bound(bucket - 1) < ns, "{ns}");
            assert!(upper_bound(bucket) <= ns + ns / 8, "{ns}");
        }
    }

    #[test]
    fn absurd_values_share_the_last_bucket() {
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn percentiles_follow_the_counts() {
        let histogram = Histogram::default();
        for ms in 1..=100 {
            histogram.record(Duration::from_millis(ms));
        }
        let percentiles = histogram.snapshot();
        assert_eq!(percentiles.count, 100);
        for (value, ms) in [
            (percentiles.p50, 50),
            (percentiles.p99, 99),
            (percentiles.max, 100),
        ] {
            let exact = Duration::from_millis(ms);
            assert!(
                value >= exact && value <= exact + exact / 8,
                "{value:?} for {exact:?}"
            );
        }
    }

    #[test]
    fn a_difference_tells_of_the_time_between() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_secs(1));
        let before = histogram.counts();
        histogram.record(Duration::from_millis(1));
        let between = histogram.counts().since(&before).percentiles();
        assert_eq!(between.count, 1);
        assert!(between.max < Duration::from_millis(2));
        let mut both = before.clone();
        both.add(&before);
        assert_eq!(both.percentiles().count, 2);
    }

    #[test]
    fn empty_is_zero() {
        assert_eq!(Histogram::default().snapshot(), Percentiles::default());
    }
}
