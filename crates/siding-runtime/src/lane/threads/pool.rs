//! What the threads of one pool share: the queue, the muster, and the way in.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use std::time::Instant;

use super::keeper::{KeeperState, Sight};
use super::muster::{Muster, Role, Summons};
use super::roster::Roster;
use super::worker::Sleeper;
use crate::config::ThreadsConfig;
use crate::context::WorkContext;
use crate::event::{Event, Observers};
use crate::lane::admission::{Admission, Staff};
use crate::lane::desk::{Desk, Resumed, quietly};
use crate::lane::job::Work;
use crate::lane::{LaneKind, LaneSnapshot, ThreadHook};

/// Everything that the threads of one pool share.
pub(super) struct Pool {
    pub(super) config: ThreadsConfig,
    pub(super) desk: Desk,
    pub(super) roster: Arc<Roster>,
    pub(super) on_thread_start: ThreadHook,
    pub(super) sight: Sight,
    /// Rung when the keeper has something to look at.
    pub(super) keeper_bell: Condvar,
    state: Mutex<State>,
    /// What waits, for those who look without the lock. It may be a moment old.
    hint: AtomicUsize,
    warned: AtomicBool,
}

/// What the lock protects.
pub(super) struct State {
    pub(super) admission: Admission<Arc<dyn Work>, Resumed>,
    pub(super) muster: Muster<Sleeper>,
    pub(super) keeper: KeeperState,
    pub(super) running: usize,
    pub(super) stopping: bool,
}

impl Pool {
    pub(super) fn new(
        config: ThreadsConfig,
        observers: Observers,
        on_thread_start: ThreadHook,
        sight: Sight,
    ) -> Self {
        Self {
            config,
            desk: Desk::new(LaneKind::Threads, observers),
            roster: Arc::default(),
            on_thread_start,
            sight,
            keeper_bell: Condvar::new(),
            state: Mutex::new(State {
                admission: Admission::new(config.waiting_max),
                muster: Muster::new(config.threads_min, config.threads_max),
                keeper: KeeperState::Unborn,
                running: 0,
                stopping: false,
            }),
            hint: AtomicUsize::new(0),
            warned: AtomicBool::new(false),
        }
    }

    /// Nothing that may panic runs under the lock, so a poisoned one is whole.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
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
        let staff = state.staff(self.config.threads_min);
        let (admitted, findings) = state.admission.offer(work, context, now, staff);
        let summons = match admitted {
            Ok(()) => state.summon(),
            Err(_) => Summons::Nobody,
        };
        self.publish(&state);
        drop(state);
        self.obey(summons);
        self.desk.settle(findings, now);
        if let Err(turned_away) = admitted {
            self.desk.turn_away(turned_away, context);
        }
    }

    /// Puts a poll of an admitted future before new work. It is dropped only when the pool was shut down and no thread is
    /// left to run it.
    pub(super) fn resume(self: &Arc<Self>, resumed: Resumed) {
        let mut state = self.lock();
        if state.stopping && state.muster.threads() == 0 {
            drop(state);
            quietly(|| drop(resumed));
            return;
        }
        state.admission.resume(resumed);
        let summons = state.summon();
        self.publish(&state);
        drop(state);
        self.obey(summons);
    }

    /// Does what a summons says. The lock must be free.
    pub(super) fn obey(self: &Arc<Self>, summons: Summons<Sleeper>) {
        match summons {
            Summons::Nobody => {}
            Summons::Wake(sleeper) => sleeper.0.wake(),
            Summons::Start => {
                if let Err(error) = self.start_thread(Role::Searcher) {
                    self.failed_to_start(1, Role::Searcher, &error);
                }
            }
            Summons::Grow => self.call_keeper(),
        }
    }

    /// Tells those who look without the lock what waits.
    pub(super) fn publish(&self, state: &State) {
        // Relaxed: a hint; whoever acts on it looks again under the lock.
        self.hint.store(state.admission.len(), Ordering::Relaxed);
    }

    /// Whether work seemed to wait a moment ago.
    pub(super) fn seems_to_wait(&self) -> bool {
        // Relaxed: see `publish`.
        self.hint.load(Ordering::Relaxed) > 0
    }

    /// The system refused `count` threads. The pool goes on with those it has; if it has none, nobody would ever serve
    /// those who wait, so they are answered.
    pub(super) fn failed_to_start(&self, count: usize, role: Role, error: &io::Error) {
        let mut state = self.lock();
        state.muster.failed_to_start(count, role);
        let stranded = match state.muster.threads() {
            0 => state.admission.drain(),
            _ => Default::default(),
        };
        self.publish(&state);
        drop(state);
        self.warn_once(error);
        self.desk.close(stranded);
    }

    /// Says once what would otherwise be said at every job.
    pub(super) fn warn_once(&self, error: &io::Error) {
        // Relaxed: nothing else is ordered by it.
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "the threads lane could not start a thread; it goes on with those it has");
        }
    }

    /// Tells the observers of a change in size.
    pub(super) fn resized(&self, from: usize, to: usize) {
        self.desk.emit(&Event::Resized {
            lane: LaneKind::Threads,
            from,
            to,
        });
    }

    /// The figures now.
    pub(super) fn snapshot(&self) -> LaneSnapshot {
        let state = self.lock();
        LaneSnapshot {
            threads: state.muster.threads(),
            threads_max: self.config.threads_max,
            running: state.running,
            ..state.admission.snapshot(LaneKind::Threads)
        }
    }

    /// Takes no more jobs, answers those that wait, and sends every thread away as soon as it is free.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        let waiting = state.admission.drain();
        let sleepers = state.muster.dismiss();
        self.publish(&state);
        drop(state);
        self.keeper_bell.notify_all();
        for sleeper in sleepers {
            sleeper.0.wake();
        }
        self.desk.close(waiting);
    }
}

impl State {
    fn staff(&self, threads_min: usize) -> Staff {
        let threads = self.muster.threads();
        Staff {
            threads,
            free: threads.max(threads_min).saturating_sub(self.running),
        }
    }

    /// Calls for a thread, because work waits.
    fn summon(&mut self) -> Summons<Sleeper> {
        let summons = self.muster.summon();
        self.heed(summons)
    }

    /// Spares the call for a keeper that is looking already.
    pub(super) fn heed(&self, summons: Summons<Sleeper>) -> Summons<Sleeper> {
        match summons {
            Summons::Grow if self.keeper == KeeperState::Awake => Summons::Nobody,
            summons => summons,
        }
    }
}
