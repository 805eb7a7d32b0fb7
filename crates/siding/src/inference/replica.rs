//! One replica: its breaker, what it has to do, and what became of it.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::breaker::{Breaker, BreakerState, Policy, Shift, Turn};
use super::endpoint::Endpoint;

/// One replica of a service.
#[derive(Debug)]
pub(super) struct Replica {
    pub(super) endpoint: Endpoint,
    pub(super) breaker: Breaker,
    pub(super) outstanding: usize,
    /// Until when it said it was busy.
    pub(super) busy_until: Option<Instant>,
    requests: u64,
    failures: u64,
    ejections: u64,
    last_error: Option<(SystemTime, String)>,
}

/// A replica's figures at one moment. Counts are totals since the start.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReplicaSnapshot {
    /// Its URL, without credentials.
    pub url: Arc<str>,
    /// Whether requests are sent to it.
    pub state: BreakerState,
    /// Requests that were sent and have not ended.
    pub outstanding: usize,
    /// Requests that were sent.
    pub requests: u64,
    /// Of those, how many failed for its fault.
    pub failures: u64,
    /// How often it was left alone after failures.
    pub ejections: u64,
    /// For how long it will still be left alone.
    pub open_for: Option<Duration>,
    /// When it failed last, and why.
    pub last_error: Option<(SystemTime, String)>,
}

impl Replica {
    pub(super) fn new(endpoint: Endpoint, policy: Policy) -> Self {
        Self {
            endpoint,
            breaker: Breaker::new(policy),
            outstanding: 0,
            busy_until: None,
            requests: 0,
            failures: 0,
            ejections: 0,
            last_error: None,
        }
    }

    /// Takes a request, if it takes any.
    pub(super) fn admit(&mut self) -> Option<Turn> {
        let turn = self.breaker.admit()?;
        self.outstanding += 1;
        self.requests += 1;
        Some(turn)
    }

    /// How attractive it is: who says it is busy comes last, who has little to do first.
    pub(super) fn rank(&self, now: Instant) -> (bool, usize) {
        let is_busy = self.busy_until.is_some_and(|until| now < until);
        (is_busy, self.outstanding)
    }

    /// It failed for `why`.
    pub(super) fn failed(&mut self, turn: Turn, why: String, now: Instant) -> Option<Shift> {
        self.failures += 1;
        self.last_error = Some((SystemTime::now(), why));
        let shift = self.breaker.failed(turn, now);
        self.ejections += u64::from(matches!(shift, Some(Shift::Opened(_))));
        shift
    }

    /// The prober found it so.
    pub(super) fn note(&mut self, why: String) {
        self.last_error = Some((SystemTime::now(), why));
    }

    /// What went wrong last, in words.
    pub(super) fn last_words(&self) -> String {
        let last = self.last_error.as_ref().map(|(_, why)| why.as_str());
        format!("{} {}", self.endpoint.name(), last.unwrap_or("takes none"))
    }

    pub(super) fn snapshot(&self, now: Instant) -> ReplicaSnapshot {
        ReplicaSnapshot {
            url: Arc::clone(self.endpoint.name()),
            state: self.breaker.state(),
            outstanding: self.outstanding,
            requests: self.requests,
            failures: self.failures,
            ejections: self.ejections,
            open_for: self
                .breaker
                .open_until()
                .map(|until| until.saturating_duration_since(now)),
            last_error: self.last_error.clone(),
        }
    }
}
