//! Everything that can be set on a connection to Redis.

use std::time::Duration;

use crate::queues::TaskQueues;
use crate::routes::TaskRoutes;
use crate::url::RedisUrl;

/// How to reach a Redis server, and where in it messages and results are: kombu's and Celery's settings, and their defaults.
///
/// ```
/// use siding_tasks::{BrokerUrl, RedisSettings};
///
/// let BrokerUrl::Redis(url) = "redis://:secret@127.0.0.1:6379/0".parse()? else {
///     unreachable!("it is a URL of Redis")
/// };
/// let mut settings = RedisSettings::new(url);
/// settings.key_prefix = "shop:".to_owned();
/// # Ok::<(), siding_tasks::UrlError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisSettings {
    /// The server and the database.
    pub url: RedisUrl,
    /// What stands before every key and channel: kombu's `global_keyprefix`. None unless set.
    pub key_prefix: String,
    /// How old a claim of a Python worker is when its message is restored: kombu's `visibility_timeout`, an hour unless set. All
    /// applications of a database should agree on it, as the shortest holds for all. Claims of workers like this one do not
    /// age while they are held.
    pub visibility_timeout: Duration,
    /// The priorities that have lists of their own: 0, 3, 6 and 9 unless set, as in kombu.
    pub priority_steps: Vec<u8>,
    /// What stands between a queue's name and its priority in the name of a list: kombu's `sep`.
    pub separator: String,
    /// When a call that was sent from here, has not ended and is nowhere to be found is sent again; never unless set. That
    /// finds what a Python worker took off its list and lost before it had noted that, which kombu does not. It costs two
    /// writes a call, looks after no call whose result is thrown away, and asks of Python's workers that they acknowledge
    /// late (`task_acks_late`) or track starts: of one that runs and says neither, nothing is to be found.
    pub resend_lost: Option<Duration>,
    /// Where tasks go: Celery's `task_routes`. None unless set.
    pub routes: TaskRoutes,
    /// The queues that are bound to exchanges: Celery's `task_queues`. None unless set.
    pub task_queues: TaskQueues,
    /// What a command may take before its connection is given up: 5 s unless set.
    pub response_timeout: Duration,
    /// What stands before every key of a result. A prefix that ends in none of `:_-.` gets a `_`, as in Celery.
    pub result_key_prefix: String,
    /// How long results are kept: Celery's `result_expires`, a day unless set.
    pub result_expires: Duration,
    /// Whether results say the task's name, arguments, worker, retries and queue, too: Celery's `result_extended`.
    pub result_extended: bool,
}

impl RedisSettings {
    /// The defaults, for the server and the database of `url`.
    #[must_use]
    pub fn new(url: RedisUrl) -> Self {
        Self {
            url,
            key_prefix: String::new(),
            visibility_timeout: Duration::from_secs(3_600),
            priority_steps: vec![0, 3, 6, 9],
            separator: "\x06\x16".to_owned(),
            resend_lost: None,
            routes: TaskRoutes::default(),
            task_queues: TaskQueues::default(),
            response_timeout: Duration::from_secs(5),
            result_key_prefix: String::new(),
            result_expires: Duration::from_secs(24 * 3_600),
            result_extended: false,
        }
    }
}
