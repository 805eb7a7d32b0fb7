//! Takes the stacks of convicted polls, not too often, and has them resolved elsewhere.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::slot::Slot;
use crate::context::RouteId;
use crate::inspect::{Activity, RawStack, Sampler, Symbols, ThreadProbe, Unknown, Walked};
use crate::placement::{Evidence, PendingStack, Route, Verdict};

/// At most one stack of a route within this time: the signal interrupts `nanosleep`, `poll` and `connect`.
const GAP: Duration = Duration::from_secs(10);

/// The thread answers the signal at once or, asleep where no signal reaches it, not at all. Without optimisation its walk takes tens of
/// milliseconds, and the monitor, which waits meanwhile, sees other stalls so much later: only development pays for that.
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 100 } else { 5 });

#[derive(Debug)]
pub(super) struct Stacks {
    sampler: Result<Sampler, Unknown>,
    symbols: Symbols,
    taken: HashMap<RouteId, Taken>,
}

/// The last stack of a route.
#[derive(Debug)]
struct Taken {
    at: Instant,
    verdict: Verdict,
    stack: PendingStack,
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
        let asked = self
            .recent(evidence)
            .unwrap_or_else(|| self.ask(slot, route, evidence));
        if let Err(unknown) = asked {
            evidence.stack.set(Err(unknown.to_string()));
            route.publish_advice();
        }
        // Only now that nothing is urgent: a library that was loaded since makes this take milliseconds.
        if let Ok(sampler) = &self.sampler {
            sampler.refresh();
        }
    }

    /// Makes do with the route's last stack if that is too fresh for another, and if it shows the same cause.
    fn recent(&self, evidence: &Evidence) -> Option<Result<(), Unknown>> {
        let last = self.taken.get(&evidence.route)?;
        if last.at.elapsed() >= GAP {
            return None;
        }
        let known = last
            .stack
            .get()
            .filter(|_| last.verdict.has_the_cause_of(&evidence.verdict));
        if let Some(stack) = known {
            evidence.stack.set(stack.clone());
            return Some(Ok(()));
        }
        Some(Err(Unknown::because(
            "a stack of this route was taken less than 10 s before",
        )))
    }

    fn ask(&mut self, slot: &Slot, route: &Arc<Route>, evidence: &Evidence) -> Result<(), Unknown> {
        let sampler = self.sampler.as_ref().map_err(Unknown::clone)?;
        let (verdict, stack) = (evidence.verdict.clone(), evidence.stack.clone());
        self.taken.insert(
            evidence.route,
            Taken {
                at: Instant::now(),
                verdict,
                stack,
            },
        );
        let raw = stack_of(slot, *sampler)?;
        let (route, pending) = (Arc::clone(route), evidence.stack.clone());
        self.symbols.resolve(raw, move |stack| {
            pending.set(Ok(stack));
            route.publish_advice();
        })
    }
}

/// The stack of the thread behind `slot`: from outside while it is blocked, or by a signal, which would cost some calls their result.
fn stack_of(slot: &Slot, sampler: Sampler) -> Result<RawStack, Unknown> {
    let (probe, bounds) = (ThreadProbe::open(slot.tid()), slot.stack()?);
    let activity = probe.activity();
    let Ok(Activity::InSyscall(call)) = &activity else {
        return sampler.capture(slot.tid(), bounds, PATIENCE);
    };
    let walked = sampler.walk_blocked(bounds, call)?;
    // What was read belongs together if the thread has stayed where it was.
    let stayed = probe.activity() == activity;
    match walked {
        Walked::Whole(stack) if stayed => Ok(stack),
        Walked::Part(stack) if stayed && call.is_cut_short_by_signals() => Ok(stack),
        _ if call.is_cut_short_by_signals() => Err(Unknown::because(
            "the thread went on while its stack was read",
        )),
        _ => sampler.capture(slot.tid(), bounds, PATIENCE),
    }
}
