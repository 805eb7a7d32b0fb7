//! The queue of one model's requests.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep_until};

use super::assemble::fit_together;
use super::{BatchLimits, InferError, Outcome};
use crate::protocol::Tensor;

/// Nobody is told to come back sooner or later than this.
const RETRY_AFTER_MIN: Duration = Duration::from_secs(1);
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// The requests that wait for one model; see the [module](super).
#[derive(Debug)]
pub struct Queue {
    limits: BatchLimits,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waited>,
    closed: bool,
    /// How long a batch runs, recent ones weighing more.
    service_time: Duration,
}

/// A request that has waited, in a batch that is to run.
#[derive(Debug)]
pub struct Waited {
    inputs: Vec<Tensor>,
    rows: usize,
    since: Instant,
    deadline: Option<Instant>,
    answer: oneshot::Sender<Outcome>,
}

impl Waited {
    /// Its inputs.
    #[must_use]
    pub fn inputs(&self) -> &[Tensor] {
        &self.inputs
    }

    /// How many rows its inputs have.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// When it came.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// Tells its caller, if that has not left.
    pub fn answer(self, outcome: Outcome) {
        let _ = self.answer.send(outcome);
    }
}

/// A request that was not taken.
#[derive(Debug)]
pub enum Refused {
    /// Too many wait.
    Overloaded {
        /// When trying again is likely to succeed.
        retry_after: Duration,
    },
    /// The queue is closed. The inputs come back: what replaces the model may take them.
    Closed(Vec<Tensor>),
}

/// What is to be done now.
enum Step {
    Run(Vec<Waited>),
    WaitUntil(Instant),
    Wait,
    End,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: BatchLimits) -> Self {
        Self {
            limits,
            state: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Lets a request wait. What is sent to the receiver is its outcome.
    ///
    /// # Errors
    /// When too many wait, or the queue is closed.
    pub fn offer(
        &self,
        inputs: Vec<Tensor>,
        rows: usize,
        deadline: Option<Instant>,
    ) -> Result<oneshot::Receiver<Outcome>, Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed(inputs));
        }
        if state.waiting.len() >= self.limits.waiting_max {
            state.waiting.retain(|waited| !waited.answer.is_closed());
        }
        if state.waiting.len() >= self.limits.waiting_max {
            let retry_after = state.retry_after(self.limits.rows_max);
            return Err(Refused::Overloaded { retry_after });
        }
        let (answer, outcome) = oneshot::channel();
        state.waiting.push_back(Waited {
            inputs,
            rows,
            since: Instant::now(),
            deadline,
            answer,
        });
        drop(state);
        // One is enough: whoever is woken and does not need it hands it on, and all look before they wait.
        self.changed.notify_one();
        Ok(outcome)
    }

    /// The next batch, once it should run; `None` when the queue is closed and empty.
    pub async fn next(&self) -> Option<Vec<Waited>> {
        loop {
            // Before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            match self.step(Instant::now()) {
                Step::Run(batch) => return Some(batch),
                Step::End => return None,
                Step::Wait => changed.await,
                Step::WaitUntil(due) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
            }
        }
    }

    /// Takes no more requests. Those that wait run without waiting for others.
    pub fn close(&self) {
        self.state().closed = true;
        self.changed.notify_waiters();
    }

    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.state().waiting.len()
    }

    /// Notes how long a batch ran.
    pub fn ran(&self, time: Duration) {
        let mut state = self.state();
        state.service_time = match state.service_time {
            Duration::ZERO => time,
            mean => (mean * 7 + time) / 8,
        };
    }

    fn step(&self, now: Instant) -> Step {
        let mut state = self.state();
        state.drop_dead(now);
        let Some((count, is_full)) = state.batch(self.limits.rows_max) else {
            return if state.closed { Step::End } else { Step::Wait };
        };
        let due = state.due(count, self.limits.delay_max);
        if is_full || state.closed || due <= now {
            Step::Run(state.waiting.drain(..count).collect())
        } else {
            Step::WaitUntil(due)
        }
    }

    /// Whatever is done under the lock is done whole, so a poisoned one means nothing.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Drops what nobody waits for any more, and what came too late, which is told so.
    fn drop_dead(&mut self, now: Instant) {
        let is_late = |waited: &Waited| waited.deadline.is_some_and(|deadline| deadline <= now);
        if !self
            .waiting
            .iter()
            .any(|waited| is_late(waited) || waited.answer.is_closed())
        {
            return;
        }
        let (dead, alive): (VecDeque<_>, _) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition(|waited| is_late(waited) || waited.answer.is_closed());
        self.waiting = alive;
        for late in dead {
            let waited = now.saturating_duration_since(late.since);
            late.answer(Err(InferError::DeadlinePassed { waited }));
        }
    }

    /// How many of the oldest requests make a batch, and whether it cannot grow.
    fn batch(&self, rows_max: usize) -> Option<(usize, bool)> {
        let first = self.waiting.front()?;
        let mut rows = first.rows;
        let mut count = 1;
        for next in self.waiting.iter().skip(1) {
            if rows + next.rows > rows_max || !fit_together(&first.inputs, &next.inputs) {
                return Some((count, true));
            }
            rows += next.rows;
            count += 1;
        }
        Some((count, rows >= rows_max))
    }

    /// When the batch of the oldest `count` requests must run, full or not.
    fn due(&self, count: usize, delay_max: Duration) -> Instant {
        let oldest = self.waiting[0].since + delay_max;
        let deadlines = self
            .waiting
            .iter()
            .take(count)
            .filter_map(|waited| waited.deadline);
        let latest_starts =
            deadlines.filter_map(|deadline| deadline.checked_sub(self.service_time * 2));
        latest_starts.fold(oldest, Instant::min)
    }

    fn retry_after(&self, rows_max: usize) -> Duration {
        let rows: usize = self.waiting.iter().map(|waited| waited.rows).sum();
        // A request of more rows than a batch may have is one batch nevertheless.
        let batches = rows.div_ceil(rows_max.max(1)).min(self.waiting.len());
        let batches = u32::try_from(batches).unwrap_or(u32::MAX);
        let wait = self.service_time.saturating_mul(batches);
        wait.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
    }
}
