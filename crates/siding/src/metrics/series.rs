//! A histogram that many threads count into at once.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use siding_runtime::Timings;

/// More threads than this at the same moment are rare, and each shard costs every series 128 bytes.
const SHARDS_MAX: usize = 16;
const BUCKETS: usize = Timings::SHORT.len() + 1;

/// Counts durations by [`Timings::SHORT`].
///
/// Each thread has its shard, and a shard two cache lines to itself, so that counting is two additions that hardly ever meet
/// another thread's. A reader may see them a moment late.
#[derive(Debug)]
pub(super) struct Series {
    shards: Box<[Shard]>,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    counts: [AtomicU64; BUCKETS],
    sum_ns: AtomicU64,
}

impl Series {
    /// Without a duration.
    pub(super) fn new() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shards = threads.next_power_of_two().min(SHARDS_MAX);
        Self {
            shards: (0..shards).map(|_| Shard::default()).collect(),
        }
    }

    /// Counts one duration.
    pub(super) fn record(&self, duration: Duration) {
        let shard = &self.shards[this_thread() % self.shards.len()];
        let ns = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Relaxed: each is a total of its own.
        shard.counts[Timings::bucket(&Timings::SHORT, duration)].fetch_add(1, Ordering::Relaxed);
        shard.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// The counts now.
    pub(super) fn timings(&self) -> Timings {
        let mut timings = Timings::new(&Timings::SHORT);
        for shard in &self.shards {
            for (bucket, count) in shard.counts.iter().enumerate() {
                timings.add(bucket, count.load(Ordering::Relaxed), Duration::ZERO);
            }
            let sum = Duration::from_nanos(shard.sum_ns.load(Ordering::Relaxed));
            timings.add(0, 0, sum);
        }
        timings
    }
}

/// The number of the calling thread, in the order in which they first ask.
fn this_thread() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_threads_count_comes_together() {
        let series = Series::new();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for ms in 0..100 {
                        series.record(Duration::from_millis(ms));
                    }
                });
            }
        });
        let timings = series.timings();
        assert_eq!(timings.count(), 400);
        assert_eq!(timings.sum(), 4 * Duration::from_millis(99 * 100 / 2));
    }
}
