//! The tasks of an application and the broker that keeps them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use siding_runtime::{Functions, LaneKind};

use crate::broker::{Broker, Revocation};
use crate::canvas::Family;
use crate::embedded::{Clock, SystemClock};
use crate::figures::{Figures, TaskFigures};
use crate::message::{RawJson, Signature, TaskId, Timestamp};
use crate::result::AsyncResult;
use crate::send::{ApplyAsync, Canvas, SendError};
use crate::task::{Definition, Task, TaskContext, TaskFunction, process};
use crate::tracer::Tracer;

/// The tasks of an application. Clones are cheap and share everything.
///
/// Tasks are registered first; [`connect`](Self::connect) gives them a broker, and from then on they can be sent and run.
///
/// ```
/// use siding_tasks::Tasks;
///
/// fn heavy_computation(n: u64) -> u64 {
///     (0..n).sum()
/// }
///
/// let tasks = Tasks::new();
/// let heavy = tasks.register("heavy_computation", heavy_computation);
/// # async fn send(heavy: siding_tasks::Task<(u64,), u64>) -> Result<(), Box<dyn std::error::Error>> {
/// let result = heavy.delay(1_000).await?;
/// let sum: u64 = result.get(std::time::Duration::from_secs(10)).await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tasks(Arc<Shared>);

struct Shared {
    registry: RwLock<BTreeMap<String, Arc<Definition>>>,
    broker: OnceLock<Arc<dyn Broker>>,
    schedules: crate::periodic::Schedules,
    crews: crate::crews::Crews,
    sent_events: crate::remote::SentEvents,
    figures: Arc<Figures>,
    tracer: OnceLock<Arc<dyn Tracer>>,
    origin: String,
    clock: Arc<dyn Clock>,
}

