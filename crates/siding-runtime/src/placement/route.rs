//! One route: what it was declared as, where it runs now, and what was measured.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::placed::Placed;
use crate::context::{RouteId, WorkContext};
use crate::histogram::{Histogram, Percentiles};
use crate::lane::{Job, LaneKind};
use crate::runtime::Lanes;

/// What a handler is by its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An `async fn`, or any function that returns a future.
    Async,
    /// A plain `fn`.
    Plain,
}

/// How a route is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// For people: `GET /users/{id}`.
    pub name: String,
    /// What its handler is.
    pub kind: Kind,
    /// Where it is meant to run.
    pub declared: LaneKind,
    /// Whether it stays there whatever it does.
    pub pinned: bool,
}

/// Why a route changed its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveReason {
    /// Enough evidence to move it.
    Convicted,
    /// It behaved for long enough to try its declared lane again.
    Trial,
}

/// One route of a runtime.
#[derive(Debug)]
pub struct Route {
    id: RouteId,
    spec: RouteSpec,
    lanes: Arc<Lanes>,
    latency: Histogram,
}

impl Route {
    pub(crate) fn new(id: RouteId, spec: RouteSpec, lanes: Arc<Lanes>) -> Self {
        Self {
            id,
            spec,
            lanes,
            latency: Histogram::default(),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> RouteId {
        self.id
    }

    /// How it was declared.
    #[must_use]
    pub fn spec(&self) -> &RouteSpec {
        &self.spec
    }

    /// Runs `future` where this route belongs now: on the event loop, or poll by poll on the lane it was moved to.
    pub fn place<F>(self: &Arc<Self>, deadline: Option<Instant>, future: F) -> Placed<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let context = WorkContext::new(self.id).with_deadline(deadline);
        Placed::new(
            Arc::clone(self),
            context,
            Box::pin(future) as Pin<Box<dyn Future<Output = F::Output> + Send>>,
        )
    }

    /// Runs the plain function `f` where this route belongs now.
    pub fn call<F, R>(self: &Arc<Self>, deadline: Option<Instant>, f: F) -> Job<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let context = WorkContext::new(self.id).with_deadline(deadline);
        self.lanes.threads.run(context, f)
    }

    /// Counts one finished request: how long it took from its first byte to its response.
    pub fn record(&self, latency: std::time::Duration) {
        self.latency.record(latency);
    }

    /// The figures now.
    #[must_use]
    pub fn snapshot(&self) -> RouteSnapshot {
        RouteSnapshot {
            id: self.id,
            spec: self.spec.clone(),
            current: self.spec.declared,
            latency: self.latency.snapshot(),
        }
    }
}

/// A route's figures at one moment.
#[derive(Clone, Debug)]
pub struct RouteSnapshot {
    /// Its id.
    pub id: RouteId,
    /// How it was declared.
    pub spec: RouteSpec,
    /// Where it runs now.
    pub current: LaneKind,
    /// Latency of its requests.
    pub latency: Percentiles,
}
