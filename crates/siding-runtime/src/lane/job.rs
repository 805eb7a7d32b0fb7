//! A job: a closure on its way to a lane, and the future of its result.
//!
//! One allocation carries a job through its life: the closure, then the waker of whoever waits, then the result. The
//! lane knows it as [`Work`], the caller as [`Job`], the closure itself as [`CancelToken`](super::CancelToken); the
//! mutex inside is contended only when two of them meet in the same moment.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use super::admission::Waiter;
use super::cancel::{self, Claim};
use super::{JobError, LaneKind};

/// The result of a job, once a lane has run it.
///
/// Dropping it before the job ran makes the lane drop the job unrun. Dropping it while the job runs kills the child process
/// that a function of the process lane runs in; it cannot stop a thread: a job there may ask
/// [`cancelled`](crate::cancelled) and leave by itself, and its result is dropped.
#[must_use = "a job whose future is dropped before it ran is not run at all"]
pub struct Job<R> {
    parcel: Arc<dyn Outcome<R>>,
}

impl<R: Send + 'static> Job<R> {
    /// A job of `f`: one half for the caller, the other for the lane.
    pub(super) fn new<F>(lane: LaneKind, f: F) -> (Self, Arc<dyn Work>)
    where
        F: FnOnce() -> R + Send + 'static,
    {
        let (job, parcel) = Self::parcel(lane, f);
        (job, parcel)
    }

    /// As [`new`](Self::new) for work of any form: the lane that takes it knows how to run it.
    pub(super) fn parcel<F>(lane: LaneKind, f: F) -> (Self, Arc<Parcel<F, R>>)
    where
        F: Send + 'static,
    {
        let parcel = Arc::new(Parcel {
            lane,
            abandoned: AtomicBool::new(false),
            state: Mutex::new(State::Waiting { f, waker: None }),
        });
        let job = Self {
            parcel: Arc::clone(&parcel) as Arc<dyn Outcome<R>>,
        };
        (job, parcel)
    }
}

impl<R> Future for Job<R> {
    type Output = Result<R, JobError>;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.parcel.poll(cx)
    }
}

impl<R> Drop for Job<R> {
    fn drop(&mut self) {
        self.parcel.abandon();
    }
}

impl<R> fmt::Debug for Job<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// What the caller sees of a job.
trait Outcome<R>: Send + Sync {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<R, JobError>>;
    fn abandon(&self);
}

/// What every lane sees of a job.
pub(super) trait Reject: Claim {
    /// Ends the job without running it.
    fn reject(&self, error: JobError);
}

/// What a lane of threads sees of a job.
pub(super) trait Work: Reject {
    /// Runs the closure and hands its result over.
    fn run(self: Arc<Self>) -> Ran;
}

impl<W: Claim + ?Sized> Waiter for Arc<W> {
    fn abandoned(&self) -> bool {
        Claim::abandoned(&**self)
    }
}

/// Called when the caller leaves while the job runs, on the caller's thread.
pub(super) type OnLeave = Arc<dyn Fn() + Send + Sync>;

/// How a closure ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Ran {
    /// It returned.
    Returned,
    /// It panicked with this message.
    Panicked(String),
}

/// A job's one allocation; see the [module](self).
pub(super) struct Parcel<F, R> {
    lane: LaneKind,
    abandoned: AtomicBool,
    state: Mutex<State<F, R>>,
}

/// `Waiting => Running => Done => Taken`, or `Waiting => Done` when the lane rejects it.
enum State<F, R> {
    Waiting {
        f: F,
        waker: Option<Waker>,
    },
    Running {
        waker: Option<Waker>,
        on_leave: Option<OnLeave>,
    },
    Done(Result<R, JobError>),
    Taken,
}

