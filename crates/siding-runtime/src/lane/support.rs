//! What the tests of both lanes need.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::{Job, JobError};
use crate::context::{RouteId, WorkContext};
use crate::event::{Event, Observers};

/// Far beyond what anything here takes; a test that gets there has failed.
pub(super) const LONG: Duration = Duration::from_secs(30);

/// A context of no importance.
pub(super) const CONTEXT: WorkContext = WorkContext::new(RouteId::OFFLOAD);

/// Waits for a job's result on a thread that belongs to no runtime.
#[track_caller]
pub(super) fn wait<R>(job: Job<R>) -> Result<R, JobError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
        .block_on(async { tokio::time::timeout(LONG, job).await })
        .expect("a job's answer comes in time")
}

/// Waits until `condition` holds.
#[track_caller]
pub(super) fn eventually(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < until, "still waiting for {what}");
        std::thread::yield_now();
    }
}

/// Holds jobs on their threads until it is opened.
pub(super) struct Gate {
    entered: (Sender<()>, Receiver<()>),
    open: Arc<(Mutex<bool>, std::sync::Condvar)>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            entered: mpsc::channel(),
            open: Arc::default(),
        }
    }

    /// A closure that says when it runs, and then blocks until the gate is open.
    pub(super) fn job(&self) -> impl FnOnce() + Send + 'static {
        let (entered, open) = (self.entered.0.clone(), Arc::clone(&self.open));
        move || {
            entered.send(()).unwrap();
            let (open, bell) = &*open;
            let guard = open.lock().unwrap();
            drop(bell.wait_while(guard, |open| !*open).unwrap());
        }
    }

    /// Waits until `count` more jobs have entered.
    #[track_caller]
    pub(super) fn wait_for(&self, count: usize) {
        for _ in 0..count {
            self.entered
                .1
                .recv_timeout(LONG)
                .expect("a job enters the gate");
        }
    }

    /// Lets everybody through, now and later.
    pub(super) fn open(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// Keeps every event.
#[derive(Clone, Default)]
pub(super) struct Recorder(Arc<Mutex<Vec<Event>>>);

impl Recorder {
    pub(super) fn observers(&self) -> Observers {
        let events = Arc::clone(&self.0);
        Observers::new(vec![Box::new(move |event: &Event| {
            events.lock().unwrap().push(event.clone());
        })])
    }

    /// What `pick` makes of the events, in their order.
    pub(super) fn collect<T>(&self, pick: impl FnMut(&Event) -> Option<T>) -> Vec<T> {
        self.0.lock().unwrap().iter().filter_map(pick).collect()
    }

    /// How many events satisfy `matches`.
    pub(super) fn count(&self, matches: impl Fn(&Event) -> bool) -> usize {
        self.0
            .lock()
            .unwrap()
            .iter()
            .filter(|event| matches(event))
            .count()
    }
}
