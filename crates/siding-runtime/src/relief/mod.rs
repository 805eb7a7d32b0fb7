//! Relief workers: spare event-loop workers that stand in for stalled ones.
//!
//! # Why
//!
//! On stock tokio one blocked worker can freeze the whole server although another is idle, because nobody polls the I/O
//! driver (tokio#4730, tokio#6315). A worker that starts to run at that moment steals the stalled worker's queue and,
//! finding nothing else, polls the driver.
//!
//! # Protocol
//!
//! The tokio runtime has `cores + spare` workers. Each spare one is occupied by a *plug*: a task whose single poll waits
//! on a condition variable. Three numbers under one mutex say how the plugs stand:
//!
//! - `queued`: spawned and not yet picked up by a worker,
//! - `engaged`: waiting on the condition variable now,
//! - `releases`: plugs that may leave. A queued plug may use one as soon as a worker picks it up.
//!
//! `queued + engaged - releases` is the number of workers kept out. [`Relief::set_active`] says what it should be,
//! `spare - active`, and [`Relief::follow`] brings it there. Only the monitor calls them, so there is one decider.
//!
//! # What a stall must not leave undone
//!
//! A worker that stalls may have been the one that polls the driver, while relief from the stall before is idle and parked
//! beside it: nobody new comes to look, and nobody polls. So at each new stall the monitor spawns an empty task from
//! outside the runtime ([`Relief::wake_one`]), which wakes a parked worker; that one then finds the driver free.
//!
//! # What a plug must not trap
//!
//! Two places in a worker hold tasks that no other worker can steal:
//!
//! - The list of deferred wake-ups, where a task waits that has used up its budget or called `yield_now`. It is emptied
//!   before the worker idles. So a plug settles only on a worker that has polled nothing since it last woke from idling;
//!   any other turns it away, and the monitor sends another at its next tick ([`Relief::follow`]). What a task that the
//!   guard does not see deferred within that moment is the one gap.
//! - The LIFO slot. Polling the driver between two tasks may fill it, and tokio looks into its inject queue, where plugs
//!   come from, before that slot every so often. So a plug, before it waits, spawns two empty tasks from within its
//!   worker. The first pushes whatever the slot holds into the run queue, the second pushes out the first; either push
//!   wakes a parked worker, which steals what is there and then finds the driver free. The second stays in the slot,
//!   where it keeps nobody waiting.

mod demand;

pub(crate) use demand::Demand;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The spare workers of one runtime.
#[derive(Debug)]
pub(crate) struct Relief {
    tokio: tokio::runtime::Handle,
    spare: usize,
    /// Whether the calling worker has done nothing since it last idled.
    is_rested: fn() -> bool,
    plugs: Arc<Plugs>,
    /// What the monitor decided last, for people to see. Relaxed: it decides nothing.
    active: AtomicUsize,
}

/// Relief workers at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReliefSnapshot {
    /// Those that stand in for stalled workers now.
    pub active: usize,
    /// How many there are.
    pub max: usize,
}

#[derive(Debug, Default)]
struct Plugs {
    state: Mutex<State>,
    released: Condvar,
    occupied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Workers that should be kept out.
    wanted: usize,
    queued: usize,
    engaged: usize,
    releases: usize,
    closing: bool,
}

impl Relief {
    /// Occupies `spare` workers of the runtime behind `tokio`. `is_rested` says whether the worker that calls it has done
    /// nothing since it last idled.
    pub(crate) fn new(
        tokio: tokio::runtime::Handle,
        spare: usize,
        is_rested: fn() -> bool,
    ) -> Self {
        let relief = Self {
            tokio,
            spare,
            is_rested,
            plugs: Arc::default(),
            active: AtomicUsize::new(0),
        };
        relief.set_active(0);
        relief
    }

    /// How many spare workers there are.
    pub(crate) fn spare(&self) -> usize {
        self.spare
    }

    /// The figures now.
    pub(crate) fn snapshot(&self) -> ReliefSnapshot {
        ReliefSnapshot {
            active: self.active.load(Ordering::Relaxed).min(self.spare),
            max: self.spare,
        }
    }

    /// Waits until every spare worker is occupied, at most `limit`. Says whether all are.
    pub(crate) fn wait_engaged(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut state = self.plugs.lock();
        while state.engaged < self.spare {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                return false;
            };
            state = self
                .plugs
                .occupied
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    /// Lets `active` spare workers run and occupies all others.
    pub(crate) fn set_active(&self, active: usize) {
        self.active.store(active, Ordering::Relaxed);
        self.plugs.lock().wanted = self.spare.saturating_sub(active);
        self.follow();
    }

    /// Releases or spawns plugs until as many workers are kept out as should be. The monitor calls it at every tick,
    /// because a worker that was not rested has turned its plug away.
    pub(crate) fn follow(&self) {
        let mut state = self.plugs.lock();
        let wanted = state.wanted;
        if state.closing {
            return;
        }
        let kept_out = state.queued + state.engaged - state.releases;
        if kept_out > wanted {
            state.releases += kept_out - wanted;
            // One wake-up each, not all: forty threads that wake to find nothing would take the CPU they should free.
            (wanted..kept_out).for_each(|_| self.plugs.released.notify_one());
            return;
        }
        let missing = wanted - kept_out;
        let taken_back = missing.min(state.releases);
        state.releases -= taken_back;
        let plugs = missing - taken_back;
        state.queued += plugs;
        drop(state);
        for _ in 0..plugs {
            let (plugs, is_rested) = (Arc::clone(&self.plugs), self.is_rested);
            spawn_bare(&self.tokio, async move { plugs.occupy(is_rested) });
        }
    }

    /// Wakes a parked worker, if there is one, so that somebody polls the driver.
    pub(crate) fn wake_one(&self) {
        spawn_bare(&self.tokio, async {});
    }

    /// Lets every spare worker go for good. The runtime can only shut down after this.
    pub(crate) fn close(&self) {
        self.plugs.lock().closing = true;
        self.plugs.released.notify_all();
    }
}

impl Plugs {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Occupies the calling worker until it is released.
    fn occupy(&self, is_rested: fn() -> bool) {
        let mut state = self.lock();
        state.queued -= 1;
        if state.may_leave() || !is_rested() {
            return;
        }
        state.engaged += 1;
        self.occupied.notify_all();
        drop(state);
        make_way();

        let mut state = self.lock();
        while !state.may_leave() {
            state = self
                .released
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.engaged -= 1;
    }
}

/// Empties the LIFO slot of the calling worker and wakes a parked one; see the module's header.
fn make_way() {
    let tokio = tokio::runtime::Handle::current();
    spawn_bare(&tokio, async {});
    spawn_bare(&tokio, async {});
}

impl State {
    /// Takes one release if there is one.
    fn may_leave(&mut self) -> bool {
        if self.closing {
            return true;
        }
        let released = self.releases > 0;
        self.releases -= usize::from(released);
        released
    }
}

/// Spawns a task of the runtime's own. The guard must not see it: a plug blocks its worker on purpose.
fn spawn_bare(tokio: &tokio::runtime::Handle, future: impl Future<Output = ()> + Send + 'static) {
    drop(tokio.spawn(future));
}
