//! What a worker counts, and which events it sends of its tasks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::clock::LamportClock;
use super::event::{Event, Happened};
use crate::broker::Settlement;
use crate::message::TaskId;
use crate::task::TaskContext;
use crate::worker::{Observer, TaskEvent};

/// Events on their way at once; beyond it they are left out.
const EVENTS_MAX: usize = 4_096;

/// Hears what becomes of tasks, counts, and passes it on as events where somebody wants them.
#[derive(Debug)]
pub(super) struct Reporter {
    pub(super) clock: Arc<LamportClock>,
    /// Told when a heartbeat is wanted at once.
    pub(super) beat: Notify,
    enabled: AtomicBool,
    events: mpsc::Sender<Event>,
    /// How many events were left out.
    pub(super) lost: AtomicU64,
    /// How many tasks have started, by name.
    started: Mutex<BTreeMap<String, u64>>,
}

impl Reporter {
    /// It sends events if `enabled`; they come out at the other end.
    pub(super) fn new(enabled: bool) -> (Self, mpsc::Receiver<Event>) {
        let (events, queue) = mpsc::channel(EVENTS_MAX);
        let reporter = Self {
            clock: Arc::default(),
            beat: Notify::new(),
            enabled: AtomicBool::new(enabled),
            events,
            lost: AtomicU64::new(0),
            started: Mutex::default(),
        };
        (reporter, queue)
    }

    /// Sends events, or sends none. Says whether that is new.
    pub(super) fn enable(&self, enabled: bool) -> bool {
        // Relaxed: an event more or less does no harm.
        self.enabled.swap(enabled, Ordering::Relaxed) != enabled
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// How many tasks have started, by name.
    pub(super) fn started(&self) -> BTreeMap<String, u64> {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.clone()
    }

    fn count(&self, context: &TaskContext) {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        match started.get_mut(context.name()) {
            Some(count) => *count += 1,
            None => drop(started.insert(context.name().to_owned(), 1)),
        }
    }

    fn send(&self, happened: Happened) {
        let event = Event::now(happened, &self.clock);
        if self.events.try_send(event).is_err() && self.lost.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!("events of tasks are more than the broker takes; some are left out");
        }
    }
}

impl Observer for Reporter {
    fn observe(&self, event: TaskEvent<'_>) {
        if let TaskEvent::Started(context) = event {
            self.count(context);
        }
        if !self.is_enabled() {
            return;
        }
        self.send(match event {
            TaskEvent::Received(context) => Happened::Received(context.clone()),
            TaskEvent::Started(context) => Happened::Started(context.id().clone()),
            TaskEvent::Released(context) => Happened::Rejected(context.id().clone()),
            TaskEvent::Ended(context, settlement, lasted) => {
                ended(context.id().clone(), settlement, lasted)
            }
        });
    }
}

fn ended(id: TaskId, settlement: &Settlement, lasted: std::time::Duration) -> Happened {
    match settlement {
        Settlement::Success { result, .. } => Happened::Succeeded(id, result.clone(), lasted),
        Settlement::Failure {
            exception,
            traceback,
            ..
        } => Happened::Failed(id, exception.clone(), traceback.clone()),
        Settlement::Retry {
            exception,
            traceback,
            ..
        } => Happened::Retried(id, exception.clone(), traceback.clone()),
        Settlement::Revoked { reason, .. } => Happened::Revoked(id, reason.clone()),
    }
}
