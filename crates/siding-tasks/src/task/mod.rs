//! Functions that are tasks.
//!
//! A task is a function of up to eight arguments that serde can read, which returns something that serde can write, or a
//! `Result` of it. Its signature says where it runs: an `async fn` on the event loop, guarded and placed; a plain `fn` on
//! the thread lane, where it may block.

mod arguments;
mod call;
mod context;
mod definition;
mod error;
mod functions;
mod options;
mod outcome;
pub(crate) mod process;
pub(crate) mod via;

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

#[doc(hidden)]
pub use arguments::{ArgumentReader, ReadArguments};
pub use arguments::{IntoArguments, WriteArguments};
#[doc(hidden)]
pub use call::Call;
pub use context::TaskContext;
pub(crate) use context::{scope, scoped};
pub(crate) use definition::Definition;
pub use error::TaskError;
pub(crate) use options::{Delay, Options};
pub use outcome::Outcome;

use siding_runtime::{Kind, LaneKind};

use crate::message::{Priority, RawJson};
use crate::tasks::Tasks;

/// How a task's function ended.
#[doc(hidden)]
pub type Ended = Result<RawJson, TaskError>;

/// A function that can be a task; implemented for every `async fn` and `fn` of up to eight arguments that serde can read,
/// which may have a [`TaskContext`] before them.
///
/// There is no need to implement this trait, or to name it.
///
/// # About type parameter `M`
///
/// It is there so that the implementations for different numbers of arguments, and for `async fn` and `fn`, do not overlap;
/// the compiler infers it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a task",
    label = "not a function of up to eight values that serde can read",
    note = "a task is an `async fn` or a plain `fn`; every argument implements `serde::de::DeserializeOwned`, and only the \
            first may be a `TaskContext`",
    note = "what it returns implements `serde::Serialize`, or is a `Result` of that whose error implements \
            `std::error::Error` or is a `TaskError`",
    note = "a closure is `Clone`: what it captures and cannot be cloned goes into an `Arc`",
    note = "the future of an `async fn` is `Send`: nothing that is not `Send`, such as `Rc` or a lock guard, may live \
            across an `.await`"
)]
pub trait TaskFunction<M>: Send + Sync + Sized + 'static {
    /// Its arguments as a tuple.
    type Args: ReadArguments;
    /// What it returns when it succeeds.
    type Output;

    /// What it is and where it is meant to run.
    #[doc(hidden)]
    fn declaration() -> Declaration;

    /// The work of one call.
    #[doc(hidden)]
    fn call(&self, call: Call) -> Work;
}

/// What a task is, and where it is meant to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[doc(hidden)]
pub struct Declaration {
    /// `async fn` or `fn`.
    pub kind: Kind,
    /// The lane it is declared for.
    pub lane: LaneKind,
    /// Whether it stays there whatever it does.
    pub pinned: bool,
    /// Whether it returns a `Result` whose error would be taken for a success.
    pub hides_errors: bool,
}

impl Declaration {
    /// What a signature alone says: an `async fn` belongs on the event loop, a plain `fn` on the thread lane.
    #[must_use]
    pub const fn of(kind: Kind, hides_errors: bool) -> Self {
        let lane = match kind {
            Kind::Async => LaneKind::EventLoop,
            Kind::Plain => LaneKind::Threads,
        };
        Self {
            kind,
            lane,
            pinned: false,
            hides_errors,
        }
    }
}

/// The work of one call, for a lane.
#[doc(hidden)]
pub enum Work {
    /// Of an `async fn`.
    Async(Pin<Box<dyn Future<Output = Ended> + Send>>),
    /// Of a plain `fn`.
    Plain(Box<dyn FnOnce() -> Ended + Send>),
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Async(_) => "Async",
            Self::Plain(_) => "Plain",
        })
    }
}

/// A task of arguments `A` that returns `T`. Clones are cheap and are the same task.
///
/// Its options hold for every call of it, unless the call says otherwise. They belong where the task is registered.
///
/// ```
/// use std::time::Duration;
/// use siding_tasks::{TaskError, Tasks};
///
/// async fn resize(image: u64, width: Option<u32>) -> Result<u64, TaskError> {
///     Ok(image + u64::from(width.unwrap_or(100)))
/// }
///
/// let tasks = Tasks::new();
/// let resize = tasks
///     .register("resize", resize)
///     .arguments(["image", "width"])
///     .retry_on::<std::io::Error>()
///     .backoff(Duration::from_secs(1), Duration::from_secs(600))
///     .time_limit(Duration::from_secs(60));
/// # assert_eq!(resize.name(), "resize");
/// ```
pub struct Task<A, T> {
    pub(crate) tasks: Tasks,
    pub(crate) definition: Arc<Definition>,
    marker: PhantomData<fn(A) -> T>,
}

