//! What can be set of a broker that is shared with Celery.

use std::time::Duration;

use siding_tasks::{BackendUrl, RemoteControl, TaskQueues, TaskRoutes, Unknown};

/// How a broker that Celery's workers and clients may share is used. The defaults are Celery's. `unknown_tasks` counts for the
/// embedded store too.
///
/// ```
/// use siding::{CelerySettings, Settings};
///
/// let mut settings = Settings::default();
/// settings.tasks.broker = Some("redis://localhost:6379/0".parse()?);
/// settings.tasks.celery = CelerySettings {
///     result_backend: Some("redis://localhost:6379/1".parse()?),
///     ..CelerySettings::default()
/// };
/// # Ok::<(), siding::tasks::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CelerySettings {
    /// Where results go. Unless set: with a broker on Redis to the same database, with one over AMQP back to the client
    /// (`rpc://`).
    pub result_backend: Option<BackendUrl>,
    /// What stands before every key on Redis, of messages and of results: Celery's `global_keyprefix`. Nothing unless set.
    /// Celery gives each of the two its own, and adds a `_` to that of results unless it ends in one of `:_-.`.
    pub key_prefix: String,
    /// How old a Python worker's claim on Redis is when its message is delivered again: kombu's `visibility_timeout`, 1 h
    /// unless set. Whatever the number, it should be the same in every program on the database, as the shortest holds for all.
    /// Claims of Siding's workers do not age while they are held.
    pub visibility_timeout: Duration,
    /// How long results are kept on Redis: Celery's `result_expires`, 1 day unless set.
    pub result_expires: Duration,
    /// Where tasks go that name no queue and no exchange: Celery's `task_routes`. None unless set.
    pub task_routes: TaskRoutes,
    /// The queues that are bound to exchanges, and broadcasts: Celery's `task_queues`. None unless set.
    pub task_queues: TaskQueues,
    /// When a call that was sent from here over Redis, has not ended and is nowhere to be found is sent again: never unless set;
    /// see [`RedisSettings::resend_lost`](siding_tasks::RedisSettings).
    pub resend_lost: Option<Duration>,
    /// Whether events about tasks are published from the start: when they are sent, Celery's `task_send_sent_event`, and when
    /// a worker has received, started and ended them, its `-E`. They are not unless set; `celery control enable_events` and
    /// Flower turn those of a worker on while it runs.
    pub task_events: bool,
    /// What `celery inspect`, `celery control` and Flower may do to a worker: everything unless set.
    pub remote_control: RemoteControl,
    /// What a worker does with a message whose task it does not know: it fails the task, as Celery does, unless set.
    pub unknown_tasks: Unknown,
}

impl Default for CelerySettings {
    fn default() -> Self {
        Self {
            result_backend: None,
            key_prefix: String::new(),
            visibility_timeout: Duration::from_secs(3_600),
            result_expires: Duration::from_secs(24 * 3_600),
            task_routes: TaskRoutes::default(),
            task_queues: TaskQueues::default(),
            resend_lost: None,
            task_events: false,
            remote_control: RemoteControl::All,
            unknown_tasks: Unknown::Fail,
        }
    }
}
