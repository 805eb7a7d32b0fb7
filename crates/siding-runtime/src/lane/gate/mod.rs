//! A gate: permits for work that is done elsewhere, waited for as in a lane.
//!
//! # What passes here
//! Work that takes no thread of this process while it lasts: requests to a service that can do so many at a time.
//!
//! # Bound
//! Two: so many permits, and so many who wait for one. A good number of permits is what the other side does at a time; a good number
//! of waiting places is what it can do within the deadline of those who wait.
//!
//! # When full
//! As in every lane ([`admission`](super::admission)): who finds every place taken is refused at once, and when waiting has been long
//! for long, the newest goes first and the oldest are refused. A refusal says when to come back.
//!
//! # Cancellation
//! Dropping an [`Entering`] gives its place up, and a permit that it was given a moment ago goes to the next. Deadlines are looked
//! at when a permit comes free; who waits should watch its own.
//!
//! # Shutdown
//! There is none: the gate has no threads, and ends with the last handle to it.
//!
//! # Not for
//! Work of this process's own: that has lanes.
//!
//! # Invariants
//! 1. `free` permits, and those that were given and not dropped, are as many as there were.
//! 2. While somebody alive waits, no permit is free.
//! 3. A ticket's lock is taken inside of the gate's, never the other way round; no waker runs and no caller's value is dropped in either.

#[cfg(test)]
mod tests;
mod ticket;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use self::ticket::{Admitted, Ticket};
use super::admission::{Admission, Dropped, Findings, Next, Staff};
use super::{LaneKind, RefusalReason};
use crate::context::{RouteId, WorkContext};

/// Lets so many in at a time, and so many wait, for work that takes no thread of this process while it lasts: requests to a service that
/// can do so many at once.
///
/// Who finds every place taken is refused at once. When waiting has been long for long, the newest goes first and the oldest are
/// refused, as in every lane. Clones are cheap and are one gate.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

/// The right to do one piece of work, until it is dropped.
#[derive(Debug)]
#[must_use = "the work counts as done when this is dropped"]
pub struct Permit {
    shared: Arc<Shared>,
    since: Instant,
}

/// A place in the queue of a gate, and the future of its [`Permit`]; see [`Gate::enter`].
#[derive(Debug)]
#[must_use = "dropping it gives the place up"]
pub struct Entering {
    shared: Arc<Shared>,
    ticket: Arc<Ticket>,
}

/// Why a gate gave no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It was refused, at once or after it had waited.
    #[error("refused: {}", match .reason {
        RefusalReason::Full => "every waiting place is taken",
        RefusalReason::Overloaded => "it had waited too long in a queue that does not come down",
    })]
    Refused {
        /// Why.
        reason: RefusalReason,
        /// When trying again is likely to succeed.
        retry_after: Duration,
    },
    /// Its deadline passed before a permit came free.
    #[error("the deadline passed after it had waited for {waited:?}")]
    DeadlinePassed {
        /// How long it waited.
        waited: Duration,
    },
}

/// A gate's figures at one moment. Counts are totals since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateSnapshot {
    /// Permits that there are.
    pub permits: usize,
    /// Of those, how many are taken.
    pub running: usize,
    /// How many wait for one.
    pub waiting: usize,
    /// How many may wait at the same time.
    pub waiting_max: usize,
    /// Whether waiting has been too long for a whole interval.
    pub overloaded: bool,
    /// Those that were let in or could wait.
    pub admitted: u64,
    /// Those that were refused, at once or after waiting.
    pub refused: u64,
    /// The mean time that a permit is held, recent ones weighing more.
    pub service_time: Duration,
}

#[derive(Debug)]
struct Shared {
    permits: usize,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    admission: Admission<Arc<Ticket>, Infallible>,
    free: usize,
}

