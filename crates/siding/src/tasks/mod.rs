//! Durable tasks: work that outlives the request and the process.
//!
//! [`App::with_tasks`](crate::App::with_tasks) gives them to an application. [`BackgroundTasks`](crate::BackgroundTasks) says
//! when they are the right choice; the page of the crate [`siding_tasks`] has the table of guarantees, of what a time limit
//! can do on each lane, and of Celery's names.

mod command;
mod find;
mod progress;
pub(crate) mod wire;

pub use siding_tasks::{
    AmqpUrl, ApplyAsync, AsyncResult, BackendUrl, BrokerUrl, Canvas, Destination, Exception,
    Exchange, ExchangeKind, GetError, Group, GroupResult, Meta, Priority, RawJson, RedisServer,
    RedisUrl, RemoteControl, Revocation, Schedule, Secret, SendError, Sentinels, ServerAddress,
    State, Task, TaskContext, TaskError, TaskId, TaskQueues, TaskRoutes, Tasks, Tls, TlsFiles,
    Unknown, UrlError, chain, chord, group,
};

pub(crate) use command::{CommandError, TaskCommand};
pub(crate) use find::{became, find};
