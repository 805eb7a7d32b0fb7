//! Every flag with its environment variable.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use clap::Args;

use super::celery::CeleryFlags;
use super::lifespan::LifespanFlags;
use super::tasks::TaskFlags;
use super::values::{Admin, address, admin, bytes, filter, token};
use crate::app::duration;
use crate::app::settings::{LogFormat, Settings};

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Settings")]
pub(super) struct Flags {
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, global = true, env = "SIDING_BIND", value_name = "ADDRESS", value_parser = address)]
    bind: Option<SocketAddr>,
    /// Where the admin listener listens, or "off" [default: 127.0.0.1:8001]
    #[arg(long, global = true, env = "SIDING_ADMIN", value_name = "ADDRESS", value_parser = admin)]
    admin: Option<Admin>,
    /// What clients of the admin listener must send as a bearer token; required unless it listens on loopback
    #[arg(long, global = true, env = "SIDING_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true, value_parser = token)]
    admin_token: Option<String>,
    /// Where a worker has an admin listener of its own, with /metrics, or "off" [default: off]
    #[arg(long, global = true, env = "SIDING_WORKER_ADMIN", value_name = "ADDRESS", value_parser = admin)]
    worker_admin: Option<Admin>,
    /// Form of the log
    #[arg(
        long,
        global = true,
        env = "SIDING_LOG",
        value_enum,
        value_name = "FORM"
    )]
    log: Option<LogFormat>,
    /// What is logged: error, warn, info, debug, trace, or a filter such as warn,siding=debug
    #[arg(long, global = true, env = "RUST_LOG", value_name = "FILTER", value_parser = filter)]
    log_level: Option<String>,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    lanes: LaneFlags,
    #[command(flatten)]
    lifespan: LifespanFlags,
    #[command(flatten)]
    tasks: TaskFlags,
    #[command(flatten)]
    celery: CeleryFlags,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Limits")]
struct LimitFlags {
    /// How long a request may take [default: 30s]
    #[arg(long, global = true, env = "SIDING_REQUEST_DEADLINE", value_name = "TIME", value_parser = duration::parse)]
    request_deadline: Option<Duration>,
    /// How long the head of a request may take to arrive [default: 10s]
    #[arg(long, global = true, env = "SIDING_HEADER_TIMEOUT", value_name = "TIME", value_parser = duration::parse)]
    header_timeout: Option<Duration>,
    /// Bytes that the head of a request may have [default: 32768]
    #[arg(
        long,
        global = true,
        env = "SIDING_MAX_HEADER_BYTES",
        value_name = "BYTES"
    )]
    max_header_bytes: Option<NonZeroUsize>,
    /// Bytes that the body of a request may have [default: 2097152]
    #[arg(
        long,
        global = true,
        env = "SIDING_MAX_BODY_BYTES",
        value_name = "BYTES"
    )]
    max_body_bytes: Option<usize>,
    /// Connections that may be open; more wait in the kernel [default: by the limit on open files]
    #[arg(long, global = true, env = "SIDING_MAX_CONNECTIONS", value_name = "N")]
    max_connections: Option<NonZeroUsize>,
    /// How long a connection may be idle [default: 75s]
    #[arg(long, global = true, env = "SIDING_KEEP_ALIVE", value_name = "TIME", value_parser = duration::parse)]
    keep_alive: Option<Duration>,
    /// How long running requests and background work may take to finish after SIGTERM or Ctrl-C [default: 30s]
    #[arg(long, global = true, env = "SIDING_DRAIN_LIMIT", value_name = "TIME", value_parser = duration::parse)]
    drain_limit: Option<Duration>,
    /// How long a drain leaves idle connections open for requests that are on their way [default: 500ms]
    #[arg(long, global = true, env = "SIDING_DRAIN_GRACE", value_name = "TIME", value_parser = duration::parse)]
    drain_grace: Option<Duration>,
}

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Lanes")]
struct LaneFlags {
    /// Event-loop threads [default: one a core]
    #[arg(
        long,
        global = true,
        env = "SIDING_EVENT_LOOP_THREADS",
        value_name = "N"
    )]
    event_loop_threads: Option<NonZeroUsize>,
    /// Spare event-loop threads that take over for stalled ones [default: 40]
    #[arg(long, global = true, env = "SIDING_RELIEF_THREADS", value_name = "N")]
    relief_threads: Option<usize>,
    /// How long a poll may hold an event-loop thread before it counts as a stall [default: 10ms]
    #[arg(long, global = true, env = "SIDING_STALL_THRESHOLD", value_name = "TIME", value_parser = duration::parse)]
    stall_threshold: Option<Duration>,
    /// Threads of the thread lane that are always there [default: 40]
    #[arg(long, global = true, env = "SIDING_THREADS_MIN", value_name = "N")]
    threads_min: Option<NonZeroUsize>,
    /// Threads that the thread lane may grow to [default: 1024]
    #[arg(long, global = true, env = "SIDING_THREADS_MAX", value_name = "N")]
    threads_max: Option<NonZeroUsize>,
    /// Jobs that may wait for the thread lane [default: eight for each thread it may grow to]
    #[arg(
        long,
        global = true,
        env = "SIDING_THREADS_WAITING_MAX",
        value_name = "N"
    )]
    threads_waiting_max: Option<usize>,
    /// Threads of the compute lane [default: one a core]
    #[arg(long, global = true, env = "SIDING_COMPUTE_THREADS", value_name = "N")]
    compute_threads: Option<NonZeroUsize>,
    /// Jobs that may wait for the compute lane [default: 1024]
    #[arg(
        long,
        global = true,
        env = "SIDING_COMPUTE_WAITING_MAX",
        value_name = "N"
    )]
    compute_waiting_max: Option<usize>,
    /// Pieces of background work that may be accepted before requests that would add more are refused [default: 65536]
    #[arg(long, global = true, env = "SIDING_BACKGROUND_MAX", value_name = "N")]
    background_max: Option<NonZeroUsize>,
    /// Child processes of the process lane [default: 4]
    #[arg(long, global = true, env = "SIDING_PROCESSES", value_name = "N")]
    processes: Option<NonZeroUsize>,
    /// Jobs that may wait for the process lane [default: 1024]
    #[arg(
        long,
        global = true,
        env = "SIDING_PROCESSES_WAITING_MAX",
        value_name = "N"
    )]
    processes_waiting_max: Option<usize>,
    /// Memory that a child process may have for its data, for example 512MiB [default: no limit]
    #[arg(long, global = true, env = "SIDING_PROCESS_MEMORY", value_name = "BYTES", value_parser = bytes)]
    process_memory: Option<NonZeroU64>,
    /// Jobs that a child process runs before another takes its place [default: no limit]
    #[arg(long, global = true, env = "SIDING_PROCESS_JOBS", value_name = "N")]
    process_jobs: Option<NonZeroU64>,
}

