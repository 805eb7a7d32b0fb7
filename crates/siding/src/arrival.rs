//! When a request arrived, and by when it must be answered.

use std::cell::Cell;
use std::time::{Duration, Instant};

use siding_runtime::RouteId;

/// What the server tells the handler layer about the request that is being polled on this thread.
///
/// It travels in a thread-local for the length of one poll and not in the request's extensions, which would cost
/// every request an allocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// When the request's head was complete.
    pub(crate) at: Instant,
    /// When nobody will wait for the answer any more.
    pub(crate) deadline: Option<Instant>,
    /// Whether a handler was found for the request, so that an empty 404 is the handler's own.
    pub(crate) handled: bool,
    /// The route that was found for it.
    pub(crate) route: Option<RouteId>,
}

thread_local! {
    static CURRENT: Cell<Option<Arrival>> = const { Cell::new(None) };
}

impl Arrival {
    /// A request that arrived now and must be answered within `limit`.
    pub(crate) fn now(limit: Duration) -> Self {
        let at = Instant::now();
        Self {
            at,
            deadline: at.checked_add(limit),
            handled: false,
            route: None,
        }
    }

    /// What is known of the current request. Where a middleware has moved it to a task of its own nothing is: it
    /// arrived just now and has no deadline.
    pub(crate) fn peek() -> Self {
        CURRENT.get().unwrap_or_else(|| Self {
            at: Instant::now(),
            deadline: None,
            handled: false,
            route: None,
        })
    }

    /// Like [`peek`](Self::peek), and takes note that a handler runs for the request.
    pub(crate) fn handle() -> Self {
        let arrival = Self {
            handled: true,
            ..Self::peek()
        };
        CURRENT.set(CURRENT.get().and(Some(arrival)));
        arrival
    }

    /// Takes note of the route that was found for the current request.
    pub(crate) fn at(route: RouteId) {
        let here = |arrival| Self {
            route: Some(route),
            ..arrival
        };
        CURRENT.set(CURRENT.get().map(here));
    }

    /// Makes this the current request of the thread while `poll` runs.
    pub(crate) fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        let outer = CURRENT.replace(Some(*self));
        let _scope = Scope {
            arrival: self,
            outer,
        };
        poll()
    }
}

/// Takes down what was found, and puts the outer request back, also when the poll panics.
struct Scope<'a> {
    arrival: &'a mut Arrival,
    outer: Option<Arrival>,
}

impl Drop for Scope<'_> {
    fn drop(&mut self) {
        if let Some(seen) = CURRENT.replace(self.outer) {
            (self.arrival.handled, self.arrival.route) = (seen.handled, seen.route);
        }
    }
}
