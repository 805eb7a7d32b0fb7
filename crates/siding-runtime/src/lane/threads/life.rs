//! The life of one thread of the pool.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::muster::{Overslept, Rest, Role, Summons};
use super::pool::{Pool, State};
use super::worker::{Sleeper, Worker};
use crate::lane::admission::Next;
use crate::lane::desk::{Resumed, quietly};
use crate::lane::job::{Ran, Work};

/// How often a searcher looks before it goes to sleep: first without leaving its core, then leaving it to others.
const LOOKS: u32 = 24;
const LOOKS_WITHOUT_YIELD: u32 = 8;

/// A piece of work that ended.
struct Done {
    began: Instant,
    ran: Ran,
    resumed: bool,
}

/// What a thread does next.
enum Step {
    Run(Next<Arc<dyn Work>, Resumed>, Instant),
    Search,
    Sleep(Option<Duration>),
    Leave,
}

impl Pool {
    /// Starts a thread that the muster has counted already.
    pub(super) fn start_thread(self: &Arc<Self>, role: Role) -> io::Result<()> {
        let pool = Arc::clone(self);
        self.roster.start(move |worker| pool.live(worker, role))
    }

    fn live(self: &Arc<Self>, worker: &Arc<Worker>, mut role: Role) {
        quietly(|| (self.on_thread_start)());
        self.lock().begin();
        let mut done = None;
        loop {
            match self.next(worker, &mut role, done.take()) {
                Step::Run(next, began) => done = Some(self.run(worker, next, began)),
                Step::Search => self.look_around(),
                Step::Sleep(patience) if self.sleep(worker, patience) => {}
                Step::Sleep(_) | Step::Leave => return,
            }
        }
    }

    /// Accounts for the work just done and decides what comes next, in one visit to the lock.
    fn next(self: &Arc<Self>, worker: &Arc<Worker>, role: &mut Role, done: Option<Done>) -> Step {
        let now = Instant::now();
        let mut state = self.lock();
        state.account(done, now);
        let threads = state.muster.threads();
        let (next, findings) = state.admission.take(now, threads);
        let mut summons = Summons::Nobody;
        let step = match next {
            Some(next) => {
                summons = state.took_work(role);
                Step::Run(next, now)
            }
            None => state.rest(worker, role, self.config.idle_timeout),
        };
        self.publish(&state);
        drop(state);
        self.obey(summons);
        self.desk.settle(findings, now);
        step
    }

    fn run(&self, worker: &Worker, next: Next<Arc<dyn Work>, Resumed>, began: Instant) -> Done {
        worker.turn();
        let (ran, resumed) = match next {
            Next::Job(job) => (self.desk.run(job), false),
            Next::Resumed(resumed) => (self.desk.run_resumed(resumed), true),
        };
        worker.turn();
        Done {
            began,
            ran,
            resumed,
        }
    }

    /// The searcher's short look around without the lock.
    fn look_around(&self) {
        for look in 0..LOOKS {
            if self.seems_to_wait() {
                return;
            }
            match look < LOOKS_WITHOUT_YIELD {
                true => std::hint::spin_loop(),
                false => thread::yield_now(),
            }
        }
    }

    /// Sleeps until there is work. `false` when the thread is to end instead.
    fn sleep(&self, worker: &Arc<Worker>, mut patience: Option<Duration>) -> bool {
        let sleeper = Sleeper(Arc::clone(worker));
        while !worker.sleep(patience) {
            let mut state = self.lock();
            let threads = state.muster.threads();
            let overslept = state.muster.overslept(&sleeper);
            drop(state);
            match overslept {
                // When it was called in the same moment, the next round of the loop receives the call.
                Overslept::Stay | Overslept::Summoned => patience = None,
                Overslept::Leave => {
                    self.resized(threads, threads - 1);
                    return false;
                }
            }
        }
        true
    }
}

impl State {
    /// A new thread has begun.
    fn begin(&mut self) {
        self.muster.started();
        self.admission.capacity_grew();
    }

    fn account(&mut self, done: Option<Done>, now: Instant) {
        let Some(done) = done else { return };
        self.running -= 1;
        let panicked = matches!(done.ran, Ran::Panicked(_));
        match done.resumed {
            true => self.admission.resumed(panicked),
            false => self.admission.completed(now - done.began, panicked),
        }
    }

    fn took_work(&mut self, role: &mut Role) -> Summons<Sleeper> {
        self.running += 1;
        let more = !self.admission.is_empty();
        let summons = self.muster.took_work(role, more);
        self.heed(summons)
    }

    /// What a thread does that found nothing to run.
    fn rest(&mut self, worker: &Arc<Worker>, role: &mut Role, idle_timeout: Duration) -> Step {
        if self.stopping {
            self.muster.leave(*role);
            return Step::Leave;
        }
        match self.muster.rest(role, Sleeper(Arc::clone(worker))) {
            Rest::Search => Step::Search,
            Rest::Sleep => Step::Sleep(None),
            Rest::SleepForAWhile => Step::Sleep(Some(idle_timeout)),
        }
    }
}
