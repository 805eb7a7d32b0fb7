//! Every thread of the pool from its start to its very end.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::worker::Worker;

/// Starts threads, and knows which have not ended.
#[derive(Debug, Default)]
pub(super) struct Roster {
    state: Mutex<State>,
    all_left: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The number of the next thread; never used twice.
    next: u64,
    crew: HashMap<u64, (Arc<Worker>, JoinHandle<()>)>,
    /// The thread that left last. Each that leaves waits for the end of the one before, so to wait for the last is to wait
    /// for all.
    last: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
}

impl Roster {
    /// Starts a thread that runs `body`.
    pub(super) fn start<F>(self: &Arc<Self>, body: F) -> io::Result<()>
    where
        F: FnOnce(&Arc<Worker>) + Send + 'static,
    {
        let worker = Arc::<Worker>::default();
        let (roster, me) = (Arc::clone(self), Arc::clone(&worker));
        // The lock is held until the handle is in its place: the thread may end before this function does.
        let mut state = self.lock();
        let number = state.next;
        let handle = thread::Builder::new()
            .name(format!("siding-threads-{number}"))
            .spawn(move || {
                me.begin();
                body(&me);
                roster.leave(number);
            })?;
        state.next += 1;
        state.crew.insert(number, (worker, handle));
        Ok(())
    }

    /// The last act of a thread.
    fn leave(&self, number: u64) {
        let mut state = self.lock();
        let own = state.crew.remove(&number).map(|(_, handle)| handle);
        let before = std::mem::replace(&mut state.last, own);
        if state.crew.is_empty() {
            self.all_left.notify_all();
        }
        drop(state);
        join(before);
    }

    /// Waits for the end of every thread, `limit` at most. `false` when some still run.
    pub(super) fn join(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let mut state = self.lock();
        while !state.crew.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self
                .all_left
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let (last, keeper) = (state.last.take(), state.keeper.take());
        drop(state);
        join(last);
        join(keeper);
        true
    }

    /// Remembers the keeper, to wait for it too.
    pub(super) fn set_keeper(&self, keeper: JoinHandle<()>) {
        self.lock().keeper = Some(keeper);
    }

    /// Up to `count` threads, spread over the whole pool.
    pub(super) fn sample(&self, count: usize) -> Vec<Arc<Worker>> {
        let state = self.lock();
        let step = (state.crew.len() / count.max(1)).max(1);
        state
            .crew
            .values()
            .step_by(step)
            .take(count)
            .map(|(worker, _)| Arc::clone(worker))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for the threads that are about to end. A handle that is dropped detaches its thread instead, and glibc up to 2.37 looks
/// at that thread's memory afterwards, which is gone when it ends in that very moment (sourceware bug 19951).
impl Drop for Roster {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let here = thread::current().id();
        for handle in [state.last.take(), state.keeper.take()]
            .into_iter()
            .flatten()
        {
            // The last to hold the roster may be one of them.
            if handle.thread().id() != here {
                join(Some(handle));
            }
        }
    }
}

/// A thread of the pool catches what panics in it, so there is no panic to pass on.
fn join(handle: Option<JoinHandle<()>>) {
    if let Some(handle) = handle {
        drop(handle.join());
    }
}
