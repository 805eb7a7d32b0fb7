//! What the keepers of one process lane share: the queue, and who is at rest.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::bell::Bell;
use super::error::FunctionError;
use super::functions::Functions;
use super::keeper::Keeper;
use super::program::Program;
use crate::config::ProcessesConfig;
use crate::context::WorkContext;
use crate::event::Observers;
use crate::lane::admission::{Admission, Lost, Next, Staff, Waiting};
use crate::lane::desk::Desk;
use crate::lane::job::{Parcel, Reject};
use crate::lane::{JobError, LaneKind, LaneSnapshot, Passage};

/// A killed child is gone at once, unless the kernel still works for it; a keeper is waited for no longer than this.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// A function to be called.
pub(super) struct Order {
    pub(super) name: String,
    pub(super) arguments: Vec<u8>,
    pub(super) passage: Passage,
}

/// What the caller waits for.
pub(super) type Answer = Result<Vec<u8>, FunctionError>;
/// A call on its way.
pub(super) type Calling = Parcel<Order, Answer>;

/// Everything that the keepers of one lane share.
pub(super) struct Core {
    pub(super) config: ProcessesConfig,
    pub(super) functions: Functions,
    pub(super) program: Program,
    pub(super) desk: Desk,
    state: Mutex<State>,
    /// Rung when a keeper has ended.
    ended: Condvar,
    jobs: AtomicU64,
    /// Whether children that run a job are to be killed. Set before the bells are rung, which order it.
    killing: AtomicBool,
}

struct State {
    admission: Admission<Arc<Calling>, std::convert::Infallible>,
    /// One for each keeper, by number.
    bells: Vec<Arc<Bell>>,
    /// Keepers without work, by number; the one that rested last is woken first, its child being the warmest.
    resting: Vec<usize>,
    handles: Vec<JoinHandle<()>>,
    /// Keepers that have not ended.
    alive: usize,
    running: usize,
    stopping: bool,
}

/// What a keeper does next.
pub(super) enum Turn {
    /// Run this job.
    Job(Waiting<Arc<Calling>>),
    /// Wait for the bell.
    Rest,
    /// End.
    End,
}

impl Core {
    pub(super) fn new(
        config: ProcessesConfig,
        observers: Observers,
        functions: Functions,
        program: Program,
    ) -> Self {
        Self {
            config,
            functions,
            program,
            desk: Desk::new(LaneKind::Processes, observers),
            state: Mutex::new(State {
                admission: Admission::new(config.waiting_max),
                bells: Vec::new(),
                resting: Vec::new(),
                handles: Vec::new(),
                alive: 0,
                running: 0,
                stopping: false,
            }),
            ended: Condvar::new(),
            jobs: AtomicU64::new(0),
            killing: AtomicBool::new(false),
        }
    }

    /// Nothing that may panic runs under the lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a job that begins; the first is 1.
    pub(super) fn next_job(&self) -> u64 {
        self.jobs.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Lets a job wait for a child, or answers it.
    pub(super) fn submit(self: &Arc<Self>, work: Arc<Calling>, context: WorkContext) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.stopping {
            drop(state);
            self.desk.closed(work);
            return;
        }
        let staff = Staff {
            threads: self.config.children,
            free: self.config.children.saturating_sub(state.running),
        };
        let (admitted, findings) = state.admission.offer(work, context, now, staff);
        let unattended = match state.resting.pop() {
            Some(keeper) => {
                state.bells[keeper].ring();
                None
            }
            None => self.hire(&mut state).err(),
        };
        drop(state);
        self.desk.settle(findings, now);
        if let Err(turned_away) = admitted {
            self.desk.turn_away(turned_away, context);
        }
        if let Some(error) = unattended {
            self.turn_everybody_away(&error);
        }
    }

