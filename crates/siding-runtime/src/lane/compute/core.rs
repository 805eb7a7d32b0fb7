//! What the jobs of one compute lane share: the queue, and the rayon pool behind it.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rayon::ThreadPool;

use super::crew::Crew;
use crate::config::ComputeConfig;
use crate::context::WorkContext;
use crate::event::Observers;
use crate::lane::admission::{Admission, Next, Staff};
use crate::lane::desk::{Desk, Resumed, quietly};
use crate::lane::job::{Ran, Work};
use crate::lane::{LaneKind, LaneSnapshot, ThreadHook};

type NextWork = Next<Arc<dyn Work>, Resumed>;

/// Everything that the jobs of one lane share.
pub(super) struct Core {
    config: ComputeConfig,
    desk: Desk,
    state: Mutex<State>,
    /// Rung when the last turn has ended.
    all_done: Condvar,
    /// `None` once the lane was shut down and its last job has ended.
    pool: RwLock<Option<ThreadPool>>,
    crew: Crew,
}

struct State {
    admission: Admission<Arc<dyn Work>, Resumed>,
    /// Turns that rayon was given and that have not ended; never more than it has threads.
    claimed: usize,
    /// Of those, the ones that run a job.
    running: usize,
    stopping: bool,
}

impl Core {
    pub(super) fn new(
        config: ComputeConfig,
        observers: Observers,
        on_thread_start: ThreadHook,
    ) -> io::Result<Self> {
        let (pool, crew) = Crew::start(config.threads, on_thread_start)?;
        Ok(Self {
            config,
            desk: Desk::new(LaneKind::Compute, observers),
            state: Mutex::new(State {
                admission: Admission::new(config.waiting_max),
                claimed: 0,
                running: 0,
                stopping: false,
            }),
            all_done: Condvar::new(),
            pool: RwLock::new(Some(pool)),
            crew,
        })
    }

    /// Nothing that may panic runs under the lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a job wait for a thread, or answers it.
    pub(super) fn submit(self: &Arc<Self>, work: Arc<dyn Work>, context: WorkContext) {
        let now = Instant::now();
        let mut state = self.lock();
        if state.stopping {
            drop(state);
            self.desk.closed(work);
            return;
        }
        let threads = self.config.threads;
        let staff = state.staff(threads);
        let (admitted, findings) = state.admission.offer(work, context, now, staff);
        let free = state.claim_thread(threads);
        drop(state);
        if free {
            self.dispatch();
        }
        self.desk.settle(findings, now);
        if let Err(turned_away) = admitted {
            self.desk.turn_away(turned_away, context);
        }
    }

    /// Puts a poll of an admitted future before new work. It is dropped only when the lane was shut down and nothing runs
    /// there any more.
    pub(super) fn resume(self: &Arc<Self>, resumed: Resumed) {
        let mut state = self.lock();
        if state.stopping && state.claimed == 0 {
            drop(state);
            quietly(|| drop(resumed));
            return;
        }
        state.admission.resume(resumed);
        let free = state.claim_thread(self.config.threads);
        drop(state);
        if free {
            self.dispatch();
        }
    }

    /// Has rayon run what is next in the queue. The caller has claimed a thread for it.
    fn dispatch(self: &Arc<Self>) {
        let core = Arc::clone(self);
        let pool = self.pool.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            pool.spawn(move || core.run_next());
        }
    }

    /// One turn on a rayon thread: one job, then a new turn for the next. Not a loop: rayon may take this turn on top of
    /// another job that waits for its parts, and that one is to go on after one job, not after all. As there are never more
    /// turns than threads, jobs cannot pile up on one stack beyond that number.
    fn run_next(self: Arc<Self>) {
        let Some((next, began)) = self.take() else {
            return;
        };
        let (ran, resumed) = match next {
            Next::Job(job) => (self.desk.run(job), false),
            Next::Resumed(resumed) => (self.desk.run_resumed(resumed), true),
        };
        self.account(&ran, resumed, began.elapsed());
        rayon::spawn(move || self.run_next());
    }

    /// The next piece of work; gives the claimed thread back when there is none.
    fn take(&self) -> Option<(NextWork, Instant)> {
        let now = Instant::now();
        let mut state = self.lock();
        let (next, findings) = state.admission.take(now, self.config.threads);
        match next {
            Some(_) => state.running += 1,
            None => state.claimed -= 1,
        }
        let (all_done, stopping) = (state.claimed == 0, state.stopping);
        drop(state);
        if all_done && stopping {
            self.retire();
            self.all_done.notify_all();
        }
        self.desk.settle(findings, now);
        next.map(|next| (next, now))
    }

    fn account(&self, ran: &Ran, resumed: bool, elapsed: Duration) {
        let panicked = matches!(ran, Ran::Panicked(_));
        let mut state = self.lock();
        state.running -= 1;
        match resumed {
            true => state.admission.resumed(panicked),
            false => state.admission.completed(elapsed, panicked),
        }
    }

    /// The figures now.
    pub(super) fn snapshot(&self) -> LaneSnapshot {
        let state = self.lock();
        LaneSnapshot {
            threads: self.config.threads,
            threads_max: self.config.threads,
            running: state.running,
            ..state.admission.snapshot(LaneKind::Compute)
        }
    }

    /// Takes no more jobs, answers those that wait, and sends the threads away as soon as nothing runs.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        let waiting = state.admission.drain();
        let idle = state.claimed == 0;
        drop(state);
        self.desk.close(waiting);
        if idle {
            self.retire();
        }
    }

    /// After [`stop`](Self::stop): waits until every thread has ended, `limit` at most.
    pub(super) fn join(&self, limit: Duration) {
        let (state, _) = self
            .all_done
            .wait_timeout_while(self.lock(), limit, |state| state.claimed > 0)
            .unwrap_or_else(PoisonError::into_inner);
        let all_done = state.claimed == 0;
        drop(state);
        if all_done {
            self.retire();
            self.crew.join();
        }
    }

    /// Lets rayon's threads end. Called when the lane was stopped and nothing runs, by whoever finds it so first: a pool that
    /// is dropped earlier forgets what was spawned on it.
    fn retire(&self) {
        let mut pool = self.pool.write().unwrap_or_else(PoisonError::into_inner);
        drop(pool.take());
    }
}

impl State {
    fn staff(&self, threads: usize) -> Staff {
        Staff {
            threads,
            free: threads.saturating_sub(self.running),
        }
    }

    /// Counts one thread as busy if work waits for it.
    fn claim_thread(&mut self, threads: usize) -> bool {
        let free = self.claimed < threads && !self.admission.is_empty();
        self.claimed += usize::from(free);
        free
    }
}
