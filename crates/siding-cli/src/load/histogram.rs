//! Latencies, counted instead of kept.

use std::time::Duration;

/// Buckets are an exact microsecond wide up to twice this, and from there on a 64th of the power of two below them.
const PER_OCTAVE_BITS: u32 = 6;
/// The longest latency that has a bucket, in microseconds: more than an hour. What is longer is counted there too.
const MICROS_MAX: u64 = u32::MAX as u64;
const BUCKETS: usize = bucket(MICROS_MAX) + 1;

/// How many requests took how long, to within 1.6 %. It allocates when it is made, and never again: recording costs a load
/// generator next to nothing, whatever the rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    counts: Box<[u32]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: vec![0; BUCKETS].into(),
        }
    }
}

impl Histogram {
    /// Counts one request.
    pub fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(MICROS_MAX);
        self.counts[bucket(micros.min(MICROS_MAX))] += 1;
    }

    /// Adds what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// How many requests were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// The latency that at least `percent` per cent of the requests did not exceed (nearest rank), rounded up to the end of
    /// its bucket. `None` of nothing.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = (self.count() * u64::from(percent)).div_ceil(100).max(1);
        let mut below = 0;
        let reached = self.counts.iter().position(|count| {
            below += u64::from(*count);
            below >= rank
        });
        reached.map(|bucket| Duration::from_micros(end_of(bucket)))
    }
}

/// Where a latency is counted.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a count of microseconds that has a bucket fits into 32 bits"
)]
const fn bucket(micros: u64) -> usize {
    let octave = micros.checked_ilog2();
    let shift = match octave {
        Some(octave) => octave.saturating_sub(PER_OCTAVE_BITS),
        None => 0,
    };
    ((shift as usize) << PER_OCTAVE_BITS) + (micros >> shift) as usize
}

/// The longest latency, in microseconds, that `bucket` counts.
const fn end_of(bucket: usize) -> u64 {
    let shift = (bucket >> PER_OCTAVE_BITS).saturating_sub(1);
    let mantissa = bucket - (shift << PER_OCTAVE_BITS);
    ((mantissa as u64 + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for micros in micros {
            histogram.record(Duration::from_micros(micros));
        }
        histogram
    }

    #[test]
    fn every_latency_is_in_the_bucket_that_ends_with_it_or_soon_after() {
        let octaves = (0..32).flat_map(|bits| {
            let power = 1_u64 << bits;
            [power - 1, power, power + power / 3, power + power / 2]
        });
        for micros in octaves.chain(0..5_000) {
            let end = end_of(bucket(micros));
            assert!(
                micros <= end && end - micros <= micros / 64,
                "{micros} {end}"
            );
            let next = end_of(bucket(micros) + 1);
            assert!(next > end, "{micros} {end} {next}");
        }
    }

    #[test]
    fn percentile_is_the_nearest_rank() {
        let hundred = of((1..=100).rev());
        assert_eq!(hundred.count(), 100);
        assert_eq!(hundred.percentile(50), Some(Duration::from_micros(50)));
        assert_eq!(hundred.percentile(99), Some(Duration::from_micros(99)));
        assert_eq!(hundred.percentile(100), Some(Duration::from_micros(100)));
        assert_eq!(of([7]).percentile(1), Some(Duration::from_micros(7)));
        assert_eq!(of([]).percentile(99), None);
    }

    #[test]
    fn merged_is_as_if_counted_together() {
        let mut merged = of([3, 90_000]);
        merged.merge(&of([3, 1_000_000]));
        assert_eq!(merged, of([3, 3, 90_000, 1_000_000]));
    }

    #[test]
    fn what_is_too_long_is_counted_as_the_longest() {
        let longest = Some(Duration::from_micros(MICROS_MAX));
        assert_eq!(of([u64::MAX]).percentile(99), longest);
    }
}
