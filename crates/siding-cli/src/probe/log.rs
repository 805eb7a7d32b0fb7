//! What the prober saw.

use std::time::{Duration, Instant};

use crate::load::Failures;
use crate::stats::Latencies;

/// One answered or unanswered question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// When it was due, whether or not it could be sent then.
    pub due: Instant,
    /// How much later than `due` the prober itself woke up: the machine's delay, not the server's.
    pub late: Duration,
    /// From `due` until the answer, or until the prober gave up.
    pub latency: Duration,
}

/// All probes of one measurement.
#[derive(Debug, Clone, Default)]
pub struct ProbeLog {
    /// In the order of their answers.
    pub probes: Vec<Probe>,
    /// Those that failed; they are in `probes` too, with the time until they did.
    pub failures: Failures,
    /// How many had no answer when the prober gave up; they are in `probes` too, with the time
    /// that they had waited by then.
    pub unanswered: usize,
}

impl ProbeLog {
    /// Keeps the probes that were due from `from` on, until `to`. Failures are all counted.
    #[must_use]
    pub fn between(mut self, from: Instant, to: Instant) -> Self {
        self.probes.retain(|probe| (from..=to).contains(&probe.due));
        self
    }

    /// Adds the probes of `other`, such as those of another repetition.
    pub fn merge(&mut self, other: Self) {
        self.probes.extend(other.probes);
        self.failures.merge(other.failures);
        self.unanswered += other.unanswered;
    }

    /// The latencies, sorted.
    #[must_use]
    pub fn latencies(&self) -> Latencies {
        self.probes.iter().map(|probe| probe.latency).collect()
    }

    /// The longest that the prober itself was held up, zero without probes.
    #[must_use]
    pub fn late_max(&self) -> Duration {
        self.probes
            .iter()
            .map(|probe| probe.late)
            .max()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(due: Instant, latency_ms: u64) -> Probe {
        Probe {
            due,
            late: Duration::from_millis(latency_ms / 2),
            latency: Duration::from_millis(latency_ms),
        }
    }

    #[test]
    fn keeps_what_was_due_in_the_window() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let log = ProbeLog {
            probes: vec![
                probe(after(0), 1),
                probe(after(10), 2),
                probe(after(20), 300),
            ],
            ..ProbeLog::default()
        };
        let kept = log.between(after(5), after(20));
        assert_eq!(kept.latencies().len(), 2);
        assert_eq!(kept.late_max(), Duration::from_millis(150));
    }
}