impl<A, T> Task<A, T> {
    pub(crate) fn new(tasks: Tasks, definition: Arc<Definition>) -> Self {
        Self {
            tasks,
            definition,
            marker: PhantomData,
        }
    }

    /// The name that it is registered under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    fn set(self, change: impl FnOnce(&mut Options)) -> Self {
        self.definition.change(change);
        self
    }

    /// Names the arguments, so that callers may give them by name.
    ///
    /// # Panics
    /// When there are not as many names as arguments, or one comes twice.
    #[must_use]
    pub fn arguments<N: Into<String>>(self, names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        assert_eq!(
            names.len(),
            self.definition.arguments(),
            "the task {:?} has another number of arguments than {names:?} has names",
            self.name(),
        );
        let twice = names
            .iter()
            .find(|name| names.iter().filter(|n| n == name).count() > 1);
        assert_eq!(
            twice,
            None,
            "two arguments of {:?} have one name",
            self.name()
        );
        self.set(|options| options.arguments = names)
    }

    /// How often a failed call is tried again at most; 3 unless set, as in Celery.
    #[must_use]
    pub fn max_retries(self, retries: u32) -> Self {
        self.set(|options| options.retry.max = retries)
    }

    /// Tries again when the error is an `E`, or has one among its causes: Celery's `autoretry_for`.
    #[must_use]
    pub fn retry_on<E: std::error::Error + 'static>(self) -> Self {
        self.retry_when(|error| error.find::<E>().is_some())
    }

    /// Tries again when `wanted` says so of the error.
    #[must_use]
    pub fn retry_when(self, wanted: impl Fn(&TaskError) -> bool + Send + Sync + 'static) -> Self {
        self.set(|options| options.retry.on.push(Arc::new(wanted)))
    }

    /// How long a retry waits, always; 180 s unless set, as in Celery.
    #[must_use]
    pub fn retry_delay(self, delay: Duration) -> Self {
        self.set(|options| options.retry.delay = Delay::Fixed(delay))
    }

    /// A retry waits for any part of a time that is `base` first, is doubled each time, and is `max` at most: Celery's
    /// `retry_backoff` with its full `retry_jitter`.
    #[must_use]
    pub fn backoff(self, base: Duration, max: Duration) -> Self {
        self.set(|options| {
            options.retry.delay = Delay::Backoff {
                base,
                max,
                jitter: true,
            };
        })
    }

    /// Like [`backoff`](Self::backoff), but a retry waits for all of that time.
    #[must_use]
    pub fn backoff_without_jitter(self, base: Duration, max: Duration) -> Self {
        self.set(|options| {
            options.retry.delay = Delay::Backoff {
                base,
                max,
                jitter: false,
            };
        })
    }

    /// This long after its function began the task is asked to end; see [`TaskContext::soft_time_limit_passed`].
    #[must_use]
    pub fn soft_time_limit(self, limit: Duration) -> Self {
        self.set(|options| options.time_limits.soft = Some(limit))
    }

    /// This long after its function began the task is ended, as far as its lane can; see [the crate's page](crate).
    #[must_use]
    pub fn time_limit(self, limit: Duration) -> Self {
        self.set(|options| options.time_limits.hard = Some(limit))
    }

    /// The queue that calls wait in; `celery` unless set.
    #[must_use]
    pub fn queue(self, queue: impl Into<String>) -> Self {
        let queue = queue.into();
        self.set(|options| options.queue = queue)
    }

    /// How urgent calls are.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.set(|options| options.priority = Some(priority))
    }

    /// Tells the broker when a call starts, so that its state is [`Started`](crate::State::Started) where the broker cannot
    /// tell that by itself. See [`Worker::track_started`](crate::Worker::track_started).
    #[must_use]
    pub fn track_started(self) -> Self {
        self.set(|options| options.track_started = true)
    }

    /// Throws results away.
    #[must_use]
    pub fn ignore_result(self) -> Self {
        self.set(|options| options.ignore_result = true)
    }
}

impl<A, T> Clone for Task<A, T> {
    fn clone(&self) -> Self {
        Self::new(self.tasks.clone(), Arc::clone(&self.definition))
    }
}

impl<A, T> fmt::Debug for Task<A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}
