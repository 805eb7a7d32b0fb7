//! Telling those who watch that tasks are sent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use siding_runtime::Handle;
use tokio::sync::mpsc;

use super::clock::LamportClock;
use super::event::{Event, Happened, Sender};
use super::herald::Outlet;
use crate::broker::{Broker, Settlement};
use crate::message::Message;

/// Events on their way at once; beyond it they are left out.
const EVENTS_MAX: usize = 4_096;

/// Tells those who watch that tasks are sent: Celery's `task_send_sent_event`.
#[derive(Debug, Default)]
pub(crate) struct SentEvents {
    enabled: AtomicBool,
    clock: LamportClock,
    queue: OnceLock<Option<mpsc::Sender<Event>>>,
    told: AtomicBool,
}

impl SentEvents {
    pub(crate) fn enable(&self, enabled: bool) {
        // Relaxed: nothing else is published by it.
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// Tells of what the end of a task has sent: its next try, or what follows it. Never waits.
    pub(crate) fn tell_after(&self, broker: &dyn Broker, settlement: &Settlement) {
        if !self.is_enabled() {
            return;
        }
        let messages = match settlement {
            Settlement::Success { successors, .. }
            | Settlement::Failure { successors, .. }
            | Settlement::Revoked { successors, .. } => successors.messages.clone(),
            Settlement::Retry { message, .. } => vec![message.clone()],
        };
        self.tell(broker, messages);
    }

    /// Tells of messages that `broker` has accepted. Never waits.
    pub(crate) fn tell(&self, broker: &dyn Broker, messages: Vec<Message>) {
        let Some(queue) = self.queue.get_or_init(|| open(broker)) else {
            return;
        };
        for mut message in messages {
            broker.route(&mut message);
            let event = Event::now(Happened::Sent(Box::new(message)), &self.clock);
            if queue.try_send(event).is_err() && !self.told.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "events of tasks that are sent are more than the broker takes; some are left out"
                );
            }
        }
    }
}

/// Where events go, as long as whoever sends them is there; nowhere, if the broker does not carry them.
fn open(broker: &dyn Broker) -> Option<mpsc::Sender<Event>> {
    let remote = broker.remote()?;
    let handle = Handle::try_current();
    let Some(handle) = handle else {
        tracing::warn!("events of tasks are sent by programs with a Siding runtime only");
        return None;
    };
    let (queue, mut events) = mpsc::channel::<Event>(EVENTS_MAX);
    let hostname = format!("gen{}@{}", std::process::id(), crate::host::name());
    let mut outlet = Outlet {
        remote: Arc::clone(&remote),
        sender: Sender::new(hostname),
        unsent: 0,
    };
    // It ends when the tasks are dropped, and with them the other end.
    drop(handle.spawn(async move {
        while let Some(event) = events.recv().await {
            let event = event.wire(&outlet.sender);
            outlet.send("task.sent".to_owned(), &event).await;
        }
    }));
    Some(queue)
}
