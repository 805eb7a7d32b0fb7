//! What a piece of work knows about itself: the route it belongs to and its deadline.

use std::cell::Cell;
use std::time::Instant;

/// Identifies a route (or another named source of work) within one runtime.
///
/// Ids are handed out by [`Routes::register`](crate::Routes::register) and never reused. The first few belong to
/// the framework's own work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub(crate) u32);

impl RouteId {
    /// Connection tasks: parsing, routing, middleware, writing the response.
    pub const CONNECTION: Self = Self(1);
    /// Tasks started with [`spawn`](crate::spawn) outside any route.
    pub const BACKGROUND: Self = Self(2);
    /// Jobs given to a lane from code that belongs to no route.
    pub const OFFLOAD: Self = Self(3);

    /// The id as a number, stable for the life of the process.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// The route and the deadline of the work that runs now; what [`offload`](crate::offload) hands on to its job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkContext {
    /// The route that the work is accounted to.
    pub route: RouteId,
    /// When nobody will wait for the result any more. A job still waiting then is dropped unrun.
    pub deadline: Option<Instant>,
}

impl WorkContext {
    /// A context without a deadline.
    #[must_use]
    pub const fn new(route: RouteId) -> Self {
        Self {
            route,
            deadline: None,
        }
    }

    /// The same context with `deadline`.
    #[must_use]
    pub const fn with_deadline(self, deadline: Option<Instant>) -> Self {
        Self { deadline, ..self }
    }

    /// The context of the guarded poll or job that runs on this thread, if any.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// Makes `context` the current one and returns the one it replaces.
    pub(crate) fn replace(context: Option<Self>) -> Option<Self> {
        CURRENT.replace(context)
    }
}

thread_local! {
    static CURRENT: Cell<Option<WorkContext>> = const { Cell::new(None) };
}
