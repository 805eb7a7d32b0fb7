//! What the one who waits and the gate share: how the wait ended.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::GateError;
use crate::lane::admission::Waiter;

/// One place in the queue.
#[derive(Debug, Default)]
pub(super) struct Ticket {
    state: Mutex<State>,
}

/// `Waiting => Admitted => Left`, `Waiting => Away => Left`, or `Waiting => Left`.
#[derive(Debug)]
enum State {
    Waiting(Option<Waker>),
    /// It has a permit, since then.
    Admitted(Instant),
    Away(GateError),
    /// The one who waited has the permit or the error, or has gone.
    Left,
}

impl Default for State {
    fn default() -> Self {
        Self::Waiting(None)
    }
}

/// Whether somebody was there to take a permit.
#[derive(Debug)]
#[must_use]
pub(super) enum Admitted {
    /// Yes, and is to be woken if it was asked for.
    Yes(Option<Waker>),
    /// No: the permit is still the gate's.
    Gone,
}

impl Ticket {
    /// Gives it a permit.
    pub(super) fn admit(&self, now: Instant) -> Admitted {
        let mut state = self.lock();
        match &mut *state {
            State::Waiting(waker) => {
                let waker = waker.take();
                *state = State::Admitted(now);
                Admitted::Yes(waker)
            }
            State::Admitted(_) | State::Away(_) | State::Left => Admitted::Gone,
        }
    }

    /// Gives it an error; returns whom to wake.
    pub(super) fn turn_away(&self, error: GateError) -> Option<Waker> {
        let mut state = self.lock();
        match &mut *state {
            State::Waiting(waker) => {
                let waker = waker.take();
                *state = State::Away(error);
                waker
            }
            State::Admitted(_) | State::Away(_) | State::Left => None,
        }
    }

    /// Since when it has its permit.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Result<Instant, GateError>> {
        let mut state = self.lock();
        let ended = match &mut *state {
            State::Waiting(Some(waker)) => {
                waker.clone_from(cx.waker());
                return Poll::Pending;
            }
            State::Waiting(none) => {
                *none = Some(cx.waker().clone());
                return Poll::Pending;
            }
            State::Admitted(since) => Ok(*since),
            State::Away(error) => Err(*error),
            State::Left => panic!("an entering was polled after it had ended"),
        };
        *state = State::Left;
        Poll::Ready(ended)
    }

    /// Gives the place up. Whether there was a permit, which is then the caller's to give back.
    pub(super) fn leave(&self) -> bool {
        let before = std::mem::replace(&mut *self.lock(), State::Left);
        matches!(before, State::Admitted(_))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiter for std::sync::Arc<Ticket> {
    fn abandoned(&self) -> bool {
        matches!(*self.lock(), State::Left)
    }
}
