//! Takes the stacks of convicted polls, not too often, and has them resolved elsewhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::slot::Slot;
use crate::context::RouteId;
use crate::inspect::{Sampler, Symbols, Unknown};
use crate::placement::{Evidence, Route};

/// At most one stack of a route within this time: the signal interrupts `nanosleep`, `poll` and `connect`.
const GAP: Duration = Duration::from_secs(10);

/// The thread answers the signal at once or, asleep where no signal reaches it, not at all.
const PATIENCE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Stacks {
    sampler: Result<Sampler, Unknown>,
    symbols: Symbols,
    taken: HashMap<RouteId, Instant>,
}

impl Stacks {
    pub(super) fn new() -> Self {
        Self {
            sampler: Sampler::install(),
            symbols: Symbols::new(),
            taken: HashMap::new(),
        }
    }

    /// Takes the stack of the thread behind `slot` into `evidence`, and lets `route` publish its advice when that is
    /// complete: with the stack, or with the reason why there is none.
    pub(super) fn take(&mut self, slot: &Slot, route: &Arc<Route>, evidence: &Evidence) {
        let asked = self.capture(slot, route.id()).and_then(|raw| {
            let (route, pending) = (Arc::clone(route), evidence.stack.clone());
            self.symbols.resolve(raw, move |stack| {
                pending.set(Ok(stack));
                route.publish_advice();
            })
        });
        if let Err(unknown) = asked {
            evidence.stack.set(Err(unknown.to_string()));
            route.publish_advice();
        }
        // Only now that nothing is urgent: a library that was loaded since makes this take milliseconds.
        if let Ok(sampler) = &self.sampler {
            sampler.refresh();
        }
    }

    fn capture(
        &mut self,
        slot: &Slot,
        route: RouteId,
    ) -> Result<crate::inspect::RawStack, Unknown> {
        let sampler = self.sampler.as_ref().map_err(Unknown::clone)?;
        let now = Instant::now();
        if self
            .taken
            .get(&route)
            .is_some_and(|taken| now.duration_since(*taken) < GAP)
        {
            return Err(Unknown::because(
                "a stack of this route was taken less than 10 s before",
            ));
        }
        self.taken.insert(route, now);
        sampler.capture(slot.tid(), slot.stack()?, PATIENCE)
    }
}
