//! What happened between two samples.

use std::collections::HashMap;

use super::client::Sample;
use super::wire::Lane;

/// What a lane did between two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaneRates {
    /// Jobs that came to their end, per second.
    pub completed: f64,
    /// Jobs that were refused, per second.
    pub refused: f64,
    /// Threads that it has more, or fewer.
    pub grown: i64,
}

/// The rates of everything that was in both samples. A server that started anew has none until its next sample: its counters are
/// below the ones before.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    lanes: HashMap<String, LaneRates>,
    requests: HashMap<u64, f64>,
}

impl Rates {
    /// Compares `now` with what was `before`.
    #[must_use]
    pub fn between(before: &Sample, now: &Sample) -> Self {
        let seconds = now.at.duration_since(before.at).as_secs_f64();
        if seconds <= 0.0 {
            return Self::default();
        }
        let old: HashMap<_, _> = before.lanes.iter().map(|lane| (&lane.name, lane)).collect();
        let lanes = now.lanes.iter().filter_map(|lane| {
            let rates = lane_rates(old.get(&lane.name)?, lane, seconds)?;
            Some((lane.name.clone(), rates))
        });
        let old: HashMap<_, _> = before.routes.iter().map(|r| (r.id, r.requests)).collect();
        let requests = now.routes.iter().filter_map(|route| {
            let rate = per_second(*old.get(&route.id)?, route.requests, seconds)?;
            Some((route.id, rate))
        });
        Self {
            lanes: lanes.collect(),
            requests: requests.collect(),
        }
    }

    /// What lane `name` did.
    #[must_use]
    pub fn lane(&self, name: &str) -> Option<LaneRates> {
        self.lanes.get(name).copied()
    }

    /// Requests per second of route `id`.
    #[must_use]
    pub fn requests(&self, id: u64) -> Option<f64> {
        self.requests.get(&id).copied()
    }
}

fn lane_rates(before: &Lane, now: &Lane, seconds: f64) -> Option<LaneRates> {
    Some(LaneRates {
        completed: per_second(before.completed, now.completed, seconds)?,
        refused: per_second(before.refused, now.refused, seconds)?,
        grown: now.threads.cast_signed() - before.threads.cast_signed(),
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "what happens in a second stays far below 2^52"
)]
fn per_second(before: u64, now: u64, seconds: f64) -> Option<f64> {
    Some(now.checked_sub(before)? as f64 / seconds)
}
