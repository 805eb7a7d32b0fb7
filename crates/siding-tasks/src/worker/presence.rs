//! What a worker tells of itself.

use std::time::Duration;

use super::crew::Crew;
use crate::message::Timestamp;

/// From one report to the next. It is a small write, which no task waits for.
const BEAT: Duration = Duration::from_secs(10);

/// A report counts until two that should have followed it are missing.
const KEPT: Duration = Duration::from_secs(30);

/// A worker, as it told of itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerSnapshot {
    /// Its name where it is told from every other worker: two may have one name.
    pub holder: String,
    /// Its name, `name@host`.
    pub name: String,
    /// Its process.
    pub pid: u32,
    /// The queues that it claims from.
    pub queues: Vec<String>,
    /// Tasks that have a slot now.
    pub running: usize,
    /// How many may have one at the same time.
    pub slots: usize,
    /// Tasks that have ended in it.
    pub processed: u64,
    /// When it was started.
    pub since: Timestamp,
    /// When it told this.
    pub seen: Timestamp,
}

impl Crew {
    /// What there is to tell now.
    pub(crate) fn snapshot(&self) -> WorkerSnapshot {
        WorkerSnapshot {
            holder: self.holder.clone(),
            name: self.name.clone(),
            pid: std::process::id(),
            queues: self.queues(),
            running: self.held.active(),
            slots: self.slots.capacity(&self.tasks),
            processed: self.processed(),
            since: self.since,
            seen: self.tasks.now(),
        }
    }
}

/// Reports again and again. Never ends. A report that cannot be made is made the next time.
pub(super) async fn report(crew: &Crew) {
    loop {
        let reported = crew.broker.report(crew.snapshot(), KEPT).await;
        if let Err(error) = reported {
            tracing::debug!(worker = crew.name, %error, "the worker could not report");
        }
        tokio::time::sleep(BEAT).await;
    }
}

/// Says that the worker is gone.
pub(super) async fn leave(crew: &Crew) {
    if let Err(error) = crew.broker.leave(crew.holder.clone()).await {
        tracing::debug!(worker = crew.name, %error, "the worker could not say that it is gone");
    }
}