impl Flags {
    /// Puts what they say over `settings`, or says what is wrong.
    pub(super) fn apply(self, settings: &mut Settings) -> Result<(), String> {
        set(&mut settings.bind, self.bind);
        set(&mut settings.admin, self.admin.map(|admin| admin.0));
        let worker_admin = self.worker_admin.map(|admin| admin.0);
        set(&mut settings.worker_admin, worker_admin);
        settings.admin_token = self.admin_token.or(settings.admin_token.take());
        set(&mut settings.log, self.log);
        set(&mut settings.log_level, self.log_level);
        self.limits.apply(settings);
        self.lanes.apply(settings);
        self.lifespan.apply(&mut settings.lifespan);
        self.tasks.apply(&mut settings.tasks);
        self.celery.apply(&mut settings.tasks)
    }
}

impl LimitFlags {
    fn apply(self, settings: &mut Settings) {
        let limits = &mut settings.limits;
        set(&mut limits.request_deadline, self.request_deadline);
        set(&mut limits.header_timeout, self.header_timeout);
        set(
            &mut limits.max_header_bytes,
            self.max_header_bytes.map(usize::from),
        );
        set(&mut limits.max_body_bytes, self.max_body_bytes);
        set(
            &mut limits.max_connections,
            self.max_connections.map(usize::from),
        );
        set(&mut limits.keep_alive, self.keep_alive);
        set(&mut limits.drain_limit, self.drain_limit);
        set(&mut limits.drain_grace, self.drain_grace);
    }
}

impl LaneFlags {
    /// The number of jobs that may wait follows the number of threads, unless it is given too.
    fn apply(self, settings: &mut Settings) {
        let runtime = &mut settings.runtime;
        set(
            &mut runtime.event_loop_threads,
            self.event_loop_threads.map(usize::from),
        );
        set(&mut runtime.relief_threads, self.relief_threads);
        set(&mut runtime.stall_threshold, self.stall_threshold);
        set(
            &mut runtime.threads.threads_min,
            self.threads_min.map(usize::from),
        );
        if let Some(max) = self.threads_max.map(usize::from) {
            runtime.threads.threads_max = max;
            runtime.threads.waiting_max = max.saturating_mul(8);
            if self.threads_min.is_none() {
                runtime.threads.threads_min = runtime.threads.threads_min.min(max);
            }
        }
        set(&mut runtime.threads.waiting_max, self.threads_waiting_max);
        set(
            &mut runtime.compute.threads,
            self.compute_threads.map(usize::from),
        );
        set(&mut runtime.compute.waiting_max, self.compute_waiting_max);
        set(
            &mut runtime.background_max,
            self.background_max.map(usize::from),
        );
        let processes = &mut runtime.processes;
        set(&mut processes.children, self.processes.map(usize::from));
        set(&mut processes.waiting_max, self.processes_waiting_max);
        let memory = self.process_memory.map(u64::from);
        processes.memory_bytes_max = memory.or(processes.memory_bytes_max);
        let jobs = self.process_jobs.map(u64::from);
        processes.jobs_per_child_max = jobs.or(processes.jobs_per_child_max);
    }
}

pub(super) fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}
