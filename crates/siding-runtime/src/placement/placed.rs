//! A future that runs where its route belongs.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_task::{FallibleTask, Runnable};
use pin_project_lite::pin_project;
use tracing::Span;

use super::route::Route;
use crate::context::WorkContext;
use crate::guard;
use crate::lane::{Job, JobError, LaneKind, Passage};

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The future of [`Route::place`].
///
/// While the route belongs on the event loop, each poll runs in place; so does what a route of the process lane does on this
/// side. At the first poll that does not, the future goes
/// to the other lane as it is, through that lane's admission; each of its polls is then scheduled there, so awaiting
/// costs no thread. It stays on that lane to its end.
///
/// Errors with [`JobError`] when the other lane refused it. A panic of the future unwinds out of the poll, wherever the
/// future ran. Dropping it cancels the work, on whatever lane it is.
pub struct Placed<T> {
    route: Arc<Route>,
    context: WorkContext,
    state: State<T>,
}

enum State<T> {
    /// On the event loop.
    Here(BoxFuture<T>),
    /// On its way: the other lane has not run its first poll there yet.
    Leaving {
        lane: LaneKind,
        admission: Job<()>,
        task: FallibleTask<T>,
    },
    /// On the other lane.
    There {
        lane: LaneKind,
        task: FallibleTask<T>,
    },
    /// Completed, or between two states.
    Gone,
}

impl<T: Send + 'static> Placed<T> {
    pub(super) fn new(route: Arc<Route>, context: WorkContext, future: BoxFuture<T>) -> Self {
        Self {
            route,
            context,
            state: State::Here(future),
        }
    }

    /// Sends `future` to `lane`.
    fn leave(&self, lane: LaneKind, future: BoxFuture<T>) -> State<T> {
        let away = Away {
            route: Arc::clone(&self.route),
            lane,
            context: self.context,
            stretch: Stretch::begin(lane),
            future,
        };
        let (route, context) = (Arc::clone(&self.route), self.context);
        let schedule = move |runnable: Runnable| {
            route.court().lanes.resume(lane, context, move || {
                runnable.run();
            });
        };
        let (first, task) = async_task::Builder::new()
            .propagate_panic(true)
            .spawn(|()| away, schedule);
        let admission = self.route.court().lanes.run(lane, self.context, move || {
            first.run();
        });
        State::Leaving {
            lane,
            admission,
            task: task.fallible(),
        }
    }
}

impl<T: Send + 'static> Future for Placed<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                // ## Here => (Here | Leaving | Gone)
                // In place, as long as the route belongs here.
                State::Here(future) => {
                    let lane = this.route.lane();
                    if matches!(lane, LaneKind::EventLoop | LaneKind::Processes) {
                        let _entered = guard::enter(this.context);
                        return future.as_mut().poll(cx).map(Ok);
                    }
                    if let State::Here(future) = mem::replace(&mut this.state, State::Gone) {
                        this.state = this.leave(lane, future);
                    }
                }
                // ## Leaving => (There | Gone)
                // The first poll on the other lane goes through admission, which may refuse it.
                State::Leaving { admission, .. } => {
                    let admitted = ready!(Pin::new(admission).poll(cx));
                    let left = mem::replace(&mut this.state, State::Gone);
                    if let State::Leaving { lane, task, .. } = left {
                        admitted?;
                        this.state = State::There { lane, task };
                    }
                }
                // ## There => Gone
                // A lane that has shut down drops what it does not run any more.
                State::There { lane, task } => {
                    let lane = *lane;
                    let output = ready!(Pin::new(task).poll(cx));
                    return Poll::Ready(output.ok_or(JobError::ShutDown { lane }));
                }
                State::Gone => panic!("a placed future was polled after it had completed"),
            }
        }
    }
}

impl<T> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Here(_) => "here",
            State::Leaving { .. } => "leaving",
            State::There { .. } => "there",
            State::Gone => "gone",
        };
        f.debug_struct("Placed")
            .field("route", &self.route.spec().name)
            .field("state", &state)
            .finish()
    }
}

pin_project! {
    /// A future on another lane: each poll is measured, and finds the event loop's timers and sockets.
    struct Away<F> {
        route: Arc<Route>,
        lane: LaneKind,
        context: WorkContext,
        stretch: Stretch,
        #[pin]
        future: F,
    }
}

/// A future's time on another lane as spans. Its later polls are the same run: they pass no admission.
struct Stretch {
    waits: Option<Passage>,
    runs: Span,
}

impl Stretch {
    /// It begins to wait for `lane`.
    fn begin(lane: LaneKind) -> Self {
        Self {
            waits: Some(Passage::begin(lane)),
            runs: Span::none(),
        }
    }

    /// The span of a poll.
    fn poll(&mut self) -> &Span {
        if let Some(waited) = self.waits.take() {
            self.runs = waited.run();
        }
        &self.runs
    }
}

impl<F: Future> Future for Away<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _tokio = this.route.court().tokio.enter();
        let _entered = guard::enter(*this.context);
        let future = this.future;
        let _span = this.stretch.poll().enter();
        this.route.measure(*this.lane, || future.poll(cx))
    }
}
