//! What the parts of a worker share.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::Handle;
use tokio::sync::{Notify, Semaphore, SetOnce};

use super::holdings::Holdings;
use super::observer::{Observer, TaskEvent};
use super::rates::Rates;
use super::revoked::Revoked;
use super::slots::Slots;
use crate::broker::Broker;
use crate::message::Timestamp;
use crate::tasks::Tasks;

/// Settlements on their way at once; beyond it, slots stay taken until the broker has caught up.
const UNSETTLED_MAX: usize = 1_024;

/// What the parts of a worker share.
pub(crate) struct Crew {
    pub(crate) tasks: Tasks,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) handle: Handle,
    pub(crate) name: String,
    /// Its name where it must be told from every other worker: two may have one name.
    pub(crate) holder: String,
    /// When it was started.
    pub(super) since: Timestamp,
    /// Tasks that have ended. Relaxed: it is for people.
    processed: AtomicU64,
    pub(crate) lease: Duration,
    pub(crate) slots: Slots,
    pub(crate) rates: Rates,
    pub(crate) revoked: Revoked,
    pub(crate) track_started: bool,
    pub(super) unsettled: Semaphore,
    queues: Mutex<Vec<String>>,
    /// Told when what to claim was changed.
    pub(super) wants: Notify,
    observers: Vec<Arc<dyn Observer>>,
    /// Set when the worker is told to stop by remote control.
    stop: SetOnce<()>,
    pub(crate) held: Holdings,
}

/// What a crew is made of.
#[derive(Debug)]
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) lease: Duration,
    pub(super) slots: Slots,
    pub(super) queues: Vec<String>,
    pub(super) track_started: bool,
    pub(super) observers: Vec<Arc<dyn Observer>>,
}

impl Crew {
    pub(super) fn new(tasks: Tasks, broker: Arc<dyn Broker>, handle: Handle, setup: Setup) -> Self {
        Self {
            broker,
            handle,
            holder: format!("{} {}", setup.name, uuid::Uuid::new_v4()),
            name: setup.name,
            since: tasks.now(),
            processed: AtomicU64::new(0),
            lease: setup.lease,
            slots: setup.slots,
            rates: Rates::default(),
            revoked: Revoked::default(),
            track_started: setup.track_started,
            unsettled: Semaphore::new(UNSETTLED_MAX),
            queues: Mutex::new(setup.queues),
            wants: Notify::new(),
            observers: setup.observers,
            stop: SetOnce::new(),
            held: Holdings::default(),
            tasks,
        }
    }

    /// How many tasks have ended in it.
    pub(super) fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// Tells those who observe.
    pub(super) fn tell(&self, event: TaskEvent<'_>) {
        if matches!(event, TaskEvent::Ended(..)) {
            self.processed.fetch_add(1, Ordering::Relaxed);
        }
        for observer in &self.observers {
            observer.observe(event);
        }
    }

    /// The queues that it claims from.
    pub(crate) fn queues(&self) -> Vec<String> {
        self.queues_now().clone()
    }

    fn queues_now(&self) -> MutexGuard<'_, Vec<String>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims from `queue`, too.
    pub(crate) fn add_queue(&self, queue: &str) {
        let mut queues = self.queues_now();
        if !queues.iter().any(|known| known == queue) {
            queues.push(queue.to_owned());
        }
        drop(queues);
        self.wants.notify_one();
    }

    /// Claims from `queue` no more.
    pub(crate) fn remove_queue(&self, queue: &str) {
        self.queues_now().retain(|known| known != queue);
        self.wants.notify_one();
    }

    /// Tells the worker to stop, as if it was told from outside.
    pub(crate) fn stop(&self) {
        // Whoever comes second has nothing to add.
        let _ = self.stop.set(());
    }

    /// Resolves when the worker was told to stop by remote control.
    pub(super) async fn stopped(&self) {
        self.stop.wait().await;
    }

    /// Waits for what runs until `limit`, then gives back the rest.
    pub(super) async fn drain(&self, limit: Duration) {
        self.held.stop_waiting();
        if tokio::time::timeout(limit, self.held.emptied())
            .await
            .is_ok()
        {
            return;
        }
        tracing::warn!(
            worker = self.name,
            tasks = self.held.len(),
            "tasks still run; they are given back"
        );
        self.held.stop_all();
        // What is being settled still may be, as long as its lease can last.
        if tokio::time::timeout(self.lease, self.held.emptied())
            .await
            .is_err()
        {
            tracing::error!(
                worker = self.name,
                "the broker did not take everything back"
            );
        }
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew")
            .field("name", &self.name)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}
