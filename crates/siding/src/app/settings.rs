//! Everything that can be set on an application.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use siding_runtime::Config;
use siding_tasks::BrokerUrl;

use super::celery::CelerySettings;
use crate::Limits;
use crate::lifespan::LifespanSettings;

/// Everything that can be set on an application, before flags and the environment have their say.
///
/// ```
/// use std::time::Duration;
/// use siding::{App, Settings};
///
/// let mut settings = Settings::default();
/// settings.limits.request_deadline = Duration::from_secs(5);
/// settings.runtime.threads.threads_max = 200;
/// let app: App = App::new("example").with_settings(settings);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the application listens: 127.0.0.1:8000 unless set. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Where the admin listener listens, if it is to: 127.0.0.1:8001 unless set.
    pub admin: Option<SocketAddr>,
    /// What a client of the admin listener must send as a bearer token. Required unless that listens on loopback.
    pub admin_token: Option<String>,
    /// Where a worker has an admin listener, if it is to: none unless set. Workers may be many on a machine, and each needs a
    /// port of its own.
    pub worker_admin: Option<SocketAddr>,
    /// What the server allows its clients.
    pub limits: Limits,
    /// The event loop, the lanes and placement.
    pub runtime: Config,
    /// Where tasks are kept, and who runs them.
    pub tasks: TaskSettings,
    /// How long resources may take to open, to close and to answer.
    pub lifespan: LifespanSettings,
    /// Where spans are sent: where OpenTelemetry's variables say, unless set.
    #[cfg(feature = "otel")]
    pub traces: crate::Traces,
    /// The form of the log.
    pub log: LogFormat,
    /// What is logged, as [`EnvFilter`](tracing_subscriber::EnvFilter) takes it: `info`, or
    /// `warn,siding=debug`.
    pub log_level: String,
}

/// Where tasks are kept, and who runs them. Without tasks none of it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSettings {
    /// The broker that keeps them, which Celery's workers and clients may share; the embedded store unless set. It takes the
    /// feature `redis` or `amqp`.
    pub broker: Option<BrokerUrl>,
    /// How that broker is used, and what is done with unknown tasks.
    pub celery: CelerySettings,
    /// The directory of the embedded store: `data` unless set. It is created when missing.
    pub data: PathBuf,
    /// Whether `serve` runs tasks too: it does unless set.
    pub worker: bool,
    /// The queues that a worker serves: `celery` unless set.
    pub queues: Vec<String>,
    /// How many tasks a worker runs at the same time; by the lanes unless set.
    pub concurrency: Option<usize>,
    /// How long running tasks may take to finish after SIGTERM or Ctrl-C: 30 s unless set. Then they are given back, to be
    /// run again elsewhere.
    pub stop_limit: Duration,
}

impl Default for TaskSettings {
    fn default() -> Self {
        Self {
            broker: None,
            celery: CelerySettings::default(),
            data: PathBuf::from("data"),
            worker: true,
            queues: vec![siding_tasks::Message::DEFAULT_QUEUE.to_owned()],
            concurrency: None,
            stop_limit: Duration::from_secs(30),
        }
    }
}

/// The form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people; in colour on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind: (Ipv4Addr::LOCALHOST, 8000).into(),
            admin: Some((Ipv4Addr::LOCALHOST, 8001).into()),
            admin_token: None,
            worker_admin: None,
            limits: Limits::default(),
            runtime: Config::default(),
            tasks: TaskSettings::default(),
            lifespan: LifespanSettings::default(),
            #[cfg(feature = "otel")]
            traces: crate::Traces::default(),
            log: LogFormat::default(),
            log_level: "info".to_owned(),
        }
    }
}

/// Without the token.
impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("bind", &self.bind)
            .field("admin", &self.admin)
            .field("worker_admin", &self.worker_admin)
            .field("limits", &self.limits)
            .field("runtime", &self.runtime)
            .field("tasks", &self.tasks)
            .field("lifespan", &self.lifespan)
            .field("log", &self.log)
            .field("log_level", &self.log_level)
            .finish_non_exhaustive()
    }
}
