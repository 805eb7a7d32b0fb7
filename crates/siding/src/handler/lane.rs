//! Saying where a handler runs when its signature cannot know.

use std::future::IntoFuture;

use axum::extract::Request;
use siding_runtime::{Job, LaneKind};
use siding_tasks::TaskFunction;

use super::{Declaration, Handler, Prepare, Visit, via};
use crate::background::{BackgroundTask, Work};

/// Declares a handler for the thread lane: `get(threads(f))`. A plain `fn` is there anyway; an `async fn` has each
/// of its polls run there, so that it may block.
#[must_use]
pub fn threads<F>(f: F) -> Threads<F> {
    Threads(f)
}

/// Runs `f` on the compute lane.
///
/// As a handler, `get(compute(f))` declares `f` for the compute lane. In an `async fn`, `compute(|| …).await` runs
/// a closure there and returns its result.
///
/// ```
/// use siding::extract::Path;
/// use siding::{App, Problem, compute, get};
///
/// fn sum(Path(n): Path<u64>) -> String {
///     (0..n).sum::<u64>().to_string()
/// }
///
/// async fn both(Path(n): Path<u64>) -> Result<String, Problem> {
///     let sum = compute(move || (0..n).sum::<u64>()).await?;
///     Ok(sum.to_string())
/// }
///
/// let app: App = App::new("sums")
///     .route("/sum/{n}", get(compute(sum)))
///     .route("/both/{n}", get(both));
/// ```
///
/// # Errors
/// Awaited, it yields a [`JobError`](crate::JobError): the lane refused the job, its deadline passed before it ran,
/// it panicked, or the runtime shut down.
///
/// # Panics
/// When awaited outside a Siding runtime.
///
/// # Cancellation
/// Dropping the future drops a job that still waits; one that runs goes on to its end.
pub fn compute<F>(f: F) -> Compute<F> {
    Compute(f)
}

/// Pins a handler to its declared lane: it is measured and reported, but never moved.
#[must_use]
pub fn pinned<F>(f: F) -> Pinned<F> {
    Pinned(f)
}

/// A handler declared for the thread lane; see [`threads`].
#[derive(Clone, Copy, Debug)]
pub struct Threads<F>(F);

/// A handler declared for the compute lane, or a closure to run there; see [`compute`].
#[derive(Clone, Copy, Debug)]
#[must_use = "does nothing unless it is awaited or routed"]
pub struct Compute<F>(F);

/// A handler that stays where it is declared; see [`pinned`].
#[derive(Clone, Copy, Debug)]
pub struct Pinned<F>(F);

/// Implements [`Handler`], [`BackgroundTask`] and [`TaskFunction`] for a wrapper whose declaration is the one inside after
/// `$change`.
macro_rules! wrapper {
    ($wrapper:ident, |$inner:ident| $change:expr) => {
        #[diagnostic::do_not_recommend]
        impl<F, T, S> Handler<(via::Wrapped, T), S> for $wrapper<F>
        where
            F: Handler<T, S>,
        {
            type Future = F::Future;

            fn declaration() -> Declaration {
                let mut $inner = F::declaration();
                $change;
                $inner
            }

            fn call(self, request: Request, state: S, visit: Visit<'_>) -> Self::Future {
                self.0.call(request, state, visit)
            }

            fn in_child(self) -> Option<Prepare<S>> {
                self.0.in_child()
            }

            #[cfg(feature = "openapi")]
            fn description(&self) -> Option<crate::openapi::Description> {
                self.0.description()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, M> BackgroundTask<(via::Wrapped, M)> for $wrapper<F>
        where
            F: BackgroundTask<M>,
        {
            fn declaration() -> Declaration {
                let mut $inner = F::declaration();
                $change;
                $inner
            }

            fn into_work(self) -> Work {
                self.0.into_work()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, M> TaskFunction<(via::Wrapped, M)> for $wrapper<F>
        where
            F: TaskFunction<M>,
        {
            type Args = F::Args;
            type Output = F::Output;

            fn declaration() -> siding_tasks::Declaration {
                let mut $inner = F::declaration();
                $change;
                $inner
            }

            fn call(&self, call: siding_tasks::Call) -> siding_tasks::Work {
                self.0.call(call)
            }
        }
    };
}

wrapper!(Threads, |inner| inner.lane =
    unless_processes(inner.lane, LaneKind::Threads));
wrapper!(Compute, |inner| inner.lane =
    unless_processes(inner.lane, LaneKind::Compute));
wrapper!(Pinned, |inner| inner.pinned = true);

/// What is inside [`processes`](super::processes) runs there, whatever is around that.
fn unless_processes(inner: LaneKind, lane: LaneKind) -> LaneKind {
    match inner {
        LaneKind::Processes => inner,
        LaneKind::EventLoop | LaneKind::Threads | LaneKind::Compute => lane,
    }
}

impl<F, R> IntoFuture for Compute<F>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    type Output = <Job<R> as Future>::Output;
    type IntoFuture = Job<R>;

    fn into_future(self) -> Job<R> {
        siding_runtime::compute(self.0)
    }
}