impl Gate {
    /// A gate with `permits`, for which `waiting_max` may wait. A good number of permits is what the other side does at a time; a good
    /// number of waiting places is what it can do within the deadline of those who wait.
    ///
    /// # Panics
    /// When there are no permits.
    #[must_use]
    pub fn new(permits: usize, waiting_max: usize) -> Self {
        assert!(permits > 0, "a gate needs at least 1 permit");
        let queue = Queue {
            admission: Admission::new(waiting_max),
            free: permits,
        };
        let shared = Shared {
            permits,
            queue: Mutex::new(queue),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes a place in the queue now, whose permit is to be awaited.
    pub fn enter(&self, deadline: Option<Instant>) -> Entering {
        let ticket = Arc::new(Ticket::default());
        self.shared.offer(&ticket, deadline);
        Entering {
            shared: Arc::clone(&self.shared),
            ticket,
        }
    }

    /// Its figures.
    #[must_use]
    pub fn snapshot(&self) -> GateSnapshot {
        let queue = self.shared.lock();
        // The queue does not know whose it is, and the name is not passed on.
        let figures = queue.admission.snapshot(LaneKind::EventLoop);
        GateSnapshot {
            permits: self.shared.permits,
            running: self.shared.permits - queue.free,
            waiting: figures.waiting,
            waiting_max: figures.waiting_max,
            overloaded: figures.overloaded,
            admitted: figures.admitted,
            refused: figures.refused,
            service_time: figures.service_time,
        }
    }
}

impl Shared {
    fn offer(&self, ticket: &Arc<Ticket>, deadline: Option<Instant>) {
        let context = WorkContext::current().unwrap_or(WorkContext::new(RouteId::OFFLOAD));
        let context = context.with_deadline(deadline);
        let now = now();
        let mut queue = self.lock();
        let staff = Staff {
            threads: self.permits,
            free: queue.free,
        };
        let work = Arc::clone(ticket);
        let (offered, findings) = queue.admission.offer(work, context, now, staff);
        let mut wakers = Vec::new();
        settle(findings, now, &mut wakers);
        if let Err(away) = offered {
            wakers.extend(ticket.turn_away(GateError::Refused {
                reason: away.reason,
                retry_after: away.retry_after,
            }));
        }
        self.hand_out(&mut queue, now, &mut wakers);
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Takes back a permit that was held for `held`; none of those that nobody came for is counted in the service time.
    fn release(&self, held: Option<Duration>) {
        let now = now();
        let mut queue = self.lock();
        if let Some(held) = held {
            queue.admission.completed(held, false);
        }
        queue.free += 1;
        let mut wakers = Vec::new();
        self.hand_out(&mut queue, now, &mut wakers);
        drop(queue);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Gives free permits to those whose turn it is.
    fn hand_out(&self, queue: &mut Queue, now: Instant, wakers: &mut Vec<Waker>) {
        while queue.free > 0 {
            let (next, findings) = queue.admission.take(now, self.permits);
            settle(findings, now, wakers);
            let ticket = match next {
                None => return,
                Some(Next::Job(waiting)) => waiting.work,
                Some(Next::Resumed(never)) => match never {},
            };
            if let Admitted::Yes(waker) = ticket.admit(now) {
                queue.free -= 1;
                wakers.extend(waker);
            }
        }
    }

    /// The queue is changed by methods that do not panic, so a poisoned lock means nothing.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells those that left the queue without a permit.
fn settle(findings: Findings<Arc<Ticket>>, now: Instant, wakers: &mut Vec<Waker>) {
    for (waiting, why) in findings.dropped {
        let error = match why {
            Dropped::ClientGone => continue,
            Dropped::DeadlinePassed => GateError::DeadlinePassed {
                waited: now.saturating_duration_since(waiting.since),
            },
            Dropped::Shed { retry_after } => GateError::Refused {
                reason: RefusalReason::Overloaded,
                retry_after,
            },
        };
        wakers.extend(waiting.work.turn_away(error));
    }
}

impl Future for Entering {
    type Output = Result<Permit, GateError>;

    /// # Panics
    /// When polled again after it was ready.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.ticket.poll(cx).map_ok(|since| Permit {
            shared: Arc::clone(&self.shared),
            since,
        })
    }
}

impl Drop for Entering {
    fn drop(&mut self) {
        if self.ticket.leave() {
            self.shared.release(None);
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let held = now().saturating_duration_since(self.since);
        self.shared.release(Some(held));
    }
}

/// Tokio's clock, so that a test may stop it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