impl<F, R> Parcel<F, R> {
    /// The state is replaced whole, never left half done, so a poisoned lock means nothing.
    fn state(&self) -> MutexGuard<'_, State<F, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `Waiting => Running`: takes the closure out. A caller that leaves from now on is told by way of `on_leave`; one that
    /// left before is seen by whoever asks whether the job is abandoned after this.
    pub(super) fn start(&self, on_leave: Option<OnLeave>) -> Option<F> {
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Waiting { f, waker } => {
                *state = State::Running { waker, on_leave };
                Some(f)
            }
            other => {
                *state = other;
                None
            }
        }
    }

    /// `Waiting | Running => Done`: wakes the caller, or drops the result when the caller has left.
    pub(super) fn finish(&self, result: Result<R, JobError>) {
        let before = std::mem::replace(&mut *self.state(), State::Done(result));
        if let State::Waiting { waker, .. } | State::Running { waker, .. } = before
            && let Some(waker) = waker
        {
            waker.wake();
        }
        self.part_if_abandoned();
    }

    /// Whoever comes second, the lane with its result or the caller with its farewell, drops what is left. A lane that still
    /// runs the job is told, if it wants to be. Both outside of the lock: they run other people's code.
    fn part_if_abandoned(&self) {
        // Acquire: pairs with the release in `abandon`. The lock orders the two sides: if this load misses that store,
        // `abandon` comes to the lock later and finds `Done`.
        if !self.abandoned.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.state();
        let (left, on_leave) = match &*state {
            State::Done(_) => (Some(std::mem::replace(&mut *state, State::Taken)), None),
            State::Running { on_leave, .. } => (None, on_leave.clone()),
            State::Waiting { .. } | State::Taken => (None, None),
        };
        drop(state);
        drop(left);
        if let Some(on_leave) = on_leave {
            on_leave();
        }
    }
}

impl<F: Send, R: Send> Outcome<R> for Parcel<F, R> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<R, JobError>> {
        let mut state = self.state();
        match &mut *state {
            State::Waiting { waker, .. } | State::Running { waker, .. } => {
                match waker {
                    Some(waker) => waker.clone_from(cx.waker()),
                    None => *waker = Some(cx.waker().clone()),
                }
                return Poll::Pending;
            }
            State::Done(_) | State::Taken => {}
        }
        match std::mem::replace(&mut *state, State::Taken) {
            State::Done(result) => Poll::Ready(result),
            State::Waiting { .. } | State::Running { .. } | State::Taken => {
                panic!("a job was polled after it had given its result")
            }
        }
    }

    fn abandon(&self) {
        // Release: pairs with the loads in `part_if_abandoned` and `Claim::abandoned`.
        self.abandoned.store(true, Ordering::Release);
        self.part_if_abandoned();
    }
}

impl<F: Send, R: Send> Claim for Parcel<F, R> {
    fn abandoned(&self) -> bool {
        // Acquire: pairs with the release in `abandon`.
        self.abandoned.load(Ordering::Acquire)
    }
}

impl<F: Send, R: Send> Reject for Parcel<F, R> {
    fn reject(&self, error: JobError) {
        let unrun = self.start(None);
        self.finish(Err(error));
        drop(unrun);
    }
}

impl<F, R> Work for Parcel<F, R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    fn run(self: Arc<Self>) -> Ran {
        let Some(f) = self.start(None) else {
            return Ran::Returned;
        };
        let scope = cancel::enter(Some(Arc::clone(&self) as Arc<dyn Claim>));
        let (result, ran) = match catch_unwind(AssertUnwindSafe(f)) {
            Ok(value) => (Ok(value), Ran::Returned),
            Err(payload) => {
                let message = panic_message(&*payload);
                let error = JobError::Panicked {
                    lane: self.lane,
                    message: message.clone(),
                };
                (Err(error), Ran::Panicked(message))
            }
        };
        drop(scope);
        self.finish(result);
        ran
    }
}

/// The message of a panic, or a note that it had none.
pub(super) fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_owned()
    } else if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else {
        "a panic without a message".to_owned()
    }
}
