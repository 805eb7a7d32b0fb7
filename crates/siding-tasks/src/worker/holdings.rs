//! The messages that a worker holds.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use crate::broker::{Lease, Revocation};
use crate::message::{Message, TaskId};
use crate::task::TaskContext;

/// The messages that a worker holds.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    messages: Mutex<HashMap<Lease, Held>>,
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

impl Holdings {
    /// Nothing is left half done under the lock.
    fn messages(&self) -> MutexGuard<'_, HashMap<Lease, Held>> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.messages().insert(lease, held);
        ended
    }

    /// A message that was held before its time gets on to `stage`, unless it was ended meanwhile.
    pub(super) fn advance(&self, lease: &Lease, stage: Stage) -> bool {
        let mut held = self.messages();
        let Some(held) = held.get_mut(lease) else {
            return false;
        };
        held.stage = stage;
        held.end.is_some()
    }

    pub(super) fn let_go(&self, lease: &Lease) {
        let mut held = self.messages();
        held.remove(lease);
        if held.is_empty() {
            self.empty.notify_waiters();
        }
    }

    /// Ends the work on a message.
    pub(super) fn end(&self, lease: &Lease, why: End) {
        if let Some(held) = self.messages().get_mut(lease) {
            held.end(why);
        }
    }

    /// Ends the work on a message, or says that it is not to begin.
    pub(super) fn revoke(&self, lease: &Lease, revocation: Revocation) {
        if let Some(held) = self.messages().get_mut(lease) {
            held.revoke(revocation);
        }
    }

    /// Gives back what has not begun.
    pub(super) fn stop_waiting(&self) {
        for held in self.messages().values_mut() {
            if held.stage != Stage::Active {
                held.end(End::Stopped);
            }
        }
    }

    /// Ends all work.
    pub(super) fn stop_all(&self) {
        for held in self.messages().values_mut() {
            held.end(End::Stopped);
        }
    }

    /// The leases that were renewed `age` ago or earlier.
    pub(super) fn leases_older_than(&self, age: Duration) -> Vec<Lease> {
        let held = self.messages();
        let old = held
            .iter()
            .filter(|(_, held)| held.renewed_at.elapsed() >= age);
        old.map(|(lease, _)| lease.clone()).collect()
    }

    /// The broker has renewed a lease.
    pub(super) fn renewed(&self, lease: &Lease, at: Instant) {
        if let Some(held) = self.messages().get_mut(lease) {
            held.renewed_at = at;
        }
    }

    /// What is held, and how far it is.
    pub(crate) fn all(&self) -> Vec<(Stage, TaskContext)> {
        let held = self.messages();
        let all = held.values().map(|held| (held.stage, held.context.clone()));
        all.collect()
    }

    /// How many tasks have a slot.
    pub(crate) fn active(&self) -> usize {
        let held = self.messages();
        let active = held.values().filter(|held| held.stage == Stage::Active);
        active.count()
    }

    /// Ends held tasks that `wanted` wants, as far as `revocation` goes. Returns the ids of those that end.
    pub(crate) fn revoke_all(
        &self,
        revocation: Revocation,
        wanted: impl Fn(&Message) -> bool,
    ) -> Vec<TaskId> {
        let mut ended = Vec::new();
        for held in self.messages().values_mut() {
            if wanted(held.context.message()) && held.revoke(revocation) {
                ended.push(held.context.id().clone());
            }
        }
        ended
    }

    /// Resolves when nothing is held.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.empty.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.messages().is_empty() {
                return;
            }
            emptied.await;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.messages().len()
    }
}

impl Held {
    /// Ends it if it has not begun, or `revocation` goes so far. Says whether it does.
    fn revoke(&mut self, revocation: Revocation) -> bool {
        let why = match (self.stage, revocation) {
            (Stage::Active, Revocation::Ignore) => return false,
            (Stage::Active, Revocation::Terminate) => End::Terminated,
            (Stage::Scheduled | Stage::Reserved, _) => End::Revoked,
        };
        self.end(why);
        true
    }

    fn end(&mut self, why: End) {
        if let Some(end) = self.end.take() {
            // Whoever settles it already listens no more.
            let _ = end.send(why);
        }
        // After that, so that a function which ends for this is known to.
        self.context.cancel();
    }
}
