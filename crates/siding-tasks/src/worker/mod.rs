//! What runs tasks.

mod claims;
mod crew;
mod ended;
mod holdings;
mod observer;
mod place;
mod presence;
mod rates;
mod renewal;
mod revoked;
mod running;
mod settling;
mod slots;
mod starting;
mod unwind;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::Handle;

pub(crate) use crew::Crew;
pub(crate) use holdings::Stage;
pub(crate) use observer::{Observer, TaskEvent};
pub use presence::WorkerSnapshot;
pub(crate) use rates::Rate;
pub(crate) use revoked::{stamps, texts};

use crate::message::Message;
use crate::remote::{Companion, RemoteControl};
use crate::send::SendError;
use crate::tasks::Tasks;

/// How long a lease lasts unless set: work of a worker that is gone is found after this long.
const LEASE: Duration = Duration::from_secs(30);

/// How many messages are held before their time unless set.
const EARLY_MAX: usize = 10_000;

/// Runs tasks: claims messages that are due, runs their functions on the lanes of the runtime, and settles them.
///
/// # Bound
/// Each lane has as many slots as it has threads, or children; the event loop has 256. A message is claimed when its task's
/// lane has a free one: none waits behind a long task while another worker could run it, and a lane that is full holds up
/// no task of another. [`concurrency`](Self::concurrency) bounds them all together.
///
/// # Cancellation
/// A task that is revoked with [`Terminate`](crate::Revocation::Terminate), has passed its time limit, or whose lease was
/// lost is ended as far as its lane can: a future is dropped at its next `.await`, a function of the thread or compute lane
/// is told by [`TaskContext::is_cancelled`](crate::TaskContext::is_cancelled) and goes on if it does not ask. What it does or
/// says after that does not count.
///
/// # Shutdown
/// When told to stop it claims nothing more. What runs has [a limit](Self::stop_limit) to end; the rest is given back at once,
/// and is due again.
///
/// ```no_run
/// # async fn main_of(tasks: siding_tasks::Tasks) -> Result<(), Box<dyn std::error::Error>> {
/// tasks
///     .worker()
///     .name("images")
///     .queues(["celery", "images"])
///     .run(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "does nothing unless it runs"]
pub struct Worker {
    tasks: Tasks,
    name: String,
    queues: Vec<String>,
    concurrency: Option<usize>,
    lease: Duration,
    stop_limit: Duration,
    early_max: usize,
    unknown: Unknown,
    track_started: bool,
    task_events: bool,
    remote_control: RemoteControl,
}

/// What a worker does with a message whose task it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The task fails with `NotRegistered`, and its message is kept as a dead letter. Choose this where every worker of a queue
    /// should know all of its tasks.
    Fail,
    /// The message is left to another worker. Choose this where workers of several programs share a queue. What nobody knows
    /// waits for ever. A broker that cannot tell tasks apart hands such messages over nevertheless, and gets them back after a
    /// second.
    Leave,
}

impl Tasks {
    /// A worker for these tasks.
    pub fn worker(&self) -> Worker {
        Worker {
            tasks: self.clone(),
            name: "worker".to_owned(),
            queues: vec![Message::DEFAULT_QUEUE.to_owned()],
            concurrency: None,
            lease: LEASE,
            stop_limit: Duration::from_secs(30),
            early_max: EARLY_MAX,
            unknown: Unknown::Fail,
            track_started: false,
            task_events: false,
            remote_control: RemoteControl::All,
        }
    }
}

impl Worker {
    /// Its name. `@` and the machine's name are added, unless there is an `@`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The queues it serves; `celery` unless set.
    pub fn queues<Q: Into<String>>(mut self, queues: impl IntoIterator<Item = Q>) -> Self {
        self.queues = queues.into_iter().map(Into::into).collect();
        self
    }

    /// How many tasks it runs at once at most, on all lanes together; unless set, as many as those lanes that its tasks are
    /// declared for have slots. The event loop then has as many slots as this, more than 256 too; other lanes keep theirs.
    ///
    /// # Panics
    /// When it is zero.
    pub fn concurrency(mut self, tasks: usize) -> Self {
        assert!(tasks > 0, "a worker without slots runs nothing");
        self.concurrency = Some(tasks);
        self
    }

    /// How long a lease lasts until it is renewed, which happens three times in this time; 30 s unless set. Work of a worker
    /// that is gone is found after this long.
    pub fn lease(mut self, period: Duration) -> Self {
        self.lease = period;
        self
    }

