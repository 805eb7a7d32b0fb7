//! What a worker, or whoever sends tasks, tells those who watch: Celery's events.
//!
//! Source: Celery 5.7, `celery/events/` and `celery/worker/request.py`.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::clock::LamportClock;
use super::{shown, system};
use crate::message::{Exception, Message, RawJson, TaskId};
use crate::task::TaskContext;

/// Something that happened to a task, and when.
#[derive(Debug)]
pub(super) struct Event {
    happened: Happened,
    clock: u64,
    timestamp: f64,
}

/// What happened to a task.
#[derive(Debug)]
pub(super) enum Happened {
    Sent(Box<Message>),
    Received(TaskContext),
    Started(TaskId),
    Succeeded(TaskId, RawJson, Duration),
    Failed(TaskId, Exception, Option<String>),
    Retried(TaskId, Exception, Option<String>),
    /// And why: `revoked`, `terminated` or `expired`.
    Revoked(TaskId, String),
    /// It was given back.
    Rejected(TaskId),
}

/// What all events of one sender say.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) hostname: String,
    pub(super) pid: u32,
    pub(super) utc_offset: f64,
}

impl Sender {
    pub(super) fn new(hostname: String) -> Self {
        Self {
            hostname,
            pid: std::process::id(),
            utc_offset: system::utc_offset(),
        }
    }

    /// An event of this sender.
    pub(super) fn event(
        &self,
        kind: &str,
        clock: u64,
        timestamp: f64,
        mut fields: Map<String, Value>,
    ) -> Value {
        let common = [
            ("type", json!(kind)),
            ("hostname", json!(self.hostname)),
            ("pid", json!(self.pid)),
            ("utcoffset", json!(self.utc_offset)),
            ("clock", json!(clock)),
            ("timestamp", json!(timestamp)),
        ];
        fields.extend(common.map(|(name, value)| (name.to_owned(), value)));
        Value::Object(fields)
    }
}

impl Event {
    /// It happens now.
    pub(super) fn now(happened: Happened, clock: &LamportClock) -> Self {
        Self {
            happened,
            clock: clock.forward(),
            timestamp: system::unix_seconds(),
        }
    }

    /// As it is sent.
    pub(super) fn wire(&self, sender: &Sender) -> Value {
        let fields = self.happened.fields();
        sender.event(self.happened.kind(), self.clock, self.timestamp, fields)
    }
}

impl Happened {
    fn kind(&self) -> &'static str {
        match self {
            Self::Sent(_) => "task-sent",
            Self::Received(_) => "task-received",
            Self::Started(_) => "task-started",
            Self::Succeeded(..) => "task-succeeded",
            Self::Failed(..) => "task-failed",
            Self::Retried(..) => "task-retried",
            Self::Revoked(..) => "task-revoked",
            Self::Rejected(_) => "task-rejected",
        }
    }

    fn fields(&self) -> Map<String, Value> {
        match self {
            Self::Sent(message) => {
                let mut fields = call(message);
                let (exchange, routing_key) = message.address();
                fields.insert("queue".to_owned(), json!(message.queue));
                fields.insert("exchange".to_owned(), json!(exchange));
                fields.insert("routing_key".to_owned(), json!(routing_key));
                fields
            }
            Self::Received(context) => call(context.message()),
            Self::Started(id) => of(id, []),
            Self::Succeeded(id, result, runtime) => of(
                id,
                [
                    ("result", json!(shown::value(result))),
                    ("runtime", json!(runtime.as_secs_f64())),
                ],
            ),
            Self::Failed(id, exception, traceback) | Self::Retried(id, exception, traceback) => of(
                id,
                [
                    ("exception", json!(shown::exception(exception))),
                    ("traceback", json!(traceback)),
                ],
            ),
            Self::Revoked(id, reason) => of(
                id,
                [
                    ("terminated", json!(reason == "terminated")),
                    // No signal ends a task here.
                    ("signum", Value::Null),
                    ("expired", json!(reason == "expired")),
                ],
            ),
            Self::Rejected(id) => of(id, [("requeue", json!(true))]),
        }
    }
}

fn of<const N: usize>(id: &TaskId, fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.map(|(name, value)| (name.to_owned(), value));
    let mut fields = Map::from_iter(fields);
    fields.insert("uuid".to_owned(), json!(id));
    fields
}

fn call(message: &Message) -> Map<String, Value> {
    of(
        &message.id,
        [
            ("name", json!(message.task)),
            ("args", json!(shown::args(message))),
            ("kwargs", json!(shown::kwargs(message))),
            ("root_id", json!(message.root_id)),
            ("parent_id", json!(message.parent_id)),
            ("retries", json!(message.retries)),
            ("eta", json!(message.eta.map(|eta| eta.to_string()))),
            ("expires", json!(message.expires.map(|at| at.to_string()))),
        ],
    )
}
