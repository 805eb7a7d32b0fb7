//! Durable tasks: work that outlives the request, the process and the machine's power.
//!
//! A task is a named function and a [`Message`] that asks for it to be called. A [`Broker`] keeps messages until a worker
//! has settled them; words, states and message fields are Celery's.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use siding_tasks::{Embedded, EmbeddedSettings, Tasks};
//!
//! fn heavy_computation(n: u64) -> u64 {
//!     (0..n).sum()
//! }
//!
//! # let dir = tempfile::TempDir::new()?;
//! let tasks = Tasks::new();
//! let heavy = tasks.register("heavy_computation", heavy_computation);
//!
//! let runtime = siding_runtime::Builder::new().build()?;
//! runtime.block_on(async {
//!     let store = Embedded::open(dir.path(), EmbeddedSettings::default())?;
//!     tasks.connect(Arc::new(store));
//!
//!     let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
//!     let worker = siding_runtime::spawn(tasks.worker().run(async { drop(stopped.await) }));
//!
//!     let result = heavy.delay(1_000).await?;
//!     assert_eq!(result.get(Duration::from_secs(30)).await?, 499_500);
//!
//!     drop(stop);
//!     worker.await??;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Guarantees
//!
//! | what | is promised |
//! | --- | --- |
//! | a call that was sent | is durable once [`delay`](Task::delay) has returned |
//! | a task | runs at least once; twice when its worker is lost, or loses its lease, between its effects and its settlement |
//! | the end of a task: its result, what follows it, its part of a chord | happens exactly once inside of the broker: the three are one step, and a worker that comes late is refused |
//! | a tick of a [schedule](Tasks::every) | is sent once, whichever worker leads |
//! | a [unique key](ApplyAsync::unique) | is held by one task that waits or runs |
//! | a revocation | is remembered by the broker, also of a task that is not there yet |
//!
//! So a task's effects outside of the broker should be such that a second run does no harm: use
//! [`TaskContext::id`] as the key that tells a second run from the first.
//!
//! # Where tasks run, and what ends them
//!
//! | declared as | runs on | soft time limit | time limit, revocation, lost lease |
//! | --- | --- | --- | --- |
//! | `async fn` | the event loop, guarded and placed | asks: [`TaskContext::soft_time_limit`] | the future is dropped at its next `.await` |
//! | `fn` | the thread lane | asks: [`TaskContext::check`] | the worker reports it and goes on; the function is told by [`is_cancelled`](TaskContext::is_cancelled), and keeps its thread until it returns |
//! | for the compute lane | the compute lane | as above | as above |
//! | for the process lane | a child process | as above | the child is killed |
//!
//! Time limits count from when the function begins, however long it waits for its lane; those of the process lane from when
//! the call is given to the lane, so that they count the wait for a child. A task that panics fails with the panic's message; one
//! whose child crashes fails with `WorkerLostError`.
//!
//! A message whose task no worker here knows fails with `NotRegistered`, one whose arguments are not the function's with a
//! `TypeError` that names the argument. Both are kept as dead letters, which [`Broker::replay`] sends again.
//!
//! # Celery's names
//!
//! | Celery | here |
//! | --- | --- |
//! | `@app.task(name=…)` | [`Tasks::register`] |
//! | `autoretry_for`, `max_retries`, `default_retry_delay` | [`Task::retry_on`], [`Task::max_retries`], [`Task::retry_delay`] |
//! | `retry_backoff`, `retry_backoff_max`, `retry_jitter` | [`Task::backoff`] |
//! | `self.retry(countdown=…)` | [`TaskError::retry_in`] |
//! | `self.request` | [`TaskContext`] |
//! | `delay`, `apply_async`, `send_task` | [`Task::delay`], [`Task::apply_async`], [`Tasks::send_task`] |
//! | `AsyncResult`, `GroupResult` | [`AsyncResult`], [`GroupResult`] |
//! | `.s()`, `.si()`, `\|`, `chain`, `group`, `chord` | [`Task::s`], [`Task::si`], `\|`, [`chain()`], [`group()`], [`chord()`] |
//! | `exchange`, `routing_key`, `task_routes`, `task_queues`, `Broadcast` | [`ApplyAsync::exchange`], [`ApplyAsync::broadcast`], [`TaskRoutes`], [`TaskQueues`] |
//! | `link`, `link_error` | [`Canvas::link`], [`Canvas::link_error`] |
//! | beat, `crontab` | [`Tasks::every`], [`Tasks::crontab`]: every worker has it, one of them leads |
//! | `acks_late` | always |
//! | `task_track_started` | [`Worker::track_started`], [`Task::track_started`] |
//! | `celery worker -E`, `task_send_sent_event` | [`Worker::task_events`], [`Tasks::send_events`] |
//! | `celery inspect`, `celery control`, Flower | [`Worker::remote_control`] |
//! | `worker_prefetch_multiplier` | none: a worker claims what it has slots for |
//!
//! What differs: a group's result is always flat, by the order of its tasks; a chord fails with the first part that fails;
//! an argument that is missing is `null`, so that an `Option` may be left out.

#[cfg(feature = "amqp")]
mod amqp;
#[cfg(feature = "celery")]
mod background;
mod broker;
mod canvas;
#[cfg(feature = "celery")]
mod celery;
mod chance;
mod crews;
mod embedded;
mod figures;
mod host;
mod message;
mod periodic;
pub mod python;
mod queues;
#[cfg(feature = "redis")]
mod redis;
mod remote;
mod result;
mod routes;
mod send;
mod task;
mod tasks;
mod tracer;
mod url;
mod worker;

#[cfg(feature = "amqp")]
pub use amqp::{Amqp, AmqpSettings};
pub use broker::{
    Broker, BrokerError, BrokerFuture, Claim, ClaimRequest, Delivery, Enqueue, Enqueued, Found,
    Lease, ListFilter, Listed, QueueCount, Quota, Renewal, Revocation, Settled, Settlement,
};
pub use canvas::CanvasError;
#[cfg(feature = "celery")]
pub use celery::backend::ResultBackend;
pub use crews::Workers;
pub use embedded::{Clock, Embedded, EmbeddedSettings, ManualClock, OpenError, SystemClock};
pub use figures::TaskFigures;
pub use message::{
    Destination, DestinationError, Embed, Exception, Exchange, ExchangeKind, Message, Meta,
    Priority, RawJson, Signature, SignatureOptions, State, TaskId, TimeLimits, Timestamp,
};
pub use periodic::{Schedule, ScheduleSnapshot, Timetable};
pub use queues::{QueueError, TaskQueues};
#[cfg(feature = "redis")]
pub use redis::{Redis, RedisSettings};
pub use remote::{Broadcast, BrokerInfo, Listener, Remote, RemoteControl, UnknownMethod};
pub use result::{AsyncResult, GetError, GroupResult};
pub use routes::{RouteError, TaskRoutes};
pub use send::{ApplyAsync, Canvas, Group, SendError, chain, chord, group};
#[doc(hidden)]
pub use task::{ArgumentReader, Call, Declaration, Ended, ReadArguments, Work};
pub use task::{
    IntoArguments, Outcome, Task, TaskContext, TaskError, TaskFunction, WriteArguments,
};
pub use tasks::Tasks;
pub use tracer::Tracer;
pub use url::{
    AmqpUrl, BackendUrl, BrokerUrl, RedisServer, RedisUrl, Secret, Sentinels, ServerAddress, Tls,
    TlsFiles, UrlError,
};
pub use worker::{Unknown, Worker, WorkerError, WorkerSnapshot};
