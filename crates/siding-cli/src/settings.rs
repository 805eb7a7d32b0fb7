//! How much is measured.

use std::time::Duration;

/// How often and how long each case runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Repetitions of the latency cases, each on a fresh server.
    pub runs: usize,
    /// Pairs of alternating throughput runs.
    pub pairs: usize,
    /// The length of one throughput run.
    pub pair_span: Duration,
    /// Requests for `/bad-pinned`, one after another.
    pub pinned_requests: usize,
    /// How long an idle server is watched.
    pub idle_span: Duration,
    /// Tasks of the workers that are killed.
    pub fleet_tasks: u64,
    /// When to give up on the answers of a peer.
    pub peer_limit: Duration,
}

impl Settings {
    /// What the requirements ask for.
    #[must_use]
    pub fn full(peer_limit: Duration) -> Self {
        Self {
            runs: 3,
            pairs: 10,
            pair_span: Duration::from_secs(3),
            pinned_requests: 20,
            idle_span: Duration::from_secs(10),
            fleet_tasks: 10_000,
            peer_limit,
        }
    }

    /// Enough to see that everything works; too little to judge small differences.
    #[must_use]
    pub fn quick(peer_limit: Duration) -> Self {
        Self {
            runs: 1,
            pairs: 3,
            pair_span: Duration::from_secs(1),
            pinned_requests: 5,
            idle_span: Duration::from_secs(5),
            fleet_tasks: 1_000,
            peer_limit,
        }
    }
}
