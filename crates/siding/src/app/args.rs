//! The command line: flags over environment over what the application has set.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::duration;
use super::settings::{LogFormat, Settings};

/// The command line of an application.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true)]
pub(super) struct CommandLine {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    flags: Flags,
}

/// What the program is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub(super) enum Role {
    /// Answer requests (the default)
    #[default]
    Serve,
    /// List the routes: method, path, kind and declared lane
    Routes {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

/// Where the admin listener listens, if it is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Admin(Option<SocketAddr>);

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Settings")]
struct Flags {
    /// Where to listen [default: 127.0.0.1:8000]
    #[arg(long, global = true, env = "SIDING_BIND", value_name = "ADDRESS", value_parser = address)]
    bind: Option<SocketAddr>,
    /// Where the admin listener listens, or "off" [default: 127.0.0.1:8001]
    #[arg(long, global = true, env = "SIDING_ADMIN", value_name = "ADDRESS", value_parser = admin)]
    admin: Option<Admin>,
    /// What clients of the admin listener must send as a bearer token; required unless it listens on loopback
    #[arg(long, global = true, env = "SIDING_ADMIN_TOKEN", value_name = "TOKEN", hide_env_values = true, value_parser = token)]
    admin_token: Option<String>,
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
    /// How long running requests may take to finish after SIGTERM or Ctrl-C [default: 30s]
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
}

/// Reads a command line and the environment, and puts what they say over `settings`.
///
/// # Errors
/// When a value makes no sense, or help was asked for.
pub(super) fn read(
    name: &'static str,
    args: impl IntoIterator<Item = OsString>,
    settings: &mut Settings,
) -> Result<Role, clap::Error> {
    let mut command = CommandLine::command().name(name);
    let line = command
        .try_get_matches_from_mut(args)
        .and_then(|matches| CommandLine::from_arg_matches(&matches))
        .map_err(|error| error.format(&mut command))?;
    line.flags.apply(settings);
    check(settings).map_err(|what| command.error(clap::error::ErrorKind::ValueValidation, what))?;
    Ok(line.role.unwrap_or_default())
}

impl Flags {
    fn apply(self, settings: &mut Settings) {
        set(&mut settings.bind, self.bind);
        set(&mut settings.admin, self.admin.map(|admin| admin.0));
        settings.admin_token = self.admin_token.or(settings.admin_token.take());
        set(&mut settings.log, self.log);
        set(&mut settings.log_level, self.log_level);
        self.limits.apply(settings);
        self.lanes.apply(settings);
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
    }
}

fn set<T>(setting: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *setting = value;
    }
}

/// What makes no sense together.
fn check(settings: &Settings) -> Result<(), String> {
    let threads = settings.runtime.threads;
    if threads.threads_min > threads.threads_max {
        return Err(format!(
            "--threads-min {} is more than --threads-max {}; choose a minimum of at most {1}, or a higher maximum",
            threads.threads_min, threads.threads_max
        ));
    }
    Ok(())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        "write an IP address and a port, for example 127.0.0.1:8000 or [::]:8000".to_owned()
    })
}

fn admin(text: &str) -> Result<Admin, String> {
    match text {
        "off" => Ok(Admin(None)),
        text => address(text).map(|address| Admin(Some(address))),
    }
}

fn token(text: &str) -> Result<String, String> {
    match text {
        "" => Err(
            "an empty token protects nothing; leave it out, or choose a long random one".to_owned(),
        ),
        text => Ok(text.to_owned()),
    }
}

fn filter(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|_| {
            "write error, warn, info, debug or trace, or for example warn,siding=debug".to_owned()
        })
}
