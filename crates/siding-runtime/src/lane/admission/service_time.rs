//! How long a job runs, on average.

use std::time::Duration;

/// Each new job weighs one eighth, as in TCP's smoothed round-trip time (RFC 6298).
const WEIGHT: u32 = 8;

/// A moving average of the time that jobs run; the first one sets it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServiceTime {
    mean: Option<Duration>,
}

impl ServiceTime {
    /// Counts a job that ran for `elapsed`.
    pub(super) fn record(&mut self, elapsed: Duration) {
        self.mean = Some(match self.mean {
            Some(mean) => mean - mean / WEIGHT + elapsed / WEIGHT,
            None => elapsed,
        });
    }

    /// The average; zero before the first job has ended.
    pub(super) fn mean(self) -> Duration {
        self.mean.unwrap_or_default()
    }
}
