//! What goes into the queue and what comes out of it.

use std::time::{Duration, Instant};

use super::overload::Shift;
use crate::context::WorkContext;
use crate::lane::RefusalReason;

/// Something that waits for a thread, on behalf of somebody who may leave.
pub(in crate::lane) trait Waiter {
    /// Whether nobody wants the result any more.
    fn abandoned(&self) -> bool;
}

/// One job in the queue.
#[derive(Debug)]
pub(in crate::lane) struct Waiting<T> {
    pub(in crate::lane) work: T,
    pub(in crate::lane) context: WorkContext,
    pub(in crate::lane) since: Instant,
}

/// Why a job left the queue without running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lane) enum Dropped {
    /// Its deadline had passed.
    DeadlinePassed,
    /// Nobody waited for it.
    ClientGone,
    /// It had waited too long in an overloaded lane.
    Shed {
        /// When to come back.
        retry_after: Duration,
    },
}

/// How a job ended that had left the queue to run and did not run to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::lane) enum Lost {
    /// Its deadline passed before the child that it was for was ready.
    DeadlinePassed,
    /// Its caller left before the child that it was for was ready.
    ClientGone,
    /// Its child was killed.
    Killed,
    /// Its child ended under it, or could not be started.
    Crashed,
}

/// A job that was not let in, and what to tell its caller.
#[derive(Debug)]
pub(in crate::lane) struct TurnedAway<T> {
    pub(in crate::lane) work: T,
    pub(in crate::lane) reason: RefusalReason,
    pub(in crate::lane) retry_after: Duration,
}

/// What one call found besides its result. The caller reports it once the lane's lock is released: dropping a job runs
/// its owner's code.
#[derive(Debug)]
#[must_use]
pub(in crate::lane) struct Findings<T> {
    pub(in crate::lane) dropped: Vec<(Waiting<T>, Dropped)>,
    pub(in crate::lane) shift: Option<Shift>,
}

impl<T> Default for Findings<T> {
    fn default() -> Self {
        Self {
            dropped: Vec::new(),
            shift: None,
        }
    }
}

/// What a thread runs next.
#[derive(Debug)]
pub(in crate::lane) enum Next<T, U> {
    /// A job, for the first time.
    Job(Waiting<T>),
    /// A later poll of a future that was admitted before.
    Resumed(U),
}

/// Who serves the queue at the moment.
#[derive(Clone, Copy, Debug)]
pub(in crate::lane) struct Staff {
    /// Threads that there are.
    pub(in crate::lane) threads: usize,
    /// Of those, and of others that would be started at once, how many have no work. What they will take in a moment does
    /// not count as waiting.
    pub(in crate::lane) free: usize,
}
