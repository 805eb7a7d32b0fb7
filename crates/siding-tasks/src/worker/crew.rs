//! What the parts of a worker share: the messages that it holds.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::Handle;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use crate::broker::{Broker, Lease, Revocation};
use crate::task::TaskContext;
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
    pub(crate) lease: Duration,
    pub(super) unsettled: Semaphore,
    held: Mutex<HashMap<Lease, Held>>,
    /// Told when nothing is held any more.
    empty: Notify,
}

/// A message that the worker holds.
#[derive(Debug)]
struct Held {
    end: Option<oneshot::Sender<End>>,
    context: TaskContext,
    stage: Stage,
    renewed_at: Instant,
}

/// How far a message is that the worker holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its time has not come.
    Scheduled,
    /// It is due, and waits for a slot.
    Reserved,
    /// It has its slot.
    Active,
}

/// Why work is ended from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The task was revoked, and has not begun.
    Revoked,
    /// The task was revoked, and has begun.
    Terminated,
    /// The message belongs to somebody else.
    Lost,
    /// The worker stops.
    Stopped,
}

impl Crew {
    pub(super) fn new(
        tasks: Tasks,
        broker: Arc<dyn Broker>,
        handle: Handle,
        name: String,
        lease: Duration,
    ) -> Self {
        Self {
            tasks,
            broker,
            handle,
            holder: format!("{name} {}", uuid::Uuid::new_v4()),
            name,
            lease,
            unsettled: Semaphore::new(UNSETTLED_MAX),
            held: Mutex::default(),
            empty: Notify::new(),
        }
    }

    /// Nothing is left half done under the lock.
    fn held(&self) -> MutexGuard<'_, HashMap<Lease, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a message from now on, until [`let_go`](Self::let_go). The context is told when it ends.
    pub(super) fn hold(
        &self,
        lease: Lease,
        context: TaskContext,
        stage: Stage,
    ) -> oneshot::Receiver<End> {
        let (end, ended) = oneshot::channel();
        let held = Held {
            end: Some(end),
            context,
            stage,
            renewed_at: Instant::now(),
        };
        self.held().insert(lease, held);
        ended
    }

    /// A message that was held before its time gets on to `stage`, unless it was ended meanwhile.
    pub(super) fn advance(&self, lease: &Lease, stage: Stage) -> bool {
        let mut held = self.held();
        let Some(held) = held.get_mut(lease) else {
            return false;
        };
        held.stage = stage;
        held.end.is_some()
    }

    pub(super) fn let_go(&self, lease: &Lease) {
        let mut held = self.held();
        held.remove(lease);
        if held.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Ends the work on a message.
    pub(super) fn end(&self, lease: &Lease, why: End) {
        if let Some(held) = self.held().get_mut(lease) {
            held.end(why);
        }
    }

    /// Ends the work on a message, or says that it is not to begin.
    pub(super) fn revoke(&self, lease: &Lease, revocation: Revocation) {
        let mut all = self.held();
        match all.get_mut(lease) {
            Some(held) if held.stage != Stage::Active => held.end(End::Revoked),
            Some(held) if revocation == Revocation::Terminate => held.end(End::Terminated),
            Some(_) | None => {}
        }
    }

    /// Gives back what has not begun.
    fn stop_waiting(&self) {
        for held in self.held().values_mut() {
            if held.stage != Stage::Active {
                held.end(End::Stopped);
            }
        }
    }

    /// Ends all work.
    pub(super) fn stop_all(&self) {
        for held in self.held().values_mut() {
            held.end(End::Stopped);
        }
    }

    /// The leases that were renewed `age` ago or earlier.
    pub(super) fn leases_older_than(&self, age: Duration) -> Vec<Lease> {
        let held = self.held();
        let old = held
            .iter()
            .filter(|(_, held)| held.renewed_at.elapsed() >= age);
        old.map(|(lease, _)| lease.clone()).collect()
    }

    /// The broker has renewed a lease.
    pub(super) fn renewed(&self, lease: &Lease, at: Instant) {
        if let Some(held) = self.held().get_mut(lease) {
            held.renewed_at = at;
        }
    }

    /// Waits for what runs until `limit`, then gives back the rest.
    pub(super) async fn drain(&self, limit: Duration) {
        self.stop_waiting();
        if tokio::time::timeout(limit, self.emptied()).await.is_ok() {
            return;
        }
        tracing::warn!(
            worker = self.name,
            tasks = self.held().len(),
            "tasks still run; they are given back"
        );
        self.stop_all();
        // What is being settled still may be, as long as its lease can last.
        if tokio::time::timeout(self.lease, self.emptied())
            .await
            .is_err()
        {
            tracing::error!(
                worker = self.name,
                "the broker did not take everything back"
            );
        }
    }

    async fn emptied(&self) {
        loop {
            let emptied = self.empty.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.held().is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

impl Held {
    fn end(&mut self, why: End) {
        self.context.cancel();
        if let Some(end) = self.end.take() {
            // Whoever settles it already listens no more.
            let _ = end.send(why);
        }
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew")
            .field("name", &self.name)
            .field("held", &self.held().len())
            .finish_non_exhaustive()
    }
}