    /// How long running tasks have to end when the worker is told to stop; 30 s unless set.
    pub fn stop_limit(mut self, limit: Duration) -> Self {
        self.stop_limit = limit;
        self
    }

    /// How many messages it holds at most that a broker delivered before their eta; 10 000 unless set. They take no slot, but
    /// some memory, and their leases are renewed. When there are so many, it claims nothing until one of them is due: choose
    /// more when many tasks wait for long and others must not wait behind them.
    ///
    /// # Panics
    /// When it is zero.
    pub fn early_max(mut self, messages: usize) -> Self {
        assert!(
            messages > 0,
            "a worker that may hold nothing claims nothing"
        );
        self.early_max = messages;
        self
    }

    /// What it does with a message whose task it does not know; [`Unknown::Fail`] unless set.
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// Tells the broker when a task starts, for all tasks: Celery's `task_track_started`. Unless set, a broker that does not
    /// see that by itself says that a task is pending while it runs. It costs a message for each task.
    pub fn track_started(mut self) -> Self {
        self.track_started = true;
        self
    }

    /// Whether it sends an event when a task is received, starts and ends, as `celery worker -E` does; `false` unless set. Remote
    /// control may change it. Events are sent beside the tasks, and left out when they are too many.
    pub fn task_events(mut self, send: bool) -> Self {
        self.task_events = send;
        self
    }

    /// What others may ask of it through the broker; [`RemoteControl::All`] unless set. It is asked nothing where the broker
    /// carries no such messages, as the embedded store does.
    pub fn remote_control(mut self, allowed: RemoteControl) -> Self {
        self.remote_control = allowed;
        self
    }

    /// Runs tasks until `stop` resolves, and then until none of them runs.
    ///
    /// # Errors
    /// When there is no broker yet, or it will never work again.
    ///
    /// # Panics
    /// Outside a Siding runtime.
    ///
    /// # Cancellation
    /// Dropping the future, while it stops too, gives back at once what runs, and waits for nothing.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), WorkerError> {
        let broker = Arc::clone(self.tasks.broker()?);
        let handle = Handle::current();
        let name = self.full_name();
        let companion = Companion::new(&*broker, &name, self.task_events, self.remote_control);
        let mut observers = companion.observers();
        observers.push(Arc::clone(self.tasks.counted()) as _);
        let setup = crew::Setup {
            name,
            lease: self.lease.min(broker.lease_max()),
            slots: slots::Slots::new(handle.config(), self.concurrency),
            queues: self.queues,
            track_started: self.track_started,
            observers,
        };
        let crew = Arc::new(Crew::new(self.tasks, broker, handle, setup));
        let _farewell = Farewell(&crew);
        crew.tasks.crews().join(&crew);
        tracing::info!(worker = crew.name, queues = ?crew.queues(), slots = ?crew.slots, "the worker takes tasks");
        let companion = companion.join(&crew);
        let renewal = renewal::renew(&crew);
        tokio::pin!(renewal);
        let stop = async {
            tokio::select! {
                () = stop => {}
                () = crew.stopped() => {}
            }
        };
        let claims = claims::Claims::new(&crew, self.unknown, self.early_max);
        let ended = tokio::select! {
            ended = claims.run(stop) => ended,
            () = &mut renewal => Ok(()),
            () = crate::periodic::run(&crew) => Ok(()),
            () = presence::report(&crew) => Ok(()),
        };
        crate::periodic::resign(&crew).await;
        tokio::select! {
            () = crew.drain(self.stop_limit) => {}
            () = renewal => {}
        }
        presence::leave(&crew).await;
        companion.leave().await;
        tracing::info!(worker = crew.name, "the worker has stopped");
        ended
    }

    fn full_name(&self) -> String {
        if self.name.contains('@') {
            self.name.clone()
        } else {
            format!("{}@{}", self.name, crate::host::name())
        }
    }
}

/// Ends what still runs when the worker is dropped.
struct Farewell<'a>(&'a Arc<Crew>);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.held.stop_all();
    }
}

impl fmt::Debug for Farewell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Farewell")
    }
}

/// Why a worker ended by itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// There is nothing to claim from.
    #[error(transparent)]
    NotConnected(#[from] SendError),
    /// The broker will never give it anything any more.
    #[error("the broker failed")]
    Broker(#[source] crate::broker::BrokerError),
}
