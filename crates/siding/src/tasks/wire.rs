//! The JSON of tasks, version 1, for the admin listener and `tasks list --json`.
//!
//! Times are Unix time in milliseconds. What is not known is `null`.

use std::collections::BTreeMap;

use serde::Serialize;
use siding_tasks::{
    Exception, Listed, Message, Meta, QueueCount, RawJson, ScheduleSnapshot, TaskId, Timestamp,
    Timetable, WorkerSnapshot,
};

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
    workers: Vec<Worker>,
}

impl Counts {
    pub(crate) fn of(overview: Vec<QueueCount>, workers: siding_tasks::Workers) -> Self {
        let mut states = BTreeMap::new();
        for count in &overview {
            *states.entry(count.state.as_str()).or_default() += count.tasks;
        }
        Self {
            queues: overview.into_iter().map(Queue::from).collect(),
            states,
            workers: workers.list.into_iter().map(Worker::from).collect(),
        }
    }
}

/// Who runs tasks.
#[derive(Serialize)]
pub(crate) struct Workers {
    version: u32,
    workers: Vec<Worker>,
    /// Why some are missing, if the broker cannot list them.
    note: Option<String>,
}

#[derive(Serialize)]
struct Worker {
    name: String,
    pid: u32,
    /// The part of the name behind `@`.
    host: String,
    queues: Vec<String>,
    /// Tasks that have a slot now.
    running: usize,
    /// How many may have one at the same time.
    slots: usize,
    /// Tasks that have ended in it.
    processed: u64,
    since_unix_ms: i64,
    /// When it told this.
    seen_unix_ms: i64,
}

impl From<siding_tasks::Workers> for Workers {
    fn from(workers: siding_tasks::Workers) -> Self {
        Self {
            version: VERSION,
            workers: workers.list.into_iter().map(Worker::from).collect(),
            note: workers.note,
        }
    }
}

impl From<WorkerSnapshot> for Worker {
    fn from(worker: WorkerSnapshot) -> Self {
        let host = worker.name.split_once('@').map_or("", |(_, host)| host);
        Self {
            pid: worker.pid,
            host: host.to_owned(),
            queues: worker.queues,
            running: worker.running,
            slots: worker.slots,
            processed: worker.processed,
            since_unix_ms: worker.since.as_millis(),
            seen_unix_ms: worker.seen.as_millis(),
            name: worker.name,
        }
    }
}

/// What is sent by the clock.
#[derive(Serialize)]
pub(crate) struct Schedules {
    version: u32,
    schedules: Vec<Schedule>,
    /// The worker that sends it; `null` when there is none, or the broker cannot tell.
    leader: Option<String>,
}

#[derive(Serialize)]
struct Schedule {
    name: String,
    task: String,
    /// A crontab, or `every` and an interval.
    when: String,
    time_zone: Option<&'static str>,
    next_unix_ms: Option<i64>,
    /// The latest tick, if it was sent and its result is still kept.
    last_unix_ms: Option<i64>,
}

impl From<Timetable> for Schedules {
    fn from(timetable: Timetable) -> Self {
        Self {
            version: VERSION,
            schedules: timetable
                .schedules
                .into_iter()
                .map(Schedule::from)
                .collect(),
            leader: timetable.leader,
        }
    }
}

impl From<ScheduleSnapshot> for Schedule {
    fn from(schedule: ScheduleSnapshot) -> Self {
        Self {
            name: schedule.name,
            task: schedule.task,
            when: schedule.when,
            time_zone: schedule.time_zone,
            next_unix_ms: schedule.next.map(Timestamp::as_millis),
            last_unix_ms: schedule.last.map(Timestamp::as_millis),
        }
    }
}

/// What became of a task that something was done to.
#[derive(Serialize)]
pub(crate) struct Done {
    version: u32,
    id: String,
    /// In words.
    became: &'static str,
}

impl Done {
    pub(crate) fn new(id: &TaskId, became: &'static str) -> Self {
        Self {
            version: VERSION,
            id: id.to_string(),
            became,
        }
    }
}

/// One task, for who asked for it.
#[derive(Serialize)]
pub(crate) struct OneTask {
    version: u32,
    #[serde(flatten)]
    task: Task,
}

impl From<Task> for OneTask {
    fn from(task: Task) -> Self {
        Self {
            version: VERSION,
            task,
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