    /// Starts another keeper, if there may be one. An error means that there is none at all.
    fn hire(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        let number = state.bells.len();
        if number == self.config.children {
            return Ok(());
        }
        let hired = Bell::new().and_then(|bell| {
            let bell = Arc::new(bell);
            let keeper = Keeper::new(Arc::clone(self), number, Arc::clone(&bell));
            let thread = std::thread::Builder::new().name(format!("siding-processes-{number}"));
            Ok((thread.spawn(move || keeper.run())?, bell))
        });
        match hired {
            Ok((handle, bell)) => {
                state.handles.push(handle);
                state.bells.push(bell);
                state.alive += 1;
                Ok(())
            }
            Err(error) if number == 0 => Err(error),
            Err(error) => {
                tracing::warn!(%error, "the process lane gets no further thread");
                Ok(())
            }
        }
    }

    fn turn_everybody_away(&self, error: &std::io::Error) {
        let waiting = self.lock().admission.drain();
        for job in waiting {
            job.work.reject(JobError::NotStarted {
                job: self.next_job(),
                reason: format!("the system refuses a thread: {error}"),
            });
        }
    }

    /// What the keeper `number` does next.
    pub(super) fn take(&self, number: usize) -> Turn {
        let now = Instant::now();
        let mut state = self.lock();
        let (next, findings) = state.admission.take(now, self.config.children);
        // A bell may have been rung for an earlier job, and then the keeper is listed already.
        state.resting.retain(|resting| *resting != number);
        let turn = match next {
            Some(Next::Job(job)) => {
                state.running += 1;
                Turn::Job(job)
            }
            Some(Next::Resumed(never)) => match never {},
            None if state.stopping => Turn::End,
            None => {
                state.resting.push(number);
                Turn::Rest
            }
        };
        drop(state);
        self.desk.settle(findings, now);
        turn
    }

    /// Counts a job that ran to its end.
    pub(super) fn completed(&self, elapsed: Duration, panicked: bool) {
        let mut state = self.lock();
        state.running -= 1;
        state.admission.completed(elapsed, panicked);
    }

    /// Counts a job that ended otherwise.
    pub(super) fn lost(&self, how: Lost) {
        let mut state = self.lock();
        state.running -= 1;
        state.admission.lost(how);
    }

    /// A keeper has ended.
    pub(super) fn left(&self) {
        self.lock().alive -= 1;
        self.ended.notify_all();
    }

    /// Whether children that run a job are to be killed.
    pub(super) fn is_killing(&self) -> bool {
        // Acquire: pairs with the release in `join`.
        self.killing.load(Ordering::Acquire)
    }

    /// Whether the lane takes no more jobs.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().stopping
    }

    /// The figures now.
    pub(super) fn snapshot(&self) -> LaneSnapshot {
        let state = self.lock();
        LaneSnapshot {
            threads: state.alive,
            threads_max: self.config.children,
            running: state.running,
            ..state.admission.snapshot(LaneKind::Processes)
        }
    }

    /// Takes no more jobs, answers those that wait, and sends the keepers away as soon as they have no work.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        let waiting = state.admission.drain();
        state.ring_all();
        drop(state);
        self.desk.close(waiting);
    }

    /// After [`stop`](Self::stop): waits until every keeper has ended with its child. At `limit` the children are killed.
    pub(super) fn join(&self, limit: Duration) {
        if !self.wait_for_keepers(limit) {
            // Release: pairs with the acquire in `is_killing`.
            self.killing.store(true, Ordering::Release);
            self.lock().ring_all();
            if !self.wait_for_keepers(KILL_LIMIT) {
                tracing::warn!("a child of the process lane was killed and does not end");
                return;
            }
        }
        let handles = std::mem::take(&mut self.lock().handles);
        for handle in handles {
            drop(handle.join());
        }
    }

    fn wait_for_keepers(&self, limit: Duration) -> bool {
        let (state, _) = self
            .ended
            .wait_timeout_while(self.lock(), limit, |state| state.alive > 0)
            .unwrap_or_else(PoisonError::into_inner);
        state.alive == 0
    }
}

impl State {
    fn ring_all(&self) {
        for bell in &self.bells {
            bell.ring();
        }
    }
}
