//! What a report draws of a case.

use super::Requirement;
use crate::server::Kind;

/// One answer to a probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When the probe was due, in seconds since the load began.
    pub at_s: f64,
    /// How long its answer took, in milliseconds.
    pub latency_ms: f64,
}

/// A picture of one case.
#[derive(Debug, Clone, PartialEq)]
pub enum Plot {
    /// Latencies of `/health` over time.
    Health {
        /// The server.
        server: Kind,
        /// All repetitions over one another.
        points: Vec<Point>,
    },
    /// Pairwise ratios of alternating runs.
    Pairs {
        /// What the ratio is of.
        title: String,
        /// In the order of the runs.
        ratios: Vec<f64>,
        /// What their median must be.
        must: Requirement,
    },
}
