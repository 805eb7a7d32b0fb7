//! What a task is on its way: Celery's message, signature and result, in Celery's words.
//!
//! Source: the message protocol version 2 of Celery 5 (`celery/app/amqp.py`) and its result documents
//! (`celery/backends/base.py`).

pub(crate) mod body;
mod destination;
pub(crate) mod headers;
mod id;
mod meta;
mod priority;
#[cfg(test)]
pub(crate) mod random;
mod raw_json;
mod signature;
mod timestamp;
mod typed;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::time::Duration;

pub use destination::{Destination, DestinationError, Exchange, ExchangeKind};
pub use id::TaskId;
pub use meta::{Exception, Meta, State};
pub use priority::Priority;
pub use raw_json::RawJson;
pub use signature::{Embed, Signature, SignatureOptions};
pub use timestamp::Timestamp;

/// One call of a task, on its way to a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The task's id; a retry keeps it.
    pub id: TaskId,
    /// The name that the task is registered under.
    pub task: String,
    /// The positional arguments.
    pub args: Vec<RawJson>,
    /// The arguments by name.
    pub kwargs: BTreeMap<String, RawJson>,
    /// What follows the task's end.
    pub embed: Embed,
    /// The queue it waits in.
    pub queue: String,
    /// The exchange that it is sent to instead, which chooses the queues: Celery's `exchange` and `routing_key`. A message that
    /// has come out of a queue has none: sent again, it goes to that queue.
    pub destination: Option<Destination>,
    /// How urgent it is, as its broker counts; see [`Broker::priority_number`](crate::Broker::priority_number).
    pub priority: Priority,
    /// It must not start earlier.
    pub eta: Option<Timestamp>,
    /// It must not start later: then it is revoked instead.
    pub expires: Option<Timestamp>,
    /// How many times it was retried before.
    pub retries: u32,
    /// How long it may run.
    pub time_limits: TimeLimits,
    /// The first task of the workflow that it belongs to; its own id when it is the first.
    pub root_id: Option<TaskId>,
    /// The task that sent it.
    pub parent_id: Option<TaskId>,
    /// The group, and so the chord, that it is part of.
    pub group: Option<String>,
    /// Its place in the group.
    pub group_index: Option<u32>,
    /// Whether its result is thrown away.
    pub ignore_result: bool,
    /// While a task with the same key waits or runs, no other is accepted.
    pub unique_key: Option<String>,
    /// Who sent it: `gen<pid>@<host>`, as Celery has it.
    pub origin: Option<String>,
    /// Where whoever sent it waits for its result, if that is a queue.
    pub reply_to: Option<String>,
    /// Headers beyond these, such as stamps and trace contexts, which are passed on as they are.
    pub headers: BTreeMap<String, RawJson>,
}

impl Message {
    /// A call of `task` without arguments, due now, in the queue `celery`, under a new id.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            id: TaskId::new(),
            task: task.into(),
            args: Vec::new(),
            kwargs: BTreeMap::new(),
            embed: Embed::default(),
            queue: Self::DEFAULT_QUEUE.to_owned(),
            destination: None,
            priority: Priority::default(),
            eta: None,
            expires: None,
            retries: 0,
            time_limits: TimeLimits::default(),
            root_id: None,
            parent_id: None,
            group: None,
            group_index: None,
            ignore_result: false,
            unique_key: None,
            origin: None,
            reply_to: None,
            headers: BTreeMap::new(),
        }
    }

    /// The exchange and the routing key that it is sent with: of one that goes straight to a queue, the default exchange and
    /// the queue.
    pub(crate) fn address(&self) -> (&str, &str) {
        match &self.destination {
            Some(to) => (&to.exchange.name, &to.routing_key),
            None => ("", &self.queue),
        }
    }

    /// The queue that tasks wait in unless told otherwise, as in Celery.
    pub const DEFAULT_QUEUE: &str = "celery";
}

/// How long a task may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeLimits {
    /// After this long it is ended, as far as its lane can.
    pub hard: Option<Duration>,
    /// After this long it is asked to end.
    pub soft: Option<Duration>,
}
