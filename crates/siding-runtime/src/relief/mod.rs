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
//! Invariant: `queued + engaged - releases` is the number of workers kept out, and [`Relief::set_active`] makes it
//! `spare - active`. Only the monitor calls that, so there is one decider.
//!
//! A plug can be picked up by the very worker that polls the driver while the other workers are parked. The worker that
//! takes a plug therefore wakes the monitor, and the monitor spawns an empty task from outside the runtime
//! ([`Relief::nudge`]): that wakes a parked worker, which then finds the driver free and polls it.

mod demand;

pub(crate) use demand::Demand;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The spare workers of one runtime.
#[derive(Debug)]
pub(crate) struct Relief {
    tokio: tokio::runtime::Handle,
    spare: usize,
    plugs: Arc<Plugs>,
}

#[derive(Debug, Default)]
struct Plugs {
    state: Mutex<State>,
    released: Condvar,
    occupied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queued: usize,
    engaged: usize,
    releases: usize,
    /// A worker took a plug since the last nudge.
    nudge_due: bool,
    closing: bool,
}

impl Relief {
    /// Occupies `spare` workers of the runtime behind `tokio`.
    pub(crate) fn new(tokio: tokio::runtime::Handle, spare: usize) -> Self {
        let relief = Self {
            tokio,
            spare,
            plugs: Arc::default(),
        };
        relief.set_active(0, || ());
        relief
    }

    /// How many spare workers there are.
    pub(crate) fn spare(&self) -> usize {
        self.spare
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

    /// Lets `active` spare workers run and occupies all others. `on_engaged` is called by each worker that is
    /// occupied again, on its own thread.
    pub(crate) fn set_active(&self, active: usize, on_engaged: impl Fn() + Clone + Send + 'static) {
        let wanted = self.spare.saturating_sub(active);
        let mut state = self.plugs.lock();
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
            self.spawn_plug(on_engaged.clone());
        }
    }

    fn spawn_plug(&self, on_engaged: impl Fn() + Send + 'static) {
        let plugs = Arc::clone(&self.plugs);
        spawn_bare(&self.tokio, async move { plugs.occupy(on_engaged) });
    }

    /// Wakes a parked worker if one was occupied since the last call, so that somebody polls the driver.
    pub(crate) fn nudge(&self) {
        let due = std::mem::take(&mut self.plugs.lock().nudge_due);
        if due {
            spawn_bare(&self.tokio, async {});
        }
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
    fn occupy(&self, on_engaged: impl Fn()) {
        let mut state = self.lock();
        state.queued -= 1;
        if state.may_leave() {
            return;
        }
        state.engaged += 1;
        state.nudge_due = true;
        self.occupied.notify_all();
        drop(state);
        on_engaged();

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