impl Tasks {
    /// None yet, and no broker.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a registry is made on purpose")]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// Like [`new`](Self::new), with another clock than the machine's: the one that etas, expiries and schedules are told by.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            registry: RwLock::default(),
            broker: OnceLock::new(),
            schedules: crate::periodic::Schedules::default(),
            crews: crate::crews::Crews::default(),
            sent_events: crate::remote::SentEvents::default(),
            figures: Arc::default(),
            tracer: OnceLock::new(),
            origin: crate::host::origin(),
            clock,
        }))
    }

    /// Makes `function` the task `name`.
    ///
    /// # Panics
    /// When a task of this name is registered already, and when the function returns a `Result` whose error neither implements
    /// [`std::error::Error`] nor is a [`TaskError`](crate::TaskError): its errors would be results.
    pub fn register<F, M>(&self, name: impl Into<String>, function: F) -> Task<F::Args, F::Output>
    where
        F: TaskFunction<M>,
    {
        let name = name.into();
        let definition = Arc::new(Definition::new(name.clone(), function));
        let before = self
            .0
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.clone(), Arc::clone(&definition));
        assert!(before.is_none(), "two tasks are registered as {name:?}");
        Task::new(self.clone(), definition)
    }

    /// The names of all registered tasks.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.definitions()
            .iter()
            .map(|task| task.name().to_owned())
            .collect()
    }

    /// Gives the tasks their broker.
    ///
    /// # Panics
    /// When they have one.
    pub fn connect(&self, broker: Arc<dyn Broker>) {
        let connected = self.0.broker.set(broker);
        assert!(
            connected.is_ok(),
            "the tasks are connected to a broker already"
        );
    }

    /// The broker.
    ///
    /// # Errors
    /// [`SendError::NotConnected`] before [`connect`](Self::connect).
    pub fn broker(&self) -> Result<&Arc<dyn Broker>, SendError> {
        self.0.broker.get().ok_or(SendError::NotConnected)
    }

    /// A call of a task that may be registered in another program, with arguments as JSON.
    ///
    /// ```
    /// # async fn send(tasks: siding_tasks::Tasks) -> Result<(), Box<dyn std::error::Error>> {
    /// use siding_tasks::RawJson;
    ///
    /// let result = tasks
    ///     .send_task::<i64>("tasks.add", vec![RawJson::of(&2)?], [("y".to_owned(), RawJson::of(&3)?)])
    ///     .queue("python")
    ///     .await?;
    /// # Ok(()) }
    /// ```
    pub fn send_task<T>(
        &self,
        name: &str,
        args: Vec<RawJson>,
        kwargs: impl IntoIterator<Item = (String, RawJson)>,
    ) -> ApplyAsync<T> {
        let (mut message, priority) = match self.definition(name) {
            Some(definition) => (definition.message(), definition.options().priority),
            None => (crate::message::Message::new(name), None),
        };
        message.args = args;
        message.kwargs = kwargs.into_iter().collect();
        ApplyAsync::new(self.clone(), Ok(message), priority)
    }

    /// The same as a part of a [chain](crate::chain), [group](crate::group) or [chord](crate::chord): Celery's
    /// `app.signature(name)`.
    ///
    /// ```
    /// # async fn send(tasks: siding_tasks::Tasks) -> Result<(), Box<dyn std::error::Error>> {
    /// use siding_tasks::{RawJson, chord};
    ///
    /// let add = |n: u8| tasks.signature::<i64>("tasks.add", vec![RawJson::of(&n).expect("a number")], []);
    /// let total = tasks.signature::<i64>("tasks.sum", vec![], []);
    /// let result = chord([add(1), add(2)], total).delay().await?;
    /// # Ok(()) }
    /// ```
    pub fn signature<T>(
        &self,
        name: &str,
        args: Vec<RawJson>,
        kwargs: impl IntoIterator<Item = (String, RawJson)>,
    ) -> Canvas<T> {
        let mut signature = match self.definition(name) {
            Some(definition) => definition.signature(),
            None => Signature::new(name),
        };
        signature.args = args;
        signature.kwargs = kwargs.into_iter().collect();
        Canvas::new(self.clone(), Ok(signature))
    }

    /// The result of the task `id`, as a `T`.
    #[must_use]
    pub fn result<T>(&self, id: impl Into<TaskId>) -> AsyncResult<T> {
        AsyncResult::new(self.clone(), id.into())
    }

    /// Says that a task is not to run, now or ever; with [`Revocation::Terminate`], that it should end if it runs.
    ///
    /// # Errors
    /// When there is no broker, or it cannot do so.
    pub async fn revoke(
        &self,
        id: impl Into<TaskId>,
        revocation: Revocation,
    ) -> Result<(), SendError> {
        Ok(self.broker()?.revoke(id.into(), revocation).await?)
    }

    /// Whether those who watch the broker are told of each call that is sent: Celery's `task_send_sent_event`. `false` unless
    /// set. Of what a worker of these tasks sends at the end of one, the next try, the next of a chain, callbacks and errbacks are
    /// told; the body of a chord, or its errbacks, which the broker sends when the last part has been counted, is not.
    pub fn send_events(&self, send: bool) {
        self.0.sent_events.enable(send);
    }

    /// What became of calls in this process since the start, by the names of their tasks: of calls that it sent, and of those
    /// that its workers ran.
    #[must_use]
    pub fn figures(&self) -> Vec<(String, TaskFigures)> {
        self.0.figures.all()
    }

    /// Opens spans of the calls that are sent and run, as `tracer` says. The first one counts.
    pub fn trace(&self, tracer: Arc<dyn Tracer>) {
        self.0.tracer.get_or_init(|| tracer);
    }

    pub(crate) fn tracer(&self) -> Option<&dyn Tracer> {
        self.0.tracer.get().map(|tracer| &**tracer)
    }

    pub(crate) fn counted(&self) -> &Arc<Figures> {
        &self.0.figures
    }

    pub(crate) fn sent_events(&self) -> &crate::remote::SentEvents {
        &self.0.sent_events
    }

    /// The functions of those tasks that are declared for the process lane: what the runtime's builder and
    /// [`serve_child`](siding_runtime::serve_child) are given.
    ///
    /// A task in a child has no broker unless `main` connects one before `serve_child`.
    #[must_use]
    pub fn functions(&self) -> Functions {
        let mut functions = Functions::new();
        for definition in self.definitions() {
            if definition.declaration().lane == LaneKind::Processes {
                process::add(&mut functions, &definition);
            }
        }
        functions
    }

    pub(crate) fn definition(&self, name: &str) -> Option<Arc<Definition>> {
        let registry = self
            .0
            .registry
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        registry.get(name).cloned()
    }

    pub(crate) fn definitions(&self) -> Vec<Arc<Definition>> {
        let registry = self
            .0
            .registry
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        registry.values().cloned().collect()
    }

    pub(crate) fn schedules(&self) -> &crate::periodic::Schedules {
        &self.0.schedules
    }

    pub(crate) fn crews(&self) -> &crate::crews::Crews {
        &self.0.crews
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// Whose children messages are that are sent here and now.
    pub(crate) fn family(&self) -> Family {
        let now = self.now();
        let mut family = match TaskContext::try_current() {
            Some(context) => Family::child_of(context.message(), now),
            None => Family::none(now),
        };
        family.origin = Some(self.0.origin.clone());
        family
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks")
            .field("names", &self.names())
            .field("broker", &self.0.broker.get())
            .finish_non_exhaustive()
    }
}
