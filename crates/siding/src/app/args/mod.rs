//! The command line: flags over environment over what the application has set.

mod celery;
mod flags;
mod lifespan;
mod tasks;
mod values;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use siding_tasks::{BackendUrl, BrokerUrl};

use super::settings::Settings;
use crate::tasks::TaskCommand;
use flags::Flags;

/// The command line of an application.
#[derive(Debug, Parser)]
#[command(
    disable_help_subcommand = true,
    after_help = "Defaults are Siding's; the application may have set others."
)]
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
    /// Run tasks, and answer no requests
    Worker,
    /// List, show, retry, revoke and purge tasks
    Tasks {
        #[command(subcommand)]
        command: TaskCommand,
    },
    /// List the routes: method, path, kind and declared lane
    Routes {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document
    #[cfg(feature = "openapi")]
    #[command(name = "openapi")]
    OpenApi,
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
    let applied = line.flags.apply(settings);
    applied
        .and_then(|()| check(settings))
        .map_err(|what| command.error(ErrorKind::ValueValidation, what))?;
    Ok(line.role.unwrap_or_default())
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
    let tasks = &settings.tasks;
    match (&tasks.broker, &tasks.celery.result_backend) {
        (None, Some(_)) => Err(
            "--result-backend without --broker: the embedded store keeps results itself; name the broker too, or leave it out"
                .to_owned(),
        ),
        (Some(BrokerUrl::Redis(_)), Some(BackendUrl::Rpc)) => Err(
            "--result-backend rpc:// takes an AMQP broker; leave it out, and results go to the broker's Redis".to_owned(),
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use siding_tasks::{RemoteControl, Unknown};

    use crate::app::celery::CelerySettings;

    /// What an application has set itself.
    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.limits.keep_alive = Duration::from_secs(7);
        settings.runtime.threads.threads_max = 70;
        settings.runtime.threads.waiting_max = 7;
        settings
    }

    fn read_flags(flags: &[&str]) -> (Role, Settings) {
        let mut settings = settings();
        let args = std::iter::once(&"test").chain(flags).map(OsString::from);
        let role = read("test", args, &mut settings).expect("makes sense");
        (role, settings)
    }

    #[test]
    fn without_flags_the_application_has_its_way() {
        assert_eq!(read_flags(&[]), (Role::Serve, settings()));
    }

    #[test]
    fn a_flag_goes_over_the_application() {
        let (_, read) = read_flags(&["--keep-alive", "9s", "--admin=off"]);
        assert_eq!(read.limits.keep_alive, Duration::from_secs(9));
        assert_eq!(read.admin, None);
    }

    #[test]
    fn the_number_that_may_wait_follows_the_number_of_threads() {
        let (_, read) = read_flags(&["--threads-max", "20"]);
        let threads = read.runtime.threads;
        assert_eq!(
            (
                threads.threads_min,
                threads.threads_max,
                threads.waiting_max
            ),
            (20, 20, 160)
        );
        let (_, read) = read_flags(&["--threads-max=20", "--threads-waiting-max=3"]);
        assert_eq!(read.runtime.threads.waiting_max, 3);
    }

    #[test]
    fn limits_of_child_processes_are_read() {
        let (_, read) = read_flags(&[
            "--processes=2",
            "--process-memory=64MiB",
            "--process-jobs=9",
        ]);
        let processes = read.runtime.processes;
        assert_eq!(
            (
                processes.children,
                processes.memory_bytes_max,
                processes.jobs_per_child_max
            ),
            (2, Some(64 << 20), Some(9))
        );
    }

    #[test]
    fn a_broker_and_how_it_is_used_are_read() {
        let (_, read) = read_flags(&[
            "--broker=redis://:wonder@cache/1",
            "--result-backend=disabled",
            "--key-prefix=shop:",
            "--visibility-timeout=2m",
            "--result-expires=3h",
            "--task-routes=python.*=python",
            "--task-queues=reload=fanout://reload",
            "--resend-lost=10s",
            "--task-events",
            "--remote-control=ping, stats",
            "--unknown-tasks=leave",
        ]);
        let broker = read.tasks.broker.as_ref().expect("was given");
        assert_eq!(broker.to_string(), "redis://:**@cache:6379/1");
        assert_eq!(
            read.tasks.celery,
            CelerySettings {
                result_backend: Some(BackendUrl::Disabled),
                key_prefix: "shop:".to_owned(),
                visibility_timeout: Duration::from_secs(120),
                result_expires: Duration::from_secs(3 * 3_600),
                task_routes: siding_tasks::TaskRoutes::default().with("python.*", "python"),
                task_queues: siding_tasks::TaskQueues::default().with_broadcast("reload"),
                resend_lost: Some(Duration::from_secs(10)),
                task_events: true,
                remote_control: RemoteControl::only(["ping", "stats"]),
                unknown_tasks: Unknown::Leave,
            }
        );
        assert!(!format!("{read:?}").contains("wonder"));
    }

    #[test]
    fn sentinels_lead_to_a_broker_and_to_results() {
        let (_, read) = read_flags(&[
            "--broker=sentinel://:wonder@one/1;sentinel://two?master_name=shop&sentinel_password=guard",
            "--result-backend=sentinel://one/2?master_name=shop&sentinel_password=guard",
        ]);
        let broker = read.tasks.broker.as_ref().map(ToString::to_string);
        let results = read.tasks.celery.result_backend.as_ref();
        assert_eq!(
            (
                broker.as_deref(),
                results.map(ToString::to_string).as_deref()
            ),
            (
                Some("sentinel://:**@one:26379/1;sentinel://:**@two:26379/1?master_name=shop"),
                Some("sentinel://one:26379/2?master_name=shop")
            )
        );
        let shown = format!("{read:?}");
        assert!(
            !shown.contains("wonder") && !shown.contains("guard"),
            "{shown}"
        );
    }

    #[test]
    fn a_wrong_broker_is_refused_without_its_password() {
        for (flags, words) in [
            (
                &["--broker=redis://:hush@cache:port"][..],
                "--broker: its port",
            ),
            (&["--broker=http://:hush@cache"], "no broker"),
            (
                &["--broker=sentinel://:hush@one;sentinel://:hush@two"],
                "--broker: it does not say which master",
            ),
            (
                &["--result-backend=redis://:hush@cache/0"],
                "name the broker",
            ),
            (
                &["--broker=redis://", "--result-backend=db+x://:hush@y"],
                "--result-backend: ",
            ),
            (
                &["--broker=redis://:hush@h", "--result-backend=rpc://"],
                "takes an AMQP broker",
            ),
            (
                &["--broker=redis://:hush@h", "--remote-control=ping,,"],
                "write all, off",
            ),
            (
                &["--broker=redis://:hush@h", "--remote-control=ping,stat"],
                "no method \"stat\"; write all, off, or with commas between them some of: active, active_queues,",
            ),
            (
                &["--broker=redis://:hush@h", "--unknown-tasks=eat"],
                "fail, leave",
            ),
        ] {
            let args = std::iter::once(&"test").chain(flags).map(OsString::from);
            let error = read("test", args, &mut settings())
                .expect_err(words)
                .to_string();
            assert!(error.contains(words) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn roles_are_told_apart() {
        assert_eq!(read_flags(&["serve"]).0, Role::Serve);
        let (role, _) = read_flags(&["routes", "--json", "--admin", "off"]);
        assert_eq!(role, Role::Routes { json: true });
        #[cfg(feature = "openapi")]
        assert_eq!(read_flags(&["openapi"]).0, Role::OpenApi);
    }

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }
}
