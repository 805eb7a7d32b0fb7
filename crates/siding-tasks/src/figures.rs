//! What became of calls in this process, counted for those who watch it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use siding_runtime::Timings;

use crate::broker::Settlement;
use crate::message::{Message, TaskId, Timestamp};
use crate::task::TaskContext;
use crate::worker::{Observer, TaskEvent};

/// So many names are told apart: what is sent by name may be anything.
const NAMES_MAX: usize = 512;
/// The name of all others.
const OTHER: &str = "_OTHER";

/// What became of the calls of one task in this process, since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskFigures {
    /// Calls that this process sent, what follows the end of a task included.
    pub sent: u64,
    /// Messages that its workers were given. One that is delivered again counts again.
    pub received: u64,
    /// Tasks that began to run.
    pub started: u64,
    /// Tasks that returned.
    pub succeeded: u64,
    /// Tasks that failed for good: dead letters.
    pub failed: u64,
    /// Tasks that failed, and are tried again.
    pub retried: u64,
    /// Tasks that were revoked, or had expired.
    pub revoked: u64,
    /// Messages that were given back unfinished, because the worker stops.
    pub released: u64,
    /// How long after they were due tasks began to run: since they were sent, or since their eta. Only first tries of calls whose
    /// id tells when they were sent, as those of Siding do.
    pub queued: Timings,
    /// How long tasks ran, from when they had their slot to their end.
    pub runs: Timings,
}

impl Default for TaskFigures {
    fn default() -> Self {
        Self {
            sent: 0,
            received: 0,
            started: 0,
            succeeded: 0,
            failed: 0,
            retried: 0,
            revoked: 0,
            released: 0,
            queued: Timings::new(&Timings::LONG),
            runs: Timings::new(&Timings::LONG),
        }
    }
}

/// The figures of all tasks.
#[derive(Debug, Default)]
pub(crate) struct Figures(Mutex<BTreeMap<String, TaskFigures>>);

impl Figures {
    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<(String, TaskFigures)> {
        let figures = self.lock();
        let all = figures.iter().map(|(name, task)| (name.clone(), *task));
        all.collect()
    }

    /// A call of `task` was sent.
    pub(crate) fn sent(&self, task: &str) {
        self.count(task, |figures| figures.sent += 1);
    }

    /// Whatever follows the end of a task was sent with it.
    pub(crate) fn sent_after(&self, settlement: &Settlement) {
        match settlement {
            Settlement::Success { successors, .. }
            | Settlement::Failure { successors, .. }
            | Settlement::Revoked { successors, .. } => {
                for message in &successors.messages {
                    self.sent(&message.task);
                }
            }
            // The next try is the same call.
            Settlement::Retry { .. } => {}
        }
    }

    fn count(&self, task: &str, change: impl FnOnce(&mut TaskFigures)) {
        let mut all = self.lock();
        if let Some(figures) = all.get_mut(task) {
            return change(figures);
        }
        let name = if all.len() < NAMES_MAX { task } else { OTHER };
        change(all.entry(name.to_owned()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, TaskFigures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Figures {
    fn observe(&self, event: TaskEvent<'_>) {
        match event {
            TaskEvent::Received(context) => self.count(name(context), |task| task.received += 1),
            TaskEvent::Started(context) => {
                let waited = waited(context.message(), Timestamp::now());
                self.count(name(context), |task| {
                    task.started += 1;
                    if let Some(waited) = waited {
                        task.queued.record(waited);
                    }
                });
            }
            TaskEvent::Ended(context, settlement, lasted) => {
                self.count(name(context), |task| task.ended(settlement, lasted));
            }
            TaskEvent::Released(context) => self.count(name(context), |task| task.released += 1),
        }
    }
}

impl TaskFigures {
    fn ended(&mut self, settlement: &Settlement, lasted: Duration) {
        match settlement {
            Settlement::Success { .. } => self.succeeded += 1,
            Settlement::Failure { .. } => self.failed += 1,
            Settlement::Retry { .. } => self.retried += 1,
            // It may never have run.
            Settlement::Revoked { .. } => {
                self.revoked += 1;
                return;
            }
        }
        self.runs.record(lasted);
    }
}

fn name(context: &TaskContext) -> &str {
    &context.message().task
}

/// How long a task waited from when it was due to `now`. The clocks of two machines may differ: what comes out negative is zero.
fn waited(message: &Message, now: Timestamp) -> Option<Duration> {
    let sent = sent_at(&message.id).filter(|_| message.retries == 0)?;
    let due = message.eta.map_or(sent, |eta| eta.max(sent));
    Some(now.since(due))
}

/// A UUID of version 7 begins with the time at which it was made.
fn sent_at(id: &TaskId) -> Option<Timestamp> {
    let id = uuid::Uuid::parse_str(id.as_str()).ok()?;
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    let millis = i64::try_from(seconds).ok()?.checked_mul(1_000)?;
    (id.get_version_num() == 7)
        .then(|| Timestamp::from_millis(millis + i64::from(nanos / 1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_counts_from_when_a_task_was_due() {
        let mut message = Message::new("add");
        let sent = sent_at(&message.id).expect("a UUID of version 7");
        let wait =
            |message: &Message, seconds| waited(message, sent.after(Duration::from_secs(seconds)));
        assert_eq!(wait(&message, 5), Some(Duration::from_secs(5)));
        message.eta = Some(sent.after(Duration::from_secs(3)));
        assert_eq!(wait(&message, 5), Some(Duration::from_secs(2)));
        assert_eq!(wait(&message, 1), Some(Duration::ZERO));
        message.retries = 1;
        assert_eq!(wait(&message, 5), None);
        // Celery's are of version 4.
        message = Message::new("add");
        message.id = uuid::Uuid::new_v4().to_string().into();
        assert_eq!(wait(&message, 5), None);
    }

    #[test]
    fn names_are_bounded() {
        let figures = Figures::default();
        for number in 0..2 * NAMES_MAX {
            figures.sent(&number.to_string());
        }
        let all = figures.all();
        assert_eq!(all.len(), NAMES_MAX + 1);
        let (_, other) = all.iter().find(|(name, _)| name == OTHER).unwrap();
        assert_eq!(other.sent, NAMES_MAX as u64);
    }
}
