//! A route's figures, for people and tools.

use super::evidence::Evidence;
use super::spec::{Move, RouteSpec};
use crate::context::RouteId;
use crate::histogram::Percentiles;
use crate::lane::LaneKind;

/// A route's figures at one moment. Counts are totals since the start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteSnapshot {
    /// Its id.
    pub id: RouteId,
    /// How it was declared.
    pub spec: RouteSpec,
    /// The lane that placement decided on: the declared one, or the one it was moved to.
    pub settled: LaneKind,
    /// Where its next poll goes: differs from `settled` only while one of its polls stalls the event loop.
    pub lane: LaneKind,
    /// Polls that stalled the event loop.
    pub stalls: u64,
    /// How often it was convicted.
    pub convictions: u32,
    /// What convicted it last.
    pub evidence: Option<Evidence>,
    /// Its latest moves, oldest first.
    pub moves: Vec<Move>,
    /// The latency of its requests.
    pub latency: Percentiles,
    /// What to change in the code, in one or two sentences; `None` while there is nothing to say.
    pub advice: Option<String>,
}

/// Differs as soon as a figure of a route does. It is read without a lock; one that is equal says that a
/// [snapshot](super::Route::snapshot) would tell nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    pub(super) latency_sum_ns: u64,
    pub(super) stalls: u64,
    pub(super) lane: LaneKind,
    /// Moves, and changes of the evidence.
    pub(super) decisions: u64,
}
