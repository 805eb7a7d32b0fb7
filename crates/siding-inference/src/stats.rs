//! What a model has done, in figures.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use crate::batch::{InferError, Outcome, Waited};

/// The upper bounds of the classes that [`StatsSnapshot::batch_rows`] counts; the last class has none.
pub const BATCH_ROWS: [u64; 8] = [1, 2, 4, 8, 16, 32, 64, 128];

/// The counters of one version of a model. All are totals since it was loaded, and only ever added to: Relaxed will do.
#[derive(Debug, Default)]
pub struct Stats {
    succeeded: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    batches: AtomicU64,
    rows: AtomicU64,
    queue_ns: AtomicU64,
    compute_ns: AtomicU64,
    batch_rows: [AtomicU64; BATCH_ROWS.len() + 1],
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatsSnapshot {
    /// Requests that have their outputs.
    pub succeeded: u64,
    /// Requests whose run failed.
    pub failed: u64,
    /// Requests refused because too many waited.
    pub refused: u64,
    /// Requests whose deadline passed before they had their outputs.
    pub late: u64,
    /// Runs.
    pub batches: u64,
    /// Rows that were run.
    pub rows: u64,
    /// The time that requests waited before their run, added up.
    pub queue_time: Duration,
    /// The time that runs took, added up; waiting for the compute lane is part of it.
    pub compute_time: Duration,
    /// Runs by their number of rows; see [`BATCH_ROWS`].
    pub batch_rows: [u64; BATCH_ROWS.len() + 1],
}

impl Stats {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> StatsSnapshot {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            succeeded: of(&self.succeeded),
            failed: of(&self.failed),
            refused: of(&self.refused),
            late: of(&self.late),
            batches: of(&self.batches),
            rows: of(&self.rows),
            queue_time: Duration::from_nanos(of(&self.queue_ns)),
            compute_time: Duration::from_nanos(of(&self.compute_ns)),
            batch_rows: std::array::from_fn(|class| of(&self.batch_rows[class])),
        }
    }

    /// A request was answered. Who has left is not.
    pub(crate) fn ended(&self, outcome: &Outcome) {
        let counter = match outcome {
            Ok(_) => &self.succeeded,
            Err(InferError::Overloaded { .. }) => &self.refused,
            Err(InferError::DeadlinePassed { .. }) => &self.late,
            Err(InferError::Failed(_) | InferError::Panicked | InferError::Unloaded) => {
                &self.failed
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// A batch was run.
    pub(crate) fn ran(&self, batch: &[Waited], begun: Instant, took: Duration) {
        let add = |counter: &AtomicU64, count: u64| {
            counter.fetch_add(count, Ordering::Relaxed);
        };
        let rows = count(batch.iter().map(Waited::rows).sum());
        let waited: Duration = batch
            .iter()
            .map(|waited| begun.saturating_duration_since(waited.since()))
            .sum();
        add(&self.batches, 1);
        add(&self.rows, rows);
        add(&self.queue_ns, nanoseconds(waited));
        add(&self.compute_ns, nanoseconds(took));
        let class = BATCH_ROWS.iter().position(|bound| rows <= *bound);
        add(&self.batch_rows[class.unwrap_or(BATCH_ROWS.len())], 1);
    }
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
