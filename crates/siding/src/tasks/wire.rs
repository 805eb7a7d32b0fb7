//! The JSON of tasks, version 1, for the admin listener and `tasks list --json`.
//!
//! Times are Unix time in milliseconds. What is not known is `null`.

use std::collections::BTreeMap;

use serde::Serialize;
use siding_tasks::{Exception, Listed, Message, Meta, QueueCount, RawJson, Timestamp};

/// The version of every answer. It changes when a field goes or changes its meaning, and not when one is added.
const VERSION: u32 = 1;

/// Tasks, the newest first, and how many there are.
#[derive(Serialize)]
pub(crate) struct Tasks {
    version: u32,
    queues: Vec<Queue>,
    tasks: Vec<Task>,
    /// Why there are none, if the broker cannot list them.
    #[serde(skip_serializing_if = "Option::is_none")]
    unlisted: Option<String>,
    /// Give it as `before` for the next page.
    next: Option<u64>,
}

#[derive(Serialize)]
struct Queue {
    queue: String,
    state: &'static str,
    tasks: u64,
}

/// How many tasks there are.
#[derive(Serialize)]
pub(crate) struct Counts {
    queues: Vec<Queue>,
    /// By state, in all queues together.
    states: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(crate) fn of(overview: Vec<QueueCount>) -> Self {
        let mut states = BTreeMap::new();
        for count in &overview {
            *states.entry(count.state.as_str()).or_default() += count.tasks;
        }
        Self {
            queues: overview.into_iter().map(Queue::from).collect(),
            states,
        }
    }
}

/// One task.
#[derive(Serialize)]
pub(crate) struct Task {
    id: String,
    task: String,
    state: &'static str,
    queue: Option<String>,
    priority: Option<u8>,
    retries: u32,
    deliveries: Option<u32>,
    sent_at: Option<i64>,
    eta: Option<i64>,
    args: Option<Vec<RawJson>>,
    kwargs: Option<BTreeMap<String, RawJson>>,
    date_done: Option<i64>,
    worker: Option<String>,
    parent_id: Option<String>,
    group: Option<String>,
    children: Vec<String>,
    result: Option<RawJson>,
    exception: Option<Failure>,
    traceback: Option<String>,
}

#[derive(Serialize)]
struct Failure {
    exc_type: String,
    exc_module: String,
    message: String,
}

impl Tasks {
    /// A page of at most `limit` tasks.
    pub(crate) fn page(overview: Vec<QueueCount>, tasks: Vec<Listed>, limit: usize) -> Self {
        let full = tasks.len() == limit;
        Self {
            version: VERSION,
            next: tasks.last().filter(|_| full).map(|oldest| oldest.position),
            queues: overview.into_iter().map(Queue::from).collect(),
            tasks: tasks.into_iter().map(Task::from).collect(),
            unlisted: None,
        }
    }

    /// What there is of a broker that cannot list its tasks.
    pub(crate) fn counted(overview: Vec<QueueCount>, why: String) -> Self {
        Self {
            unlisted: Some(why),
            ..Self::page(overview, Vec::new(), usize::MAX)
        }
    }
}

impl From<QueueCount> for Queue {
    fn from(count: QueueCount) -> Self {
        Self {
            queue: count.queue,
            state: count.state.as_str(),
            tasks: count.tasks,
        }
    }
}

impl From<Listed> for Task {
    fn from(listed: Listed) -> Self {
        let (args, kwargs) = listed
            .message
            .map(|Message { args, kwargs, .. }| (args, kwargs))
            .unzip();
        Self {
            queue: Some(listed.queue),
            priority: Some(listed.priority.get()),
            deliveries: Some(listed.deliveries),
            sent_at: known(listed.sent_at).map(Timestamp::as_millis),
            eta: listed.eta.map(Timestamp::as_millis),
            args,
            kwargs,
            ..Self::from(listed.meta)
        }
    }
}

/// When a task was sent, where the broker says so: a message of Celery's does not, and has the beginning of time.
pub(crate) fn known(sent_at: Timestamp) -> Option<Timestamp> {
    (sent_at.as_millis() > 0).then_some(sent_at)
}

/// All that a result says.
impl From<Meta> for Task {
    fn from(meta: Meta) -> Self {
        Self {
            id: meta.id.to_string(),
            task: meta.task,
            state: meta.state.as_str(),
            queue: None,
            priority: None,
            retries: meta.retries,
            deliveries: None,
            sent_at: None,
            eta: None,
            args: None,
            kwargs: None,
            date_done: meta.date_done.map(Timestamp::as_millis),
            worker: meta.worker,
            parent_id: meta.parent_id.map(|id| id.to_string()),
            group: meta.group,
            children: meta.children.iter().map(ToString::to_string).collect(),
            result: meta.result,
            exception: meta.exception.map(Failure::from),
            traceback: meta.traceback,
        }
    }
}

impl From<Exception> for Failure {
    fn from(exception: Exception) -> Self {
        Self {
            exc_type: exception.exc_type,
            exc_module: exception.exc_module,
            message: exception.message,
        }
    }
}
