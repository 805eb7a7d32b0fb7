//! What runs tasks.

mod claims;
mod crew;
mod ended;
mod place;
mod renewal;
mod running;
mod settling;
mod slots;
mod unwind;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use siding_runtime::Handle;

pub(crate) use crew::Crew;

use crate::message::Message;
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
        let slots = slots::Slots::new(handle.config(), self.concurrency);
        let name = if self.name.contains('@') {
            self.name
        } else {
            format!("{}@{}", self.name, crate::host::name())
        };
        let lease = self.lease.min(broker.lease_max());
        let crew = Arc::new(Crew::new(self.tasks, broker, handle, name, lease));
        let _farewell = Farewell(&crew);
        tracing::info!(worker = crew.name, queues = ?self.queues, ?slots, "the worker takes tasks");
        let renewal = renewal::renew(&crew);
        tokio::pin!(renewal);
        let claims = claims::Claims::new(&crew, self.queues, slots, self.early_max);
        let ended = tokio::select! {
            ended = claims.run(stop) => ended,
            () = &mut renewal => Ok(()),
            () = crate::periodic::run(&crew) => Ok(()),
        };
        crate::periodic::resign(&crew).await;
        tokio::select! {
            () = crew.drain(self.stop_limit) => {}
            () = renewal => {}
        }
        tracing::info!(worker = crew.name, "the worker has stopped");
        ended
    }
}

/// Ends what still runs when the worker is dropped.
struct Farewell<'a>(&'a Arc<Crew>);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.stop_all();
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
