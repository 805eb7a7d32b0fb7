//! Order statistics: percentiles of latencies, medians of repetitions.

use std::time::Duration;

/// Latencies in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Latencies {
    sorted: Vec<Duration>,
}

impl Latencies {
    /// The smallest latency that at least `percent` per cent of all do not exceed (nearest rank).
    ///
    /// `None` when there are no latencies.
    #[must_use]
    pub fn percentile(&self, percent: u8) -> Option<Duration> {
        let rank = (self.sorted.len() * usize::from(percent)).div_ceil(100);
        self.sorted.get(rank.saturating_sub(1)).copied()
    }

    /// The largest latency, or `None` when there are none.
    #[must_use]
    pub fn max(&self) -> Option<Duration> {
        self.sorted.last().copied()
    }

    /// How many latencies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }
}

impl FromIterator<Duration> for Latencies {
    fn from_iter<I: IntoIterator<Item = Duration>>(latencies: I) -> Self {
        let mut sorted: Vec<_> = latencies.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }
}

/// The middle value, the mean of the two middle ones when their number is even, `None` of nothing.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(sorted[sorted.len() / 2 - 1], upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_to(last: u64) -> Latencies {
        (1..=last).rev().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentile_is_the_nearest_rank() {
        let hundred = one_to(100);
        assert_eq!(hundred.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(hundred.percentile(99), Some(Duration::from_millis(99)));
        assert_eq!(hundred.max(), Some(Duration::from_millis(100)));
    }

    #[test]
    fn percentile_of_few_is_one_of_them() {
        assert_eq!(one_to(1).percentile(1), Some(Duration::from_millis(1)));
        assert_eq!(one_to(3).percentile(99), Some(Duration::from_millis(3)));
    }

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(Latencies::default().percentile(99), None);
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn median_of_odd_and_even_counts() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }
}
