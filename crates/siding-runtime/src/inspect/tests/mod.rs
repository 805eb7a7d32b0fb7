//! Threads that are really stuck, in every way that a handler gets stuck.
#![cfg(all(target_os = "linux", not(siding_model)))]

mod blocked;
mod computing;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod stacks;

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use super::*;

/// Longer than any machine takes, so that running out of it is a fact about the code.
const PATIENCE: Duration = Duration::from_secs(30);

/// A thread at some work, known as the guard knows its workers. Nobody waits for its end: blocked ones never get
/// there. Those that compute stop when the subject is dropped, as they would take the CPU from the other tests.
struct Subject {
    tid: Tid,
    bounds: StackBounds,
    over: Arc<AtomicBool>,
}

impl Subject {
    fn doing(work: impl FnOnce() + Send + 'static) -> Self {
        Self::until(Arc::default(), work)
    }

    fn computing() -> Self {
        let over = Arc::new(AtomicBool::new(false));
        Self::until(Arc::clone(&over), move || compute_until(&over))
    }

    fn until(over: Arc<AtomicBool>, work: impl FnOnce() + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        thread::spawn(move || {
            sender
                .send((Tid::current(), StackBounds::current().unwrap()))
                .unwrap();
            work();
        });
        let (tid, bounds) = receiver.recv().unwrap();
        Self { tid, bounds, over }
    }

    fn probe(&self) -> ThreadProbe {
        ThreadProbe::open(self.tid)
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

#[inline(never)]
fn compute_until(over: &AtomicBool) {
    let mut sum = 0_u64;
    while !over.load(Ordering::Relaxed) {
        sum = black_box(sum.wrapping_add(1));
    }
}

/// Looks again and again until `look` finds something. `otherwise` tells what it saw instead.
#[track_caller]
fn eventually<T>(mut look: impl FnMut() -> Option<T>, otherwise: impl FnOnce() -> String) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{}", otherwise());
        thread::park_timeout(Duration::from_millis(1));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread that sleeps is what is looked at"
)]
fn sleep(duration: Duration) {
    thread::sleep(duration);
}
