//! What a running task can learn of itself.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::Instant;

use super::TaskError;
use crate::message::{Message, TaskId, TimeLimits};

tokio::task_local! {
    static CURRENT: TaskContext;
}

/// What a running task can learn of itself. Clones are cheap and agree.
///
/// It is the first argument of a function that asks for it, or [`TaskContext::current`]. Messages that are sent while it is
/// the current one are children of the task.
///
/// ```
/// use siding_tasks::{TaskContext, TaskError};
///
/// fn convert(context: TaskContext, rows: Vec<u32>) -> Result<u32, TaskError> {
///     let mut sum = 0;
///     for row in rows {
///         context.check()?; // ends here when it was revoked, or its soft time limit has passed
///         sum += row;
///     }
///     Ok(sum)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TaskContext(Arc<ContextParts>);

#[derive(Debug)]
struct ContextParts {
    message: Message,
    worker: String,
    deliveries: u32,
    /// When its function began: until then it waits for its lane.
    began: SetOnce<Instant>,
    /// Its own time limits, or those of its task.
    limits: OnceLock<TimeLimits>,
    cancelled: AtomicBool,
    children: Mutex<Vec<TaskId>>,
}

impl TaskContext {
    /// Of a delivery of `message`, the so many-th, to `worker`.
    pub(crate) fn new(message: Message, worker: String, deliveries: u32) -> Self {
        Self(Arc::new(ContextParts {
            message,
            worker,
            deliveries,
            began: SetOnce::new(),
            limits: OnceLock::new(),
            cancelled: AtomicBool::new(false),
            children: Mutex::default(),
        }))
    }

    /// Its function begins now: its time limits count from here.
    pub(crate) fn begin(&self) {
        // Whoever comes second has nothing to add.
        let _ = self.0.began.set(Instant::now());
    }

    /// When its function began, once it has.
    pub(crate) async fn began(&self) -> Instant {
        *self.0.began.wait().await
    }

    /// When its function began, if it has.
    pub(crate) fn began_at(&self) -> Option<Instant> {
        self.0.began.get().copied()
    }

    /// It may run so long, where its message says nothing else.
    pub(crate) fn limit(&self, limits: TimeLimits) {
        let own = self.0.message.time_limits;
        // It is begun once.
        let _ = self.0.limits.set(TimeLimits {
            hard: own.hard.or(limits.hard),
            soft: own.soft.or(limits.soft),
        });
    }

    /// How long it may run.
    pub(crate) fn time_limits(&self) -> TimeLimits {
        let limits = self.0.limits.get().copied();
        limits.unwrap_or(self.0.message.time_limits)
    }

    fn at(&self, limit: Option<Duration>) -> Option<Instant> {
        Some(*self.0.began.get()? + limit?)
    }

    /// The context of the task that runs on this thread.
    ///
    /// # Panics
    /// Outside any task, and on other threads than the task's own, such as those of a `par_iter`: clone it there.
    #[must_use]
    pub fn current() -> Self {
        Self::try_current().expect("called from code that no task runs")
    }

    /// Like [`current`](Self::current), but `None` outside any task.
    #[must_use]
    pub fn try_current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    pub(crate) fn message(&self) -> &Message {
        &self.0.message
    }

    /// The task's id.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.0.message.id
    }

    /// The name that the task is registered under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.message.task
    }

    /// How many times it was retried before.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.0.message.retries
    }

    /// How many times it was delivered, this one included. More than one in a try says that a worker was lost, or stopped,
    /// while it ran.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        self.0.deliveries
    }

    /// The first task of the workflow; itself, if it is that.
    #[must_use]
    pub fn root_id(&self) -> &TaskId {
        self.0.message.root_id.as_ref().unwrap_or(self.id())
    }

    /// The task that sent it.
    #[must_use]
    pub fn parent_id(&self) -> Option<&TaskId> {
        self.0.message.parent_id.as_ref()
    }

    /// The worker that runs it, `name@host`.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.0.worker
    }

    /// When its time limit ends it; before its function has begun, and without a limit, `None`.
    #[must_use]
    pub fn deadline(&self) -> Option<std::time::Instant> {
        self.at(self.time_limits().hard).map(Instant::into_std)
    }

    /// Whether it should end because its soft time limit has passed.
    #[must_use]
    pub fn soft_time_limit_passed(&self) -> bool {
        self.at(self.time_limits().soft)
            .is_some_and(|at| at <= Instant::now())
    }

    /// Resolves when the soft time limit passes; never, when there is none.
    pub async fn soft_time_limit(&self) {
        match self.time_limits().soft {
            Some(limit) => tokio::time::sleep_until(self.began().await + limit).await,
            None => std::future::pending().await,
        }
    }

    /// Whether nobody wants its result any more: it was revoked, its time limit has passed, or its worker has lost it. What
    /// it still does may be done by another worker at the same time.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        // Relaxed: it says nothing about other memory.
        self.0.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// It has sent these.
    pub(crate) fn add_children(&self, ids: impl Iterator<Item = TaskId>) {
        let mut children = self
            .0
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        children.extend(ids);
    }

    /// What it has sent so far.
    pub(crate) fn children(&self) -> Vec<TaskId> {
        let children = self
            .0
            .children
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        children.clone()
    }

    /// Fails when the task should end: call it between the steps of long work.
    ///
    /// # Errors
    /// `SoftTimeLimitExceeded` after the soft time limit; when it is [cancelled](Self::is_cancelled), an error that nobody
    /// will see.
    pub fn check(&self) -> Result<(), TaskError> {
        if self.is_cancelled() {
            return Err(TaskError::new("nobody wants the result any more"));
        }
        if self.soft_time_limit_passed() {
            return Err(TaskError::soft_time_limit());
        }
        Ok(())
    }
}

/// `future` with `context` as the current one while it is polled. The task begins with the first poll.
pub(crate) fn scope<F: Future>(context: TaskContext, future: F) -> impl Future<Output = F::Output> {
    let begun = context.clone();
    CURRENT.scope(context, async move {
        begun.begin();
        future.await
    })
}

/// Runs `f` with `context` as the current one. The task begins.
pub(crate) fn scoped<R>(context: TaskContext, f: impl FnOnce() -> R) -> R {
    context.begin();
    CURRENT.sync_scope(context, f)
}
