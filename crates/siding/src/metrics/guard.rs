//! What the guard reports, added up. Stalls and moves are rare: a lock does.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::{Event, LaneKind, MoveReason, RouteId};

/// Totals since the start.
#[derive(Debug, Default)]
pub(super) struct GuardFigures {
    totals: Mutex<Totals>,
}

/// One route's moves from one lane to another, for one reason.
pub(super) type MoveKey = (RouteId, &'static str, &'static str, &'static str);

#[derive(Clone, Debug, Default)]
pub(super) struct Totals {
    /// Stalls that have ended and how long they lasted together, by route and verdict.
    pub(super) stalls: BTreeMap<(RouteId, &'static str), (u64, Duration)>,
    /// Stalls that last now.
    pub(super) stalling: u64,
    pub(super) relief_active: usize,
    pub(super) relief_exhausted: u64,
    pub(super) paused: Duration,
    pub(super) moves: BTreeMap<MoveKey, u64>,
}

impl GuardFigures {
    /// Takes an event of the runtime's.
    pub(super) fn observe(&self, event: &Event) {
        match event {
            Event::StallBegan { .. } => self.lock().stalling += 1,
            Event::StallEnded {
                route,
                lasted,
                verdict,
            } => self.lock().stalled(*route, verdict.as_str(), *lasted),
            Event::Relief { active } => self.lock().relief_active = *active,
            Event::ReliefExhausted { .. } => self.lock().relief_exhausted += 1,
            Event::Paused { late } => self.lock().paused += *late,
            Event::Moved {
                route,
                from,
                to,
                reason,
            } => self.lock().moved(*route, *from, *to, *reason),
            // The lanes have counts of their own.
            Event::Advice { .. }
            | Event::Resized { .. }
            | Event::Overload { .. }
            | Event::Refused { .. }
            | Event::DeadlinePassed { .. }
            | Event::ClientGone { .. }
            | Event::Panicked { .. }
            | Event::Killed { .. }
            | Event::Crashed { .. } => {}
        }
    }

    /// The totals now.
    pub(super) fn totals(&self) -> Totals {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Totals {
    fn stalled(&mut self, route: RouteId, verdict: &'static str, lasted: Duration) {
        self.stalling = self.stalling.saturating_sub(1);
        let (stalls, time) = self.stalls.entry((route, verdict)).or_default();
        *stalls += 1;
        *time += lasted;
    }

    fn moved(&mut self, route: RouteId, from: LaneKind, to: LaneKind, reason: MoveReason) {
        let key = (route, from.as_str(), to.as_str(), reason.as_str());
        *self.moves.entry(key).or_default() += 1;
    }
}
