//! Durable tasks: work that outlives the request, the process and the machine's power.
//!
//! A task is a named function and a [`Message`] that asks for it to be called. A [`Broker`] keeps messages until a worker
//! has settled them; words, states and message fields are Celery's.

mod broker;
mod canvas;
mod embedded;
mod host;
mod message;
mod periodic;
mod result;
mod send;
mod task;
mod tasks;
mod worker;

pub use broker::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Delivery, Enqueue, Enqueued, Found,
    Lease, ListFilter, Listed, QueueCount, Renewal, Revocation, Settled, Settlement,
};
pub use canvas::CanvasError;
pub use embedded::{Clock, Embedded, EmbeddedSettings, ManualClock, OpenError, SystemClock};
pub use message::{
    Embed, Exception, Message, Meta, Priority, RawJson, Signature, SignatureOptions, State, TaskId,
    TimeLimits, Timestamp,
};
pub use periodic::Schedule;
pub use result::{AsyncResult, GetError, GroupResult};
pub use send::{ApplyAsync, Canvas, Group, SendError, chain, chord, group};
#[doc(hidden)]
pub use task::{ArgumentReader, Call, Declaration, Ended, ReadArguments, Work};
pub use task::{
    IntoArguments, Outcome, Task, TaskContext, TaskError, TaskFunction, WriteArguments,
};
pub use tasks::Tasks;
pub use worker::{Worker, WorkerError};
